/* cmd_flows.c - crossflow flows: the grammar of --flow, and a flow's canonical form. */
#include "cli/commands.h"
#include "study/flow_help.h"

int cf_cmd_flows(int argc, char **argv)
{
    cf_str flows = {0};
    const cf_option options[] = {
        {"flow", 0, CF_OPT_LIST, &flows, "FLOW", "check this one and print it as crossflow reads it; repeatable"},
    };
    const cf_command_line line = {
        .usage = "crossflow flows [--flow FLOW]",
        .about = "Explains what --flow can say: groups of positions, edges between them, modes. Needs no model.",
        .options = options,
        .n_options = sizeof options / sizeof options[0],
    };
    const int begun = cf_cli_begin(&line, argc, argv);
    if (begun != CF_GO_ON) {
        cf_str_deinit(&flows);
        return begun;
    }
    cf_error err = {0};
    cf_str text = {0};
    int exit_status = CF_EXIT_DONE;
    const cf_status st = cf_flow_help(&text, cf_str_slice(&flows), &err);
    if (st == CF_OK)
        exit_status = cf_cli_print(&text);
    cf_str_deinit(&text);
    cf_str_deinit(&flows);
    return st == CF_OK ? exit_status : cf_cli_fail(&err, st == CF_USAGE ? CF_EXIT_USAGE : CF_EXIT_FAULT);
}
