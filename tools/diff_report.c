#include "diff_report.h"

#include "json.h"
#include "message.h"
#include "output.h"
#include "quantity.h"
#include "unified.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define RED "\033[31m"
#define GREEN "\033[32m"
#define CYAN "\033[36m"
#define PLAIN "\033[m"

#define TIME_ROOM 48

/* By the place of their bit. */
static const char *const kind_names[DIFF_KINDS] = {"type",  "contents", "mode",   "owner",  "group",
                                                   "mtime", "target",   "device", "xattrs", "links"};

static const char *type_name(const struct memfs_stat *stat)
{
    static const char *const names[16] = {[MEMFS_IFIFO >> 12] = "fifo",      [MEMFS_IFCHR >> 12] = "character",
                                          [MEMFS_IFDIR >> 12] = "directory", [MEMFS_IFBLK >> 12] = "block",
                                          [MEMFS_IFREG >> 12] = "file",      [MEMFS_IFLNK >> 12] = "symlink",
                                          [MEMFS_IFSOCK >> 12] = "socket"};
    const char *name = names[(stat->mode & MEMFS_IFMT) >> 12];
    return name ? name : "unknown";
}

static struct side *side_of(const struct diff_report *report, int side)
{
    return report->compare->sides[side];
}

/* ---- Lines -------------------------------------------------------------------------------- */

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
    const int64_t billion = 1000000000, rest = (time % billion + billion) % billion, seconds = (time - rest) / billion;
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

/* A symbolic link's target: the bytes that came of it, none where it cannot be read. */
static size_t read_target(const struct diff_report *report, const struct pair *pair, int side, char *target)
{
    const int64_t length =
        memfs_node_readlink(side_of(report, side)->fs, pair->stat[side].node, target, MEMFS_TARGET_MAX);
    return length < 0 ? 0 : length > MEMFS_TARGET_MAX ? MEMFS_TARGET_MAX : (size_t)length;
}

static void put_targets(const struct diff_report *report, const struct pair *pair)
{
    char target[MEMFS_TARGET_MAX];
    output("target ");
    output_name(target, read_target(report, pair, OLD, target));
    output(" -> ");
    output_name(target, read_target(report, pair, NEW, target));
}

/* What a pair is another name of on one side: 0 if of nothing that has been met, -1 if that cannot be told. */
static int link_of(const struct diff_report *report, const struct pair *pair, const struct comparison *comparison,
                   int side, struct buffer *path)
{
    if (comparison->first[side] == comparison->number)
        return 0;
    return compare_first_path(report->compare, pair, side, path) == 0 ? 1 : -1;
}

static void put_links(const struct diff_report *report, const struct pair *pair, const struct comparison *comparison)
{
    struct buffer path = {.data = NULL};
    output("hard link ");
    for (int side = 0; side < 2; side++) {
        const int found = link_of(report, pair, comparison, side, &path);
        output(side == NEW ? " -> " : "");
        if (found > 0)
            output_name(path.data, path.length);
        else
            output(found == 0 ? "none" : "?");
    }
    buffer_free(&path);
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

static void put_difference(struct diff_report *report, const struct pair *pair, const struct comparison *comparison,
                           unsigned kind)
{
    const struct memfs_stat *old = &pair->stat[OLD], *new = &pair->stat[NEW];
    if (kind == DIFFERS_XATTRS) {
        int failed;
        compare_xattrs(report->compare, pair, put_xattr, report, &failed);
        return;
    }
    put_separator(report);
    switch (kind) {
    case DIFFERS_TYPE:
        output("type %s -> %s", type_name(old), type_name(new));
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
        put_targets(report, pair);
        break;
    case DIFFERS_DEVICE:
        output("device %" PRIu32 ":%" PRIu32 " -> %" PRIu32 ":%" PRIu32, old->rdev_major, old->rdev_minor,
               new->rdev_major, new->rdev_minor);
        break;
    default:
        put_links(report, pair, comparison);
    }
}

/* " (3 below)" behind a directory that went or came. */
static void put_below(const struct diff_report *report, const struct below *below)
{
    if (!report->detailed && below->entries > 0)
        output(" (%" PRIu64 " below)", below->entries);
}

static void put_line(struct diff_report *report, const struct pair *pair, const struct comparison *comparison,
                     const struct below below[2])
{
    put_color(report, CYAN);
    output("M ");
    output_name(pair->path, pair->path_length);
    put_color(report, PLAIN);
    report->more = 0;
    for (int i = 0; i < DIFF_KINDS && report->form != DIFF_BRIEF; i++) {
        if (comparison->differs & (1u << i))
            put_difference(report, pair, comparison, 1u << i);
    }
    put_below(report, &below[pair_is_dir(pair, NEW) ? NEW : OLD]);
}

static void put_one_sided(struct diff_report *report, const struct pair *pair, const struct below *below)
{
    const int side = pair->has == HAS_OLD ? OLD : NEW;
    put_color(report, side == OLD ? RED : GREEN);
    output(side == OLD ? "- " : "+ ");
    output_name(pair->path, pair->path_length);
    output(pair_is_dir(pair, side) ? "/" : "");
    if (report->form != DIFF_BRIEF)
        put_below(report, below);
    put_color(report, PLAIN);
}

/* ---- JSON ----------------------------------------------------------------------------------- */

/* {"old": ..., "new": ...} of numbers. */
static void json_numbers(struct json *json, const char *key, uint64_t old, uint64_t new)
{
    json_open(json, key, 0);
    json_unsigned(json, "old", old);
    json_unsigned(json, "new", new);
    json_close(json, 0);
}

static void json_device(struct json *json, const char *key, const struct memfs_stat *stat)
{
    char text[32];
    snprintf(text, sizeof text, "%" PRIu32 ":%" PRIu32, stat->rdev_major, stat->rdev_minor);
    json_text(json, key, text);
}

static int json_xattr(void *context, const char *name, const char *const value[2], const size_t length[2])
{
    struct json *json = context;
    json_open(json, NULL, 0);
    json_text(json, "name", name);
    if (value[OLD])
        json_bytes(json, "old", value[OLD], length[OLD]);
    if (value[NEW])
        json_bytes(json, "new", value[NEW], length[NEW]);
    json_close(json, 0);
    return 0;
}

static void json_xattrs(struct diff_report *report, struct json *json, const struct pair *pair)
{
    int failed;
    json_open(json, "xattrs", 1);
    compare_xattrs(report->compare, pair, json_xattr, json, &failed);
    json_close(json, 1);
}

static void json_links(const struct diff_report *report, struct json *json, const struct pair *pair,
                       const struct comparison *comparison)
{
    struct buffer path = {.data = NULL};
    json_open(json, "links", 0);
    for (int side = 0; side < 2; side++) {
        if (link_of(report, pair, comparison, side, &path) > 0)
            json_bytes(json, side == OLD ? "old" : "new", path.data, path.length);
    }
    json_close(json, 0);
    buffer_free(&path);
}

/* Of the kinds that have a value on either side and no more to them. */
static void json_value(const struct diff_report *report, struct json *json, const struct pair *pair, int side,
                       unsigned kind)
{
    const struct memfs_stat *stat = &pair->stat[side];
    const char *key = side == OLD ? "old" : "new";
    char target[MEMFS_TARGET_MAX];
    switch (kind) {
    case DIFFERS_TYPE:
        json_text(json, key, type_name(stat));
        break;
    case DIFFERS_MODE:
        json_mode(json, key, stat->mode);
        break;
    case DIFFERS_OWNER:
        json_unsigned(json, key, stat->uid);
        break;
    case DIFFERS_GROUP:
        json_unsigned(json, key, stat->gid);
        break;
    case DIFFERS_TIME:
        json_time(json, key, stat->mtime);
        break;
    case DIFFERS_TARGET:
        json_bytes(json, key, target, read_target(report, pair, side, target));
        break;
    default:
        json_device(json, key, stat);
    }
}

static void json_difference(struct diff_report *report, struct json *json, const struct pair *pair,
                            const struct comparison *comparison, int kind)
{
    switch (1u << kind) {
    case DIFFERS_CONTENTS:
        json_bool(json, "contents", 1);
        if (pair->stat[OLD].size != pair->stat[NEW].size)
            json_numbers(json, "size", pair->stat[OLD].size, pair->stat[NEW].size);
        break;
    case DIFFERS_XATTRS:
        json_xattrs(report, json, pair);
        break;
    case DIFFERS_LINKS:
        json_links(report, json, pair, comparison);
        break;
    default:
        json_open(json, kind_names[kind], 0);
        json_value(report, json, pair, OLD, 1u << kind);
        json_value(report, json, pair, NEW, 1u << kind);
        json_close(json, 0);
    }
}

static struct json begin_object(const struct pair *pair, const char *change, int side)
{
    struct json json = json_begin(stdout);
    json_bytes(&json, "path", pair->path, pair->path_length);
    json_text(&json, "change", change);
    json_text(&json, "type", type_name(&pair->stat[side]));
    return json;
}

static void json_changed(struct diff_report *report, const struct pair *pair, const struct comparison *comparison,
                         const struct below below[2])
{
    struct json json = begin_object(pair, "changed", NEW);
    json_open(&json, "attributes", 0);
    for (int i = 0; i < DIFF_KINDS; i++) {
        if (comparison->differs & (1u << i))
            json_difference(report, &json, pair, comparison, i);
    }
    json_close(&json, 0);
    if (!report->detailed && (comparison->differs & DIFFERS_TYPE) && (pair_is_dir(pair, OLD) || pair_is_dir(pair, NEW)))
        json_unsigned(&json, "below", below[OLD].entries + below[NEW].entries);
    json_end(&json);
}

static void json_one_sided(const struct diff_report *report, const struct pair *pair, const struct below *below)
{
    const int side = pair->has == HAS_OLD ? OLD : NEW;
    struct json json = begin_object(pair, side == OLD ? "removed" : "added", side);
    if ((pair->stat[side].mode & MEMFS_IFMT) == MEMFS_IFREG)
        json_unsigned(&json, "size", pair->stat[side].size);
    if (pair_is_dir(pair, side) && !report->detailed)
        json_unsigned(&json, "below", below->entries);
    json_end(&json);
}

/* ---- Pairs ------------------------------------------------------------------------------------ */

/* The end of a line or object, but of counts alone, and whether that was written. */
static int end_line(struct diff_report *report)
{
    report->code = message_worse(report->code, EXIT_INCOMPLETE);
    if (report->form == DIFF_JSON)
        return output_text("", 0) || ferror(stdout);
    return report->form == DIFF_STAT ? 0 : output("\n");
}

/* What is below a directory that the other side does not have, unless that is told by itself. */
static void count_below(struct diff_report *report, const struct pair *pair, int side, struct below *below)
{
    *below = (struct below){.entries = 0};
    if (report->detailed || report->form == DIFF_BRIEF || !pair_is_dir(pair, side))
        return;
    int result = below_count(side_of(report, side), pair->stat[side].node, below);
    if (result != 0)
        side_error(side_of(report, side), pair->path, result);
    report->one_sided[side].entries += below->entries;
    report->one_sided[side].files += below->files;
    report->one_sided[side].bytes += below->bytes;
}

int diff_report_one_sided(struct diff_report *report, const struct pair *pair)
{
    const int side = pair->has == HAS_OLD ? OLD : NEW;
    struct below below, *sum = &report->one_sided[side];
    count_below(report, pair, side, &below);
    sum->entries++;
    if ((pair->stat[side].mode & MEMFS_IFMT) == MEMFS_IFREG) {
        sum->files++;
        sum->bytes += pair->stat[side].size;
    }
    if (report->form == DIFF_JSON)
        json_one_sided(report, pair, &below);
    else if (report->form != DIFF_STAT)
        put_one_sided(report, pair, &below);
    return end_line(report);
}

static void count_changed(struct diff_report *report, const struct pair *pair, const struct comparison *comparison)
{
    report->changed++;
    for (int i = 0; i < DIFF_KINDS; i++)
        report->kinds[i] += comparison->differs >> i & 1u;
    for (int side = 0; side < 2 && (comparison->differs & DIFFERS_CONTENTS); side++)
        report->bytes[side] += pair->stat[side].size;
}

/* Nonzero: there is no diff(1), or it has failed. */
static int show_text(struct diff_report *report, const struct pair *pair)
{
    int code = unified_show(report->compare->sides, pair, report->context, report->colors);
    report->code = message_worse(report->code, code);
    return code == EXIT_FAILED;
}

int diff_report_changed(struct diff_report *report, const struct pair *pair, const struct comparison *comparison)
{
    struct below below[2] = {{.entries = 0}, {.entries = 0}};
    count_changed(report, pair, comparison);
    if (comparison->differs & DIFFERS_TYPE) {
        count_below(report, pair, OLD, &below[OLD]);
        count_below(report, pair, NEW, &below[NEW]);
    }
    if (report->form == DIFF_JSON)
        json_changed(report, pair, comparison, below);
    else if (report->form != DIFF_STAT)
        put_line(report, pair, comparison, below);
    int stop = end_line(report);
    if (!stop && report->form == DIFF_UNIFIED && (comparison->differs & DIFFERS_CONTENTS))
        stop = show_text(report, pair);
    return stop;
}

void diff_report_same(struct diff_report *report)
{
    report->same++;
}

/* ---- Counts ------------------------------------------------------------------------------------ */

static void print_one_sided(const char *what, const struct below *sum)
{
    output("%-8s %" PRIu64 ": %" PRIu64 " file%s, %" PRIu64 " byte%s\n", what, sum->entries, sum->files,
           sum->files == 1 ? "" : "s", sum->bytes, sum->bytes == 1 ? "" : "s");
}

static void print_counts(struct diff_report *report)
{
    print_one_sided("added", &report->one_sided[NEW]);
    print_one_sided("removed", &report->one_sided[OLD]);
    output("%-8s %" PRIu64, "changed", report->changed);
    report->more = 0;
    for (int i = 0; i < DIFF_KINDS; i++) {
        if (report->kinds[i] == 0)
            continue;
        put_separator(report);
        output("%s %" PRIu64, kind_names[i], report->kinds[i]);
        if (1u << i == DIFFERS_CONTENTS)
            output(" (%" PRIu64 " -> %" PRIu64 " bytes)", report->bytes[OLD], report->bytes[NEW]);
    }
    output("\n%-8s %" PRIu64 "\n", "same", report->same);
}

static void json_sum(struct json *json, const char *key, const struct below *sum)
{
    json_open(json, key, 0);
    json_unsigned(json, "entries", sum->entries);
    json_unsigned(json, "files", sum->files);
    json_unsigned(json, "bytes", sum->bytes);
    json_close(json, 0);
}

static void json_counts(const struct diff_report *report)
{
    struct json json = json_begin(stdout);
    json_sum(&json, "added", &report->one_sided[NEW]);
    json_sum(&json, "removed", &report->one_sided[OLD]);
    json_open(&json, "changed", 0);
    json_unsigned(&json, "entries", report->changed);
    for (int i = 0; i < DIFF_KINDS; i++)
        json_unsigned(&json, kind_names[i], report->kinds[i]);
    json_numbers(&json, "bytes", report->bytes[OLD], report->bytes[NEW]);
    json_close(&json, 0);
    json_unsigned(&json, "same", report->same);
    json_end(&json);
}

void diff_report_end(struct diff_report *report)
{
    if (report->form != DIFF_STAT)
        return;
    if (report->json)
        json_counts(report);
    else
        print_counts(report);
}
