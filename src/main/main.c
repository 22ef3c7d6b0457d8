/* main/main.c - the program: finds the subcommand and runs it (tool/commands.def). */
#include "tool/tool.h"

static const fm_command commands[] = {
#define COMMAND(name, run, summary, usage, options, examples) {#name, run, summary, usage, options, examples},
#include "tool/commands.def"
#undef COMMAND
    {0},
};

int main(int argc, char **argv)
{
    return fm_tool_main(argc, argv, commands);
}
