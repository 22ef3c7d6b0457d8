/* main/serve.c - `fmads serve` and `fmads demo`: the server until a signal comes. */
#include "base/clock.h"
#include "base/event.h"
#include "base/log.h"
#include "main/runtime.h"
#include "tool/demo.h"
#include "tool/tool.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t stop_asked, reload_asked;

static void on_signal(int signal_number)
{
    if (signal_number == SIGHUP)
        reload_asked = 1;
    else
        stop_asked = 1;
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* The main thread only looks after rule files and signals. */
static void wait_for_stop(fm_runtime *runtime, int64_t watch_ns)
{
    int64_t looked_ns = fm_mono_ns(&fm_clock_system);
    while (!stop_asked) {
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL); /* a signal ends it early */
        int64_t now_ns = fm_mono_ns(&fm_clock_system);
        if (reload_asked) {
            reload_asked = 0;
            fm_error error = {0};
            int result = fm_runtime_reload_rules(runtime, &error);
            (void)result; /* told in the log */
        } else if (watch_ns > 0 && now_ns - looked_ns >= watch_ns) {
            looked_ns = now_ns;
            fm_runtime_watch_rules(runtime);
        }
    }
}

static int unexpected(const char *command, const char *argument)
{
    return fm_tool_usage_error(command, "there is no option \"%s\"", argument);
}

int fm_tool_serve(int argc, char **argv)
{
    fm_settings settings;
    fm_runtime *runtime;
    fm_error error = {0};
    if (fm_settings_read(&settings, &argc, argv, &error) < 0)
        return fm_tool_failed(&error);
    if (argc > 1)
        return unexpected("serve", argv[1]);
    catch_signals();
    if (fm_runtime_start(&settings, &runtime, &error) < 0)
        return fm_tool_failed(&error);
    wait_for_stop(runtime, settings.rules_watch);
    fm_log(FM_LOG_INFO, "stopping", NULL);
    int result = fm_runtime_stop(runtime);
    fm_log(FM_LOG_INFO, "stopped", NULL);
    return result < 0 ? FM_EXIT_FAILED : FM_EXIT_OK;
}

/* ---- demo ---- */

static int number_option(int argc, char **argv, int *at, const char *name, double low, double high, double *out)
{
    if (strcmp(argv[*at], name) != 0)
        return 0;
    char *end;
    double value = *at + 1 < argc ? strtod(argv[*at + 1], &end) : 0;
    if (*at + 1 >= argc || *end != 0 || !(value >= low && value <= high))
        return -fm_tool_usage_error("demo", "%s takes a number from %g to %g", name, low, high);
    *out = value;
    *at += 2;
    return 1;
}

static int demo_options(int argc, char **argv, fm_demo_config *demo)
{
    double seed = (double)demo->seed, instruments = demo->instruments;
    for (int at = 1; at < argc;) {
        int used = number_option(argc, argv, &at, "--seed", 0, 9e15, &seed);
        used = used != 0 ? used : number_option(argc, argv, &at, "--instruments", 1, 10000, &instruments);
        used = used != 0 ? used : number_option(argc, argv, &at, "--rate", 1, 1e6, &demo->rate);
        used = used != 0 ? used : number_option(argc, argv, &at, "--seconds", 0, 1e9, &demo->seconds);
        if (used < 0)
            return -used;
        if (used == 0)
            return unexpected("demo", argv[at]);
    }
    demo->seed = (uint64_t)seed;
    demo->instruments = (uint32_t)instruments;
    return 0;
}

/* A demo begins with a market of its own: its data lie in a fresh folder that is removed at the end, unless --data names one. */
static void own_data(fm_settings *settings, char *folder, size_t size)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(folder, size, "%s/fmads-demo-XXXXXX", tmp != NULL && *tmp != 0 ? tmp : "/tmp");
    if (mkdtemp(folder) != NULL)
        snprintf(settings->data_dir, sizeof(settings->data_dir), "%.480s", folder);
    else
        folder[0] = 0;
}

static void remove_folder(const char *folder)
{
    char command[600];
    if (folder[0] == 0)
        return;
    snprintf(command, sizeof(command), "rm -rf -- '%s'", folder); /* a name of our own making: mkdtemp's */
    if (system(command) != 0)
        fprintf(stderr, "fmads: could not remove \"%s\"\n", folder);
}

int fm_tool_demo(int argc, char **argv)
{
    fm_settings settings, preset;
    fm_runtime *runtime;
    fm_error error = {0};
    char folder[512] = "", url[64];
    fm_demo_config demo = fm_demo_config_preset;
    if (fm_settings_read(&settings, &argc, argv, &error) < 0)
        return fm_tool_failed(&error);
    int usage = demo_options(argc, argv, &demo);
    if (usage != 0)
        return usage;
    fm_settings_preset(&preset);
    if (strcmp(settings.data_dir, preset.data_dir) == 0)
        own_data(&settings, folder, sizeof(folder));
    if (strcmp(settings.log_level, preset.log_level) == 0)
        strcpy(settings.log_level, "warn"); /* the terminal belongs to the alerts */
    setvbuf(stdout, NULL, _IOLBF, 0); /* an alert is shown when it comes, into a pipe too */
    catch_signals();
    if (fm_runtime_start(&settings, &runtime, &error) < 0) {
        remove_folder(folder);
        return fm_tool_failed(&error);
    }
    snprintf(url, sizeof(url), "http://127.0.0.1:%u", fm_runtime_port(runtime));
    demo.url = url;
    demo.color = isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL;
    demo.stop = &stop_asked;
    int result = fm_demo_run(&demo);
    fm_runtime_stop(runtime);
    remove_folder(folder);
    return result < 0 ? FM_EXIT_FAILED : result;
}
