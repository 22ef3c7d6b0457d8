/* tool/tool.c - finds the subcommand, prints help and complaints. */
#include "tool/tool.h"

#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

static const fm_command none = {0};
static const fm_command *table = &none; /* set once by fm_tool_main, before anything else runs */

static const fm_command *find(const char *name)
{
    for (const fm_command *command = table; command->name; command++)
        if (strcmp(command->name, name) == 0)
            return command;
    return NULL;
}

static void put_indented(FILE *out, const char *text)
{
    while (*text) {
        const char *end = strchrnul(text, '\n');
        fprintf(out, "  %.*s\n", (int)(end - text), text);
        text = *end ? end + 1 : end;
    }
}

void fm_tool_help(FILE *out, const char *name)
{
    const fm_command *command = find(name);
    if (!command)
        return;
    fprintf(out, "%s\n\nusage: fmads %s\n\n", command->summary, command->usage);
    put_indented(out, command->options);
    fputs("\nexamples:\n", out);
    put_indented(out, command->examples);
}

static void overview(FILE *out)
{
    fputs("FM-ADS finds anomalies in market data while it arrives.\n\nusage: fmads COMMAND [OPTIONS]\n\n", out);
    for (const fm_command *command = table; command->name; command++)
        fprintf(out, "  %-9s %s\n", command->name, command->summary);
    fputs("\nStart with `fmads demo`; `fmads COMMAND --help` tells more.\n"
          "Exit codes: 0 done, 1 found something to look at, 2 usage, 3 could not be done.\n",
          out);
}

int fm_tool_usage_error(const char *command, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "fmads %s: ", command);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    const fm_command *found = find(command);
    if (found)
        fprintf(stderr, "\nusage: fmads %s\n", found->usage);
    else
        fputc('\n', stderr);
    return FM_EXIT_USAGE;
}

int fm_tool_failed(const fm_error *error)
{
    fputs("fmads: ", stderr);
    if (error->file[0] && error->line)
        fprintf(stderr, "%s:%d: ", error->file, error->line);
    fprintf(stderr, "%s\n", error->message[0] ? error->message : fm_error_text(error->code));
    if (error->hint[0])
        fprintf(stderr, "hint: %s\n", error->hint);
    return FM_EXIT_FAILED;
}

static bool asks_for_help(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

int fm_tool_main(int argc, char **argv, const fm_command *commands)
{
    table = commands;
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        if (argc > 2 && find(argv[2]))
            fm_tool_help(stdout, argv[2]);
        else
            overview(stdout);
        return FM_EXIT_OK;
    }
    if (strcmp(name, "--version") == 0)
        name = "version";
    const fm_command *command = find(name);
    if (!command) {
        if (*name)
            fprintf(stderr, "fmads: there is no command \"%s\"\n\n", name);
        overview(stderr);
        return FM_EXIT_USAGE;
    }
    if (asks_for_help(argc - 1, argv + 1)) {
        fm_tool_help(stdout, name);
        return FM_EXIT_OK;
    }
    return command->run(argc - 1, argv + 1);
}
