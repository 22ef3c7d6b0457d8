/* net/clerk.c - a queue, a lock and a thread: nothing here is on the way of a tick. */
#include "net/clerk.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

struct fm_clerk {
    fm_server *server;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stopping;
    uint32_t count;
    struct {
        fm_clerk_job job;
        void *context;
    } queue[FM_CLERK_JOBS_MAX];
};

static void *run(void *argument)
{
    fm_clerk *clerk = argument;

    pthread_mutex_lock(&clerk->lock);
    for (;;) {
        while (clerk->count == 0 && !clerk->stopping)
            pthread_cond_wait(&clerk->changed, &clerk->lock);
        if (clerk->count == 0)
            break;
        fm_clerk_job job = clerk->queue[0].job;
        void *context = clerk->queue[0].context;
        clerk->count--;
        for (uint32_t i = 0; i < clerk->count; i++)
            clerk->queue[i] = clerk->queue[i + 1];
        pthread_mutex_unlock(&clerk->lock);
        job(context, clerk->server);
        pthread_mutex_lock(&clerk->lock);
    }
    pthread_mutex_unlock(&clerk->lock);
    return NULL;
}

int fm_clerk_start(fm_server *server, fm_clerk **out)
{
    fm_clerk *clerk = calloc(1, sizeof(*clerk));
    sigset_t all, old;

    if (clerk == NULL)
        return FM_ENOMEM;
    clerk->server = server;
    pthread_mutex_init(&clerk->lock, NULL);
    pthread_cond_init(&clerk->changed, NULL);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old); /* signals belong to main */
    int failed = pthread_create(&clerk->thread, NULL, run, clerk);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (failed != 0) {
        free(clerk);
        return FM_ENOMEM;
    }
    *out = clerk;
    return 0;
}

void fm_clerk_stop(fm_clerk *clerk)
{
    if (clerk == NULL)
        return;
    pthread_mutex_lock(&clerk->lock);
    clerk->stopping = true;
    pthread_cond_signal(&clerk->changed);
    pthread_mutex_unlock(&clerk->lock);
    pthread_join(clerk->thread, NULL);
    pthread_cond_destroy(&clerk->changed);
    pthread_mutex_destroy(&clerk->lock);
    free(clerk);
}

int fm_clerk_do(fm_clerk *clerk, fm_clerk_job job, void *context)
{
    int result = FM_EBUSY;

    pthread_mutex_lock(&clerk->lock);
    if (clerk->count < FM_CLERK_JOBS_MAX && !clerk->stopping) {
        clerk->queue[clerk->count].job = job;
        clerk->queue[clerk->count++].context = context;
        pthread_cond_signal(&clerk->changed);
        result = 0;
    }
    pthread_mutex_unlock(&clerk->lock);
    return result;
}
