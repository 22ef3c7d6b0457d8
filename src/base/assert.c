/* base/assert.c - the last words of a process that found a mistake of ours. */
#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static _Thread_local void (*describe_thread)(void *context, char *out, size_t size);
static _Thread_local void *describe_context;

void fm_assert_describe(void (*describe)(void *context, char *out, size_t size), void *context)
{
    describe_thread = describe;
    describe_context = context;
}

/* One write and no stdio stream: another thread may hold its lock. The source path is cut to what stands below src/. */
void fm_assert_failed(const char *condition, const char *file, int line)
{
    char doing[512] = "";
    if (describe_thread != NULL) {
        void (*describe)(void *context, char *out, size_t size) = describe_thread;
        describe_thread = NULL; /* should it fail as well, it is not asked again */
        describe(describe_context, doing, sizeof(doing));
        doing[sizeof(doing) - 1] = '\0';
    }

    const char *below = strstr(file, "/src/");
    char words[1024];
    int length = snprintf(words, sizeof(words), "fmads: this must hold and does not: %s (%s:%d)%s%s\n", condition,
                          below != NULL ? below + 1 : file, line, doing[0] != '\0' ? "; " : "", doing);
    if (length > 0) {
        size_t size = (size_t)length < sizeof(words) ? (size_t)length : sizeof(words) - 1;
        ssize_t ignored = write(STDERR_FILENO, words, size);
        (void)ignored;
    }
    abort();
}
