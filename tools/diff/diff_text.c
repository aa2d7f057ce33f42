#include "diff/diff_text.h"

#include "output/json_node.h"
#include "output/output.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define RED "\033[31m"
#define GREEN "\033[32m"
#define CYAN "\033[36m"
#define PLAIN "\033[m"

#define TIME_ROOM 48

static void put_color(const struct diff_report *report, const char *color)
{
    if (report->colors)
        output("%s", color);
}

/* Before each thing that differs. */
static void put_separator(struct diff_report *report)
{
    output(report->more ? ", " : ": ");
    report->more = 1;
}

/* As ls --full-time writes it; a second's parts only where there are any. */
static const char *format_time(int64_t time, int parts, char text[TIME_ROOM])
{
    const int64_t billion = 1000000000, rest = (time % billion + billion) % billion;
    const int64_t seconds = time / billion - (time % billion < 0); /* time - rest may not fit */
    struct tm broken;
    const time_t host = (time_t)seconds;
    size_t length = 0;
    if (host == seconds && localtime_r(&host, &broken))
        length = strftime(text, TIME_ROOM, "%Y-%m-%d %H:%M:%S", &broken);
    else
        length = (size_t)snprintf(text, TIME_ROOM, "%" PRId64, seconds);
    if (parts)
        snprintf(text + length, TIME_ROOM - length, ".%09" PRId64, rest);
    return text;
}

static void put_time(const struct memfs_stat stat[2])
{
    char old[TIME_ROOM], new[TIME_ROOM];
    const int parts = stat[OLD].mtime % 1000000000 != 0 || stat[NEW].mtime % 1000000000 != 0;
    output("mtime %s -> %s", format_time(stat[OLD].mtime, parts, old), format_time(stat[NEW].mtime, parts, new));
}

static void put_targets(const struct difference *difference)
{
    output("target ");
    output_name(difference->target[OLD], difference->target_length[OLD]);
    output(" -> ");
    output_name(difference->target[NEW], difference->target_length[NEW]);
}

static void put_links(const struct difference *difference)
{
    output("hard link ");
    for (int side = 0; side < 2; side++) {
        output(side == NEW ? " -> " : "");
        if (difference->has_first[side] == FIRST_FOUND)
            output_name(difference->first[side].data, difference->first[side].length);
        else
            output(difference->has_first[side] == FIRST_NONE ? "none" : "?");
    }
}

static int put_xattr(void *context, const char *name, const char *const value[2], const size_t length[2])
{
    (void)length;
    put_separator(context);
    output("xattr ");
    output_name(name, strlen(name));
    return output(!value[OLD] ? " added" : !value[NEW] ? " removed" : " changed");
}

static void put_contents(const struct memfs_stat stat[2])
{
    if (stat[OLD].size == stat[NEW].size)
        output("contents");
    else
        output("contents (%" PRIu64 " -> %" PRIu64 " bytes)", stat[OLD].size, stat[NEW].size);
}

static void put_difference(struct diff_report *report, const struct pair *pair, unsigned kind)
{
    const struct memfs_stat *old = &pair->stat[OLD], *new = &pair->stat[NEW];
    if (kind == DIFFERS_XATTRS) {
        compare_tell_xattrs(report->compare, pair, put_xattr, report);
        return;
    }
    put_separator(report);
    switch (kind) {
    case DIFFERS_TYPE:
        output("type %s -> %s", json_type(old->mode), json_type(new->mode));
        break;
    case DIFFERS_CONTENTS:
        put_contents(pair->stat);
        break;
    case DIFFERS_MODE:
        output("mode %04" PRIo32 " -> %04" PRIo32, old->mode & 07777u, new->mode & 07777u);
        break;
    case DIFFERS_OWNER:
        output("owner %" PRIu32 " -> %" PRIu32, old->uid, new->uid);
        break;
    case DIFFERS_GROUP:
        output("group %" PRIu32 " -> %" PRIu32, old->gid, new->gid);
        break;
    case DIFFERS_TIME:
        put_time(pair->stat);
        break;
    case DIFFERS_TARGET:
        put_targets(&report->difference);
        break;
    case DIFFERS_DEVICE:
        output("device %" PRIu32 ":%" PRIu32 " -> %" PRIu32 ":%" PRIu32, old->rdev_major, old->rdev_minor,
               new->rdev_major, new->rdev_minor);
        break;
    default:
        put_links(&report->difference);
    }
}

/* " (3 below)" behind a directory that went or came. */
static void put_below(const struct diff_report *report, const struct subtree *below)
{
    if (!report->detailed && below->entries > 0)
        output(" (%" PRIu64 " below)", below->entries);
}

void diff_text_changed(struct diff_report *report, const struct pair *pair, const struct comparison *comparison,
                       const struct subtree below[2])
{
    put_color(report, CYAN);
    output("M ");
    output_name(pair->path, pair->path_length);
    put_color(report, PLAIN);
    report->more = 0;
    for (int i = 0; i < DIFFERENCE_KINDS && report->form != DIFF_BRIEF; i++) {
        if (comparison->differs & (1u << i))
            put_difference(report, pair, 1u << i);
    }
    put_below(report, &below[pair_is_dir(pair, NEW) ? NEW : OLD]);
    output("\n");
}

void diff_text_one_sided(struct diff_report *report, const struct pair *pair, const struct subtree *below)
{
    const int side = pair->has == HAS_OLD ? OLD : NEW;
    put_color(report, side == OLD ? RED : GREEN);
    output(side == OLD ? "- " : "+ ");
    output_name(pair->path, pair->path_length);
    output(pair_is_dir(pair, side) ? "/" : "");
    if (report->form != DIFF_BRIEF)
        put_below(report, below);
    put_color(report, PLAIN);
    output("\n");
}

static void print_one_sided(const char *what, const struct subtree *sum)
{
    output("%-8s %" PRIu64 ": %" PRIu64 " file%s, %" PRIu64 " byte%s\n", what, sum->entries, sum->files,
           sum->files == 1 ? "" : "s", sum->bytes, sum->bytes == 1 ? "" : "s");
}

void diff_text_counts(struct diff_report *report)
{
    print_one_sided("added", &report->one_sided[NEW]);
    print_one_sided("removed", &report->one_sided[OLD]);
    output("%-8s %" PRIu64, "changed", report->changed);
    report->more = 0;
    for (int i = 0; i < DIFFERENCE_KINDS; i++) {
        if (report->kinds[i] == 0)
            continue;
        put_separator(report);
        output("%s %" PRIu64, difference_name(i), report->kinds[i]);
        if (1u << i == DIFFERS_CONTENTS)
            output(" (%" PRIu64 " -> %" PRIu64 " bytes)", report->bytes[OLD], report->bytes[NEW]);
    }
    output("\n%-8s %" PRIu64 "\n", "same", report->same);
}
