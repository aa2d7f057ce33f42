#include "info/summary.h"

#include "output/output.h"
#include "values/quantity.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#define TYPES 7

static const struct {
    const char *one, *many, *key;
} types[TYPES] = {
    {"file", "files", "files"},
    {"directory", "directories", "directories"},
    {"symbolic link", "symbolic links", "symbolic_links"},
    {"FIFO", "FIFOs", "fifos"},
    {"socket", "sockets", "sockets"},
    {"character device", "character devices", "character_devices"},
    {"block device", "block devices", "block_devices"},
};

/* What a lying root may say is less than nothing is nothing. */
static uint64_t difference(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

/* Every node but the root has a name; what is more are further names. */
static uint64_t further_names(const struct memfs_image_info *info)
{
    return difference(info->entries + 1, info->nodes);
}

/* ---- As text ------------------------------------------------------------------------ */

static void put_bytes(const char *label, uint64_t bytes)
{
    char text[QUANTITY_ROOM];
    if (bytes < 1024)
        output("%-12s %s", label, quantity_bytes(bytes, text));
    else
        output("%-12s %" PRIu64 " bytes (%s)", label, bytes, quantity_bytes(bytes, text));
}

static void print_bytes(const char *label, uint64_t bytes)
{
    put_bytes(label, bytes);
    output("\n");
}

/* Bytes, and which part of others they are. */
static void print_part(const char *label, uint64_t bytes, uint64_t whole, const char *of)
{
    char text[QUANTITY_ROOM];
    put_bytes(label, bytes);
    if (whole > 0)
        output(", %s of %s", quantity_percent(bytes, whole, text), of);
    output("\n");
}

static void print_time(int64_t time)
{
    int64_t seconds = time / 1000000000 - (time % 1000000000 < 0);
    time_t host = (time_t)seconds;
    struct tm parts;
    char text[64];
    if (host == seconds && gmtime_r(&host, &parts) && strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &parts) > 0)
        output("%-12s %s\n", "time", text);
    else
        output("%-12s %" PRId64 " seconds since 1970\n", "time", seconds);
}

static void print_features(const struct memfs_image_info *info)
{
    if ((info->features_incompatible | info->features_read_only_compatible | info->features_compatible) == 0)
        output("%-12s none\n", "features");
    else
        output("%-12s incompatible %#" PRIx64 ", read-only-compatible %#" PRIx64 ", compatible %#" PRIx64 "\n",
               "features", info->features_incompatible, info->features_read_only_compatible, info->features_compatible);
}

/* "nodes        1234: 1000 files, 200 directories, ..." with the types that occur. */
static void print_types(const struct memfs_image_info *info)
{
    output("%-12s %" PRIu64, "nodes", info->nodes);
    const char *separator = ": ";
    for (int i = 0; i < TYPES; i++) {
        if (info->types[i] == 0)
            continue;
        output("%s%" PRIu64 " %s", separator, info->types[i], info->types[i] == 1 ? types[i].one : types[i].many);
        separator = ", ";
    }
    output("\n");
}

static void print_origin(const char *name, const struct memfs_image_info *info)
{
    output("%-12s ", "image");
    output_name(name, strlen(name));
    output("\n%-12s %u.%u\n", "format", info->format_major, info->format_minor);
    output("%-12s %" PRIu32 "\n", "generation", info->generation);
    print_features(info);
    if (info->has_time)
        print_time(info->time);
    if (info->message[0] != '\0') {
        output("%-12s ", "message");
        output_name(info->message, strlen(info->message));
        output("\n");
    }
}

void summary_print(const char *name, const struct memfs_image_info *info)
{
    char text[QUANTITY_ROOM];
    print_origin(name, info);
    print_types(info);
    output("%-12s %" PRIu64 "\n", "entries", info->entries);
    if (further_names(info) > 0)
        output("%-12s %" PRIu64 " further names of files\n", "hard links", further_names(info));
    print_bytes("contents", info->content_bytes);
    print_part("holes", difference(info->content_bytes, info->data_bytes), info->content_bytes, "the contents");
    print_bytes("data", info->data_bytes);
    print_part("shared", difference(info->data_bytes, info->raw_bytes), info->data_bytes, "the data");
    print_bytes("unique data", info->raw_bytes);
    print_part("stored data", info->stored_bytes, info->raw_bytes, "the unique data");
    print_part("tables", difference(info->image_bytes, info->stored_bytes), info->image_bytes, "the image");
    print_bytes("image size", info->image_bytes);
    if (info->data_bytes > 0)
        output("%-12s %s of the data\n", "ratio", quantity_percent(info->image_bytes, info->data_bytes, text));
    output("%-12s %" PRIu64 " of up to %s\n", "blocks", info->blocks, quantity_bytes(info->block_size, text));
}

/* ---- As JSON ------------------------------------------------------------------------ */

static void json_features(const struct memfs_image_info *info, struct json *json)
{
    json_open(json, "features", 0);
    json_unsigned(json, "incompatible", info->features_incompatible);
    json_unsigned(json, "read_only_compatible", info->features_read_only_compatible);
    json_unsigned(json, "compatible", info->features_compatible);
    json_close(json, 0);
}

static void json_types(const struct memfs_image_info *info, struct json *json)
{
    json_open(json, "types", 0);
    for (int i = 0; i < TYPES; i++)
        json_unsigned(json, types[i].key, info->types[i]);
    json_close(json, 0);
}

void summary_json(const char *name, const struct memfs_image_info *info, struct json *json)
{
    char format[32];
    snprintf(format, sizeof format, "%u.%u", info->format_major, info->format_minor);
    json_text(json, "image", name);
    json_text(json, "format", format);
    json_unsigned(json, "generation", info->generation);
    json_features(info, json);
    if (info->has_time)
        json_time(json, "time", info->time);
    if (info->message[0] != '\0')
        json_text(json, "message", info->message);
    json_unsigned(json, "nodes", info->nodes);
    json_types(info, json);
    json_unsigned(json, "entries", info->entries);
    json_unsigned(json, "content_bytes", info->content_bytes);
    json_unsigned(json, "data_bytes", info->data_bytes);
    json_unsigned(json, "unique_bytes", info->raw_bytes);
    json_unsigned(json, "stored_bytes", info->stored_bytes);
    json_unsigned(json, "image_bytes", info->image_bytes);
    json_unsigned(json, "blocks", info->blocks);
    json_unsigned(json, "block_size", info->block_size);
}
