/* tool/peek.h - looks into the server's JSON answers without building a tree: a value is the slice of bytes it stands
 * in.
 *
 * For answers of our own server: what is not JSON is never read out of bounds, but it is not reported either, only not
 * found. */
#ifndef FM_TOOL_PEEK_H
#define FM_TOOL_PEEK_H

#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

/* The value of a member; of a path when names are joined by '.' ("rule.id"). False: not an object, or no such member.
 */
bool fm_peek_member(fm_slice object, const char *path, fm_slice *value);

/* Walks an array: *at starts at 0. False at its end. */
bool fm_peek_next(fm_slice array, size_t *at, fm_slice *value);

bool fm_peek_int(fm_slice value, int64_t *out); /* a number without fraction that fits */
bool fm_peek_real(fm_slice value, double *out);
bool fm_peek_text(fm_slice value, char *out, size_t size); /* unescaped, cut to size - 1 bytes, NUL at the end */

/* A member in one step; the preset when it is missing or of another type. */
int64_t fm_peek_member_int(fm_slice object, const char *path, int64_t preset);
void fm_peek_member_text(fm_slice object, const char *path, char *out, size_t size); /* "" when missing */

#endif
