#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* struct winsize */
#endif
#include "output/progress.h"

#include "options.h"
#include "output/json.h"
#include "output/message.h"
#include "system/interrupt.h"
#include "values/quantity.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define FIRST_SECONDS 0.4 /* what ends sooner shows nothing */
#define EVERY_SECONDS 0.2

static struct {
    const char *what;
    int on;                       /* a terminal, and not quiet */
    int visible;                  /* a line stands there now */
    int told;                     /* a line of JSON was written, and then */
    struct memfs_progress latest; /* this has not been, if untold */
    int untold;
    double began, last;
} state;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

void progress_start(const char *what)
{
    state.what = what;
    state.on = common.progress == PROGRESS_AUTO && !common.quiet && isatty(STDERR_FILENO);
    state.visible = state.told = state.untold = 0;
    state.began = now();
    state.last = state.began + FIRST_SECONDS - EVERY_SECONDS;
}

static int columns(void)
{
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 2)
        return 80;
    return size.ws_col;
}

/* "packing 12 of 340 nodes, 1.3 GiB of 2.0 GiB, 45.0 MiB/s": what there is of it. */
static int format_amounts(char *line, size_t room, const struct memfs_progress *progress, double elapsed)
{
    char done[QUANTITY_ROOM], total[QUANTITY_ROOM], rate[QUANTITY_ROOM];
    int length = snprintf(line, room, "%s %" PRIu64, state.what, progress->nodes);
    if (progress->nodes_total > 0)
        length += snprintf(line + length, room - (size_t)length, " of %" PRIu64, progress->nodes_total);
    length += snprintf(line + length, room - (size_t)length, " nodes");
    if (progress->bytes == 0)
        return length;
    length += snprintf(line + length, room - (size_t)length, ", %s", quantity_bytes(progress->bytes, done));
    if (progress->bytes_total > 0)
        length +=
            snprintf(line + length, room - (size_t)length, " of %s", quantity_bytes(progress->bytes_total, total));
    length += snprintf(line + length, room - (size_t)length, ", %s/s",
                       quantity_bytes((uint64_t)((double)progress->bytes / elapsed), rate));
    return length;
}

static void show(const struct memfs_progress *progress, double elapsed)
{
    char line[320], left[QUANTITY_ROOM];
    int length = format_amounts(line, sizeof line, progress, elapsed);
    uint64_t part = progress->bytes_total > 0 ? progress->bytes : progress->nodes;
    uint64_t whole = progress->bytes_total > 0 ? progress->bytes_total : progress->nodes_total;
    if (part > 0 && part <= whole) {
        double seconds = elapsed * (double)(whole - part) / (double)part;
        if (seconds < 1e7)
            snprintf(line + length, sizeof line - (size_t)length, ", %s left",
                     quantity_seconds((uint64_t)(seconds + 0.5), left));
    }
    fprintf(stderr, "\r%.*s\033[K", columns() - 1, line);
    fflush(stderr);
    state.visible = 1;
}

static void tell_json(const struct memfs_progress *progress, double elapsed)
{
    struct json json = json_begin(stderr);
    json_text(&json, "progress", state.what);
    json_unsigned(&json, "nodes", progress->nodes);
    json_unsigned(&json, "nodes_total", progress->nodes_total);
    json_unsigned(&json, "bytes", progress->bytes);
    json_unsigned(&json, "bytes_total", progress->bytes_total);
    json_seconds(&json, "seconds", elapsed);
    json_end(&json);
    state.told = 1;
}

int progress_update(void *context, const struct memfs_progress *progress)
{
    (void)context;
    if (interrupt_noted())
        return 1;
    if (!state.on && common.progress != PROGRESS_JSON)
        return 0;
    double time = now();
    state.latest = *progress;
    state.untold = time - state.last < EVERY_SECONDS;
    if (state.untold)
        return 0;
    state.last = time;
    if (common.progress == PROGRESS_JSON)
        tell_json(progress, time - state.began);
    else
        show(progress, time - state.began);
    return 0;
}

void progress_hide(void)
{
    if (!state.visible)
        return;
    fputs("\r\033[K", stderr);
    fflush(stderr);
    state.visible = 0;
}

double progress_end(int *shown)
{
    const double elapsed = now() - state.began;
    progress_hide();
    if (state.told && state.untold)
        tell_json(&state.latest, elapsed);
    state.told = 0;
    *shown = state.on;
    state.on = 0;
    return elapsed;
}

void progress_summary(const char *thing, uint64_t nodes, uint64_t bytes, double seconds)
{
    char size[QUANTITY_ROOM], time[QUANTITY_ROOM];
    message(thing, NULL, "%" PRIu64 " %s in %s, %s", nodes, nodes == 1 ? "file or directory" : "files and directories",
            quantity_bytes(bytes, size), quantity_seconds((uint64_t)(seconds + 0.5), time));
}
