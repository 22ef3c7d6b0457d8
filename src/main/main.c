/* main/main.c - the program: finds the subcommand and runs it (tool/commands.def). */
#include "tool/tool.h"

int main(int argc, char **argv)
{
    return fm_tool_main(argc, argv);
}
