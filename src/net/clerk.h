/* net/clerk.h - one thread for what takes longer than a shard may wait: reading rules, listing them. Jobs run one after
 * another. */
#ifndef FM_NET_CLERK_H
#define FM_NET_CLERK_H

#include "base/error.h"
#include "net/server.h"

#define FM_CLERK_JOBS_MAX 16

typedef struct fm_clerk fm_clerk;
typedef void (*fm_clerk_job)(void *context, fm_server *server);

int fm_clerk_start(fm_server *server, fm_clerk **out) FM_CHECKED;
void fm_clerk_stop(fm_clerk *clerk); /* runs what waits, joins, frees; NULL is nothing */

/* Any thread. FM_EBUSY when 16 jobs wait. */
int fm_clerk_do(fm_clerk *clerk, fm_clerk_job job, void *context) FM_CHECKED;

#endif
