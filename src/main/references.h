/* main/references.h - reference sets by their hash: the log names them, their texts are kept in
 * <data>/reference/<hash>.
 *
 * A set is written there before the log may name it. Recovery and verify ask for the ones that the log names. */
#ifndef FM_MAIN_REFERENCES_H
#define FM_MAIN_REFERENCES_H

#include "base/file.h"
#include "engine/reference.h"

typedef struct fm_references fm_references;

int fm_references_open(const fm_file_layer *layer, const char *directory, fm_references **out,
                       fm_error *error) FM_CHECKED;
void fm_references_close(fm_references *references);

/* Reads the files of `reference_dir` ("" = none), keeps their text, and gives the set (owned here). Any thread. */
int fm_references_load(fm_references *references, const char *reference_dir, const fm_reference_set **out,
                       fm_error *error) FM_CHECKED;

/* The set that the log names: known, or read from its file; NULL when it is lost or damaged. Any thread. */
const fm_reference_set *fm_references_find(fm_references *references, const char *hash);

#endif
