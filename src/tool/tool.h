/* tool/tool.h - the subcommands of the program: a table (commands.def), one function each.
 *
 * What they share: `--json` prints the result as JSON, `--help` prints the row of the table, and the process ends with
 * one of four codes. Results go to standard output; progress, logs and complaints to standard error. */
#ifndef FM_TOOL_TOOL_H
#define FM_TOOL_TOOL_H

#include "base/error.h"

#include <stdio.h>

enum {
    FM_EXIT_OK = 0,
    FM_EXIT_FOUND = 1, /* it ran, and there is something to look at: refused records, a failed test, a difference */
    FM_EXIT_USAGE = 2,
    FM_EXIT_FAILED = 3, /* it could not be done */
};

typedef struct fm_command {
    const char *name;
    int (*run)(int argc, char **argv); /* argv[0] is the subcommand's name */
    const char *summary, *usage, *options, *examples;
} fm_command;

/* All of the program: finds the subcommand and runs it. main.c makes `commands` from commands.def, since most of them
 * live above this layer; in the order of the table, ends with name NULL. */
int fm_tool_main(int argc, char **argv, const fm_command *commands);

void fm_tool_help(FILE *out, const char *command); /* of one subcommand */
int fm_tool_usage_error(const char *command, const char *format, ...)
    FM_PRINTF(2, 3);                       /* says what is wrong and how it is right: 2 */
int fm_tool_failed(const fm_error *error); /* says why, with the hint: 3 */

#define COMMAND(name, run, summary, usage, options, examples) int run(int argc, char **argv);
#include "tool/commands.def"
#undef COMMAND

#endif
