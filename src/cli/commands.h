/* commands.h - the subcommands. Each parses its own arguments, calls study/, store/ or report/, and prints; the result
 * is the process's exit status: 0 done, 1 a fault of the input or the run, 2 wrong usage. Results go to stdout or the
 * file asked for, everything else to stderr. */
#ifndef CF_CLI_COMMANDS_H
#define CF_CLI_COMMANDS_H

#include "base/error.h"
#include "base/str.h"
#include "cli/options.h"

enum { CF_EXIT_DONE = 0, CF_EXIT_FAULT = 1, CF_EXIT_USAGE = 2, CF_GO_ON = -1 };

int cf_cmd_ask(int argc, char **argv);
int cf_cmd_tokens(int argc, char **argv);
int cf_cmd_trace(int argc, char **argv);
int cf_cmd_lens(int argc, char **argv);
int cf_cmd_map(int argc, char **argv);
int cf_cmd_flows(int argc, char **argv);
int cf_cmd_report(int argc, char **argv);
int cf_cmd_show(int argc, char **argv);
int cf_cmd_export(int argc, char **argv);
int cf_cmd_figure(int argc, char **argv);
int cf_cmd_info(int argc, char **argv);

/* Parses a command's arguments. CF_GO_ON, or the exit status it ends with: help was asked for, or the usage is wrong
 * (and said so). */
int cf_cli_begin(const cf_command_line *c, int argc, char **argv);
/* Prints "crossflow: TEXT" to stderr; returns exit_status. */
int cf_cli_fail(const cf_error *err, int exit_status);
/* Writes text to stdout; a fault where that fails (a full disk, a closed pipe). */
int cf_cli_print(const cf_str *text);

#endif
