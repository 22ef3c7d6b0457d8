/* script/pattern.h - Lua 5.1's text patterns, with every step charged to the rule's budget.
 *
 * A pattern such as "a*a*a*a*b" takes time by a high power of the subject's length, inside one call that no budget
 * check interrupts. Here each step counts down the same budget as the loops of the rule do, so such a rule ends like
 * any other runaway: at once, with its line, and the same in every replay. Character classes are ASCII's, whatever the
 * locale. */
#ifndef FM_SCRIPT_PATTERN_H
#define FM_SCRIPT_PATTERN_H

#include <stddef.h>
#include <stdint.h>

#define FM_PATTERN_CAPTURES_MAX 32
#define FM_CAPTURE_OPEN         (-1)
#define FM_CAPTURE_POSITION     (-2)

typedef struct fm_pattern {
    const char *subject, *subject_end, *pattern_end;
    int32_t *budget;     /* steps left; matching stops when it falls below 0 */
    const char *problem; /* why matching stopped; NULL = it did not */
    int depth, level;
    struct {
        const char *start;
        ptrdiff_t size; /* or FM_CAPTURE_* */
    } capture[FM_PATTERN_CAPTURES_MAX];
} fm_pattern;

/* The end of the match of `pattern` that begins at `at`, or NULL: none, or `problem` is set. */
const char *fm_pattern_match(fm_pattern *match, const char *at, const char *pattern);

#endif
