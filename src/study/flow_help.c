/* flow_help.c - see flow_help.h. What it says is tested against the parser: every example parses. */
#include "study/flow_help.h"

#include "knockout/flow.h"

static const char grammar[] =
    "A flow says what is done to the model in a run; it is done in the layers of the run's window.\n\n"
    "  SOURCE->TARGET            no position of TARGET sees a position of SOURCE, in any head\n"
    "  EDGE & EDGE               several edges cut together\n"
    "  EDGE@0:4+8                in layers 0 to 3 and 8, whatever the window is\n"
    "  EDGE#0+2:4                in heads 0, 2 and 3 only; #each: one flow per head\n"
    "  keep: EDGE & EDGE         every edge between Image, Question and Last is cut, but for these\n"
    "  keep(GROUP, GROUP): EDGE  the same between other groups, which must not overlap\n"
    "  random: EDGE              the control: each query loses as many keys, drawn outside SOURCE (--seed, --repeats)\n"
    "  zero attention: GROUP     attention adds nothing at these positions\n"
    "  zero mlp: GROUP           the MLP adds nothing at these positions\n\n"
    "A group is a set of positions of the prompt; + joins, - takes away, from left to right.\n\n"
    "  NAME                      see below\n"
    "  NAME[2]  NAME[-3:]        some of its positions, counted in their order\n"
    "  [3:7]  [-1]  [:4]         positions, half-open; negative ones count from the end\n"
    "  \"white chest\"             the tokens of this text, where it first occurs after the picture\n"
    "  box(10,20,64,48)          patches that this box touches: x, y, w, h in pixels of the picture\n"
    "  patch(3,7)  patch(0:4,7)  patches of the base tile by row and column; hd(3,7): of the high-resolution grid\n\n"
    "Names:\n\n";

static const char *const examples[] = {
    "Image->Question",
    "Question - True Option - False Option->Last",
    "Image->Question & Image->Last@0:6",
    "Image Central Object->Question#0+2:4",
    "keep: Image->Question & Question->Last",
    "random: Image Central Object->Question",
    "zero mlp: [-3:] + \"the\"",
    "Image - box(10,20,64,48)->Last",
    "patch(0:4,8:12)->Question[0]",
};

static cf_status add_canonical(cf_str *out, cf_slice list, const char *before, cf_error *err)
{
    cf_status st = CF_OK;
    cf_flows flows = {0};
    CF_TRY(cf_flows_parse(&flows, list, err));
    for (size_t i = 0; i < flows.n; i++) {
        CF_TRY(cf_str_add_text(out, before, err));
        CF_TRY(cf_flow_print(out, &flows.items[i], err));
        CF_TRY(cf_str_add_text(out, "\n", err));
    }
done:
    cf_flows_deinit(&flows);
    return st;
}

cf_status cf_flow_help(cf_str *out, cf_slice flows, cf_error *err)
{
    cf_status st = CF_OK;
    if (flows.n)
        return add_canonical(out, flows, "", err);
    CF_TRY(cf_str_add_text(out, grammar, err));
    for (int g = 0; g < CF_N_GROUPS; g++)
        CF_TRY(cf_str_addf(out, err, "  %s\n", cf_group_name((cf_group)g)));
    CF_TRY(cf_str_add_text(out, "\nExamples:\n\n", err));
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++)
        CF_TRY(add_canonical(out, cf_slice_of(examples[i]), "  ", err));
done:
    return st;
}
