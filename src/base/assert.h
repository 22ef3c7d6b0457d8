/* base/assert.h - FM_ASSERT is for our own mistakes and stays on in every build: it prints what failed, then aborts; the
 * restart replays the journal. Input from outside is never asserted. */
#ifndef FM_BASE_ASSERT_H
#define FM_BASE_ASSERT_H

#include <stddef.h>

_Noreturn void fm_assert_failed(const char *condition, const char *file, int line);

/* What this thread was doing, told when an assert fails in it: `describe` writes NUL-terminated text (the shard, the last event).
 * It runs in a broken process: it must not lock, allocate or assert. NULL takes it back. */
void fm_assert_describe(void (*describe)(void *context, char *out, size_t size), void *context);

#define FM_ASSERT(condition) ((condition) ? (void)0 : fm_assert_failed(#condition, __FILE__, __LINE__))
#define FM_LIKELY(x)   __builtin_expect(!!(x), 1)
#define FM_UNLIKELY(x) __builtin_expect(!!(x), 0)

#endif
