/* script/pattern.c - the pattern language of Lua 5.1 (reference manual, 5.4.1), by backtracking. */
#include "script/pattern.h"

#include <stdbool.h>
#include <string.h>

enum { DEPTH_MAX = 200 };

static bool is_lower(int c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_upper(int c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static bool in_class(int c, int class_letter)
{
    bool in;
    switch (class_letter | 0x20) {
    case 'a':
        in = is_lower(c) || is_upper(c);
        break;
    case 'c':
        in = c < 32 || c == 127;
        break;
    case 'd':
        in = is_digit(c);
        break;
    case 'l':
        in = is_lower(c);
        break;
    case 'p':
        in = c > 32 && c < 127 && !is_lower(c) && !is_upper(c) && !is_digit(c);
        break;
    case 's':
        in = c == ' ' || (c >= '\t' && c <= '\r');
        break;
    case 'u':
        in = is_upper(c);
        break;
    case 'w':
        in = is_lower(c) || is_upper(c) || is_digit(c);
        break;
    case 'x':
        in = is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
        break;
    case 'z':
        in = c == 0;
        break;
    default:
        return class_letter == c;
    }
    return is_upper(class_letter) ? !in : in;
}

static const char *give_up(fm_pattern *match, const char *problem)
{
    if (!match->problem)
        match->problem = problem;
    return NULL;
}

/* Behind the single character item that begins at `pattern`. */
static const char *item_end(fm_pattern *match, const char *pattern)
{
    if (pattern >= match->pattern_end)
        return give_up(match, "malformed pattern");
    if (*pattern == '%') {
        if (pattern + 1 >= match->pattern_end)
            return give_up(match, "malformed pattern (ends with %)");
        return pattern + 2;
    }
    if (*pattern != '[')
        return pattern + 1;
    pattern += pattern + 1 < match->pattern_end && pattern[1] == '^' ? 2 : 1;
    do { /* the first character stands for itself, even ']' */
        if (pattern >= match->pattern_end)
            return give_up(match, "malformed pattern (missing ])");
        pattern += *pattern == '%' ? 2 : 1;
    } while (pattern >= match->pattern_end || *pattern != ']');
    return pattern + 1;
}

/* `set` at '[', `end` behind its ']'. */
static bool in_set(int c, const char *set, const char *end)
{
    const char *at = set + 1, *last = end - 1;
    bool negated = at < last && *at == '^';
    for (at += negated; at < last; at++) {
        if (*at == '%') {
            at++;
            if (in_class(c, (unsigned char)*at))
                return !negated;
        } else if (at + 2 < last && at[1] == '-') {
            if ((unsigned char)at[0] <= c && c <= (unsigned char)at[2])
                return !negated;
            at += 2;
        } else if ((unsigned char)*at == c) {
            return !negated;
        }
    }
    return negated;
}

static bool single_matches(fm_pattern *match, const char *at, const char *pattern, const char *end)
{
    if (--*match->budget < 0) {
        give_up(match, "budget");
        return false;
    }
    if (at >= match->subject_end)
        return false;
    int c = (unsigned char)*at;
    switch (*pattern) {
    case '.':
        return true;
    case '%':
        return in_class(c, (unsigned char)pattern[1]);
    case '[':
        return in_set(c, pattern, end);
    default:
        return (unsigned char)*pattern == c;
    }
}

static const char *match_balanced(fm_pattern *match, const char *at, const char *pattern)
{
    if (pattern + 1 >= match->pattern_end)
        return give_up(match, "malformed pattern (missing arguments to %b)");
    if (at >= match->subject_end || *at != pattern[0])
        return NULL;
    int depth = 1;
    for (const char *next = at + 1; next < match->subject_end; next++) {
        if (--*match->budget < 0)
            return give_up(match, "budget");
        if (*next == pattern[1]) {
            if (--depth == 0)
                return next + 1;
        } else if (*next == pattern[0]) {
            depth++;
        }
    }
    return NULL;
}

static const char *match_most(fm_pattern *match, const char *at, const char *pattern, const char *end)
{
    ptrdiff_t count = 0;
    while (single_matches(match, at + count, pattern, end))
        count++;
    for (; count >= 0 && !match->problem; count--) {
        const char *result = fm_pattern_match(match, at + count, end + 1);
        if (result)
            return result;
    }
    return NULL;
}

static const char *match_fewest(fm_pattern *match, const char *at, const char *pattern, const char *end)
{
    for (;;) {
        const char *result = fm_pattern_match(match, at, end + 1);
        if (result || match->problem)
            return result;
        if (!single_matches(match, at, pattern, end))
            return NULL;
        at++;
    }
}

static const char *open_capture(fm_pattern *match, const char *at, const char *pattern, ptrdiff_t size)
{
    if (match->level >= FM_PATTERN_CAPTURES_MAX)
        return give_up(match, "too many captures");
    match->capture[match->level].start = at;
    match->capture[match->level].size = size;
    match->level++;
    const char *result = fm_pattern_match(match, at, pattern);
    if (!result)
        match->level--;
    return result;
}

static const char *close_capture(fm_pattern *match, const char *at, const char *pattern)
{
    int level = match->level - 1;
    while (level >= 0 && match->capture[level].size != FM_CAPTURE_OPEN)
        level--;
    if (level < 0)
        return give_up(match, "invalid pattern capture");
    match->capture[level].size = at - match->capture[level].start;
    const char *result = fm_pattern_match(match, at, pattern);
    if (!result)
        match->capture[level].size = FM_CAPTURE_OPEN;
    return result;
}

static const char *match_back(fm_pattern *match, const char *at, int digit)
{
    int index = digit - '1';
    if (index < 0 || index >= match->level || match->capture[index].size == FM_CAPTURE_OPEN)
        return give_up(match, "invalid capture index");
    if (match->capture[index].size == FM_CAPTURE_POSITION)
        return NULL;
    size_t size = (size_t)match->capture[index].size;
    if ((size_t)(match->subject_end - at) < size || memcmp(match->capture[index].start, at, size) != 0)
        return NULL;
    *match->budget -= (int32_t)(size < 4096 ? size : 4096);
    return at + size;
}

/* %f[set]: between a character outside the set and one inside. */
static bool at_frontier(const fm_pattern *match, const char *at, const char *set, const char *end)
{
    int before = at == match->subject ? 0 : (unsigned char)at[-1];
    int after = at < match->subject_end ? (unsigned char)*at : 0;
    return !in_set(before, set, end) && in_set(after, set, end);
}

/* The items that begin with %; *taken says whether it was one of them. */
static const char *match_special(fm_pattern *match, const char *at, const char *pattern, bool *taken)
{
    int letter = pattern + 1 < match->pattern_end ? (unsigned char)pattern[1] : 0;
    const char *next;
    *taken = true;
    if (letter == 'b') {
        next = match_balanced(match, at, pattern + 2);
        return next ? fm_pattern_match(match, next, pattern + 4) : NULL;
    }
    if (letter == 'f') {
        pattern += 2;
        if (pattern >= match->pattern_end || *pattern != '[')
            return give_up(match, "missing [ after %f in pattern");
        next = item_end(match, pattern);
        return next && at_frontier(match, at, pattern, next) ? fm_pattern_match(match, at, next) : NULL;
    }
    if (is_digit(letter)) {
        next = match_back(match, at, letter);
        return next ? fm_pattern_match(match, next, pattern + 2) : NULL;
    }
    *taken = false;
    return NULL;
}

static const char *match_item(fm_pattern *match, const char *at, const char *pattern)
{
    const char *end = item_end(match, pattern);
    if (!end)
        return NULL;
    switch (end < match->pattern_end ? *end : 0) {
    case '?':
        if (single_matches(match, at, pattern, end)) {
            const char *result = fm_pattern_match(match, at + 1, end + 1);
            if (result || match->problem)
                return result;
        }
        return match->problem ? NULL : fm_pattern_match(match, at, end + 1);
    case '*':
        return match_most(match, at, pattern, end);
    case '+':
        return single_matches(match, at, pattern, end) ? match_most(match, at + 1, pattern, end) : NULL;
    case '-':
        return match_fewest(match, at, pattern, end);
    default:
        return single_matches(match, at, pattern, end) ? fm_pattern_match(match, at + 1, end) : NULL;
    }
}

static const char *match_here(fm_pattern *match, const char *at, const char *pattern)
{
    bool taken = false;
    if (pattern >= match->pattern_end)
        return at;
    if (*pattern == '(') {
        bool position = pattern + 1 < match->pattern_end && pattern[1] == ')';
        return open_capture(match, at, pattern + (position ? 2 : 1), position ? FM_CAPTURE_POSITION : FM_CAPTURE_OPEN);
    }
    if (*pattern == ')')
        return close_capture(match, at, pattern + 1);
    if (*pattern == '$' && pattern + 1 == match->pattern_end)
        return at == match->subject_end ? at : NULL;
    if (*pattern == '%') {
        const char *result = match_special(match, at, pattern, &taken);
        if (taken)
            return result;
    }
    return match_item(match, at, pattern);
}

const char *fm_pattern_match(fm_pattern *match, const char *at, const char *pattern)
{
    if (--*match->budget < 0)
        return give_up(match, "budget");
    if (++match->depth > DEPTH_MAX) {
        match->depth--;
        return give_up(match, "pattern too complex");
    }
    const char *result = match_here(match, at, pattern);
    match->depth--;
    return result;
}
