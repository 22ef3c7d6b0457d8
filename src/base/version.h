/* base/version.h - the version that the program, its API, its logs and its journals tell. CMakeLists.txt reads this line. */
#ifndef FM_BASE_VERSION_H
#define FM_BASE_VERSION_H

#define FM_VERSION "0.1.0"

#endif
