/* tool/version.c - `fmads version`. */
#include "base/version.h"
#include "tool/tool.h"

#include <string.h>

int fm_tool_version(int argc, char **argv)
{
    if (argc == 1)
        puts("fmads " FM_VERSION);
    else if (argc == 2 && strcmp(argv[1], "--json") == 0)
        puts("{\"name\":\"fmads\",\"version\":\"" FM_VERSION "\"}");
    else
        return fm_tool_usage_error("version", "\"%s\" is not an option", argv[argc - 1]);
    return FM_EXIT_OK;
}
