/* main/reference_files.h - the files of reference.dir into the one text that engine/reference.h reads. Every file is
 * optional:
 *
 *   calendars/NAME.json  {"zone": "America/New_York", "sessions": [{"days": ["mon", …], "open": "09:30", "close":
 * "16:00", "evening_before": false}], "holidays": ["2024-12-25"], "half_days": {"2024-07-03": "13:00"}} instruments.csv
 * symbol,class,sector,market,calendar    cells may be empty, columns after the first left out actions.csv
 * symbol,effective,what,number,to        effective: a time (UTC unless it has an offset), or a date: midnight in the
 * zone of the instrument's calendar, UTC without one
 *
 * The same files on a machine with the same tz database give the same text, whatever their order. */
#ifndef FM_MAIN_REFERENCE_FILES_H
#define FM_MAIN_REFERENCE_FILES_H

#include "base/text.h"

/* Errors name the file, and the line where there are lines. A folder that is not there is one without files. */
int fm_reference_files_read(const char *folder, fm_text *out, fm_error *error) FM_CHECKED;

#endif
