/* engine/duplicates.h - what was seen before: rows of a source, sequences of a venue.
 *
 * Rows: a bit each, for the newest `window` rows of a source; a row below that cannot be judged and is refused. Sequences: the newest
 * `window` (venue, channel, session, seq, seq_index) keys, first in first out. */
#ifndef FM_ENGINE_DUPLICATES_H
#define FM_ENGINE_DUPLICATES_H

#include "engine/partition.h"

typedef enum fm_seen { FM_SEEN_NEW, FM_SEEN_BEFORE, FM_SEEN_TOO_OLD } fm_seen;

fm_seen fm_rows_look(const fm_source_entry *source, uint64_t row);
void    fm_rows_note(fm_source_entry *source, uint32_t window, uint64_t row); /* may make a page; `window` rounds up to pages */
void    fm_rows_forget(fm_source_entry *source);                              /* frees the pages */

#define FM_SEQUENCES_MAX (1u << 24) /* ingest.sequence_window at most */
uint64_t fm_sequence_key(uint32_t domain, const fm_stream_entry *stream, uint64_t session_hash, int64_t ts_ns, uint64_t seq, uint32_t seq_index);
bool     fm_sequences_has(const fm_sequence_set *set, uint64_t key);
void     fm_sequences_note(fm_sequence_set *set, uint32_t capacity, uint64_t key); /* the first call makes the tables */
void     fm_sequences_fini(fm_sequence_set *set);

#endif
