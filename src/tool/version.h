/* tool/version.h - the version that the program, its API and its logs tell. CMakeLists.txt says the same; a test
 * compares. */
#ifndef FM_TOOL_VERSION_H
#define FM_TOOL_VERSION_H

#define FM_VERSION "0.1.0"

#endif
