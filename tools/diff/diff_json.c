#include "diff/diff_json.h"

#include "output/json_node.h"

#include <inttypes.h>
#include <stdio.h>

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
    json_open(json, "xattrs", 1);
    compare_tell_xattrs(report->compare, pair, json_xattr, json);
    json_close(json, 1);
}

static void json_links(const struct difference *difference, struct json *json)
{
    json_open(json, "links", 0);
    for (int side = 0; side < 2; side++) {
        const struct buffer *first = &difference->first[side];
        if (difference->has_first[side] == FIRST_FOUND)
            json_bytes(json, side == OLD ? "old" : "new", first->data, first->length);
    }
    json_close(json, 0);
}

/* Of the kinds that have a value on either side and no more to them. */
static void json_value(const struct diff_report *report, struct json *json, const struct pair *pair, int side,
                       unsigned kind)
{
    const struct memfs_stat *stat = &pair->stat[side];
    const char *key = side == OLD ? "old" : "new";
    switch (kind) {
    case DIFFERS_TYPE:
        json_text(json, key, json_type(stat->mode));
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
        json_bytes(json, key, report->difference.target[side], report->difference.target_length[side]);
        break;
    default:
        json_device(json, key, stat);
    }
}

static void json_difference(struct diff_report *report, struct json *json, const struct pair *pair, int kind)
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
        json_links(&report->difference, json);
        break;
    default:
        json_open(json, difference_name(kind), 0);
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
    json_text(&json, "type", json_type(pair->stat[side].mode));
    return json;
}

void diff_json_changed(struct diff_report *report, const struct pair *pair, const struct comparison *comparison,
                       const struct subtree below[2])
{
    struct json json = begin_object(pair, "changed", NEW);
    if (report->brief) {
        json_end(&json);
        return;
    }
    json_open(&json, "attributes", 0);
    for (int i = 0; i < DIFFERENCE_KINDS; i++) {
        if (comparison->differs & (1u << i))
            json_difference(report, &json, pair, i);
    }
    json_close(&json, 0);
    if (!report->detailed && (comparison->differs & DIFFERS_TYPE) && (pair_is_dir(pair, OLD) || pair_is_dir(pair, NEW)))
        json_unsigned(&json, "below", below[OLD].entries + below[NEW].entries);
    json_end(&json);
}

void diff_json_one_sided(const struct diff_report *report, const struct pair *pair, const struct subtree *below)
{
    const int side = pair->has == HAS_OLD ? OLD : NEW;
    struct json json = begin_object(pair, side == OLD ? "removed" : "added", side);
    if ((pair->stat[side].mode & MEMFS_IFMT) == MEMFS_IFREG && !report->brief)
        json_unsigned(&json, "size", pair->stat[side].size);
    if (pair_is_dir(pair, side) && !report->detailed && !report->brief)
        json_unsigned(&json, "below", below->entries);
    json_end(&json);
}

static void json_sum(struct json *json, const char *key, const struct subtree *sum)
{
    json_open(json, key, 0);
    json_unsigned(json, "entries", sum->entries);
    json_unsigned(json, "files", sum->files);
    json_unsigned(json, "bytes", sum->bytes);
    json_close(json, 0);
}

void diff_json_counts(const struct diff_report *report)
{
    struct json json = json_begin(stdout);
    json_sum(&json, "added", &report->one_sided[NEW]);
    json_sum(&json, "removed", &report->one_sided[OLD]);
    json_open(&json, "changed", 0);
    json_unsigned(&json, "entries", report->changed);
    for (int i = 0; i < DIFFERENCE_KINDS; i++)
        json_unsigned(&json, difference_name(i), report->kinds[i]);
    json_numbers(&json, "bytes", report->bytes[OLD], report->bytes[NEW]);
    json_close(&json, 0);
    json_unsigned(&json, "same", report->same);
    json_end(&json);
}
