#include "commands.h"
#include "input.h"
#include "message.h"
#include "output.h"
#include "quantity.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

static const struct option_row rows[] = {{.name = NULL}};

static void print_bytes(const char *label, uint64_t bytes)
{
    char text[QUANTITY_ROOM];
    if (bytes < 1024)
        output("%-12s %" PRIu64 " bytes\n", label, bytes);
    else
        output("%-12s %" PRIu64 " bytes (%s)\n", label, bytes, quantity_bytes(bytes, text));
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
    static const char *const one[] = {"file",   "directory",        "symbolic link", "FIFO",
                                      "socket", "character device", "block device"};
    static const char *const many[] = {"files",   "directories",       "symbolic links", "FIFOs",
                                       "sockets", "character devices", "block devices"};
    output("%-12s %" PRIu64, "nodes", info->nodes);
    const char *separator = ": ";
    for (int i = 0; i < 7; i++) {
        if (info->types[i] == 0)
            continue;
        output("%s%" PRIu64 " %s", separator, info->types[i], info->types[i] == 1 ? one[i] : many[i]);
        separator = ", ";
    }
    output("\n");
}

static void print_info(const char *name, const struct memfs_image_info *info)
{
    char text[QUANTITY_ROOM];
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
    print_types(info);
    output("%-12s %" PRIu64 "\n", "entries", info->entries);
    print_bytes("contents", info->content_bytes);
    print_bytes("data", info->data_bytes);
    print_bytes("unique data", info->raw_bytes);
    print_bytes("stored data", info->stored_bytes);
    print_bytes("image size", info->image_bytes);
    if (info->data_bytes > 0)
        output("%-12s %s of the data\n", "ratio", quantity_percent(info->image_bytes, info->data_bytes, text));
    output("%-12s %" PRIu64 " of up to %s\n", "blocks", info->blocks, quantity_bytes(info->block_size, text));
}

static int run(int argc, char **argv)
{
    int first;
    int code = options_parse(&command_info, argc, argv, NULL, &first);
    if (code >= 0)
        return code;
    struct input input;
    code = input_open(&input, argv[first], 0);
    if (code != EXIT_DONE)
        return code;
    struct memfs_image_info info;
    int result = memfs_image_info(input.image, &info);
    if (result == 0)
        print_info(input.name, &info);
    else
        code = input_error(&input, NULL, result);
    input_close(&input);
    return message_worse(code, output_finish());
}

const struct command command_info = {
    .name = "info",
    .operands = "IMAGE",
    .summary = "show what an image is made of",
    .about = "Shows version, counts and sizes of IMAGE ('-': standard input). Entries are the names in\n"
             "directories; a node may have several. Contents are all bytes of all files, data those\n"
             "that are not holes, unique data what is left after equal files and parts were stored once, stored\n"
             "data that compressed.\n",
    .examples = "  memfs info photos.mfs\n",
    .options = rows,
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
