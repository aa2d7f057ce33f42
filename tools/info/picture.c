#include "info/picture.h"

#include "info/summary.h"

#include <errno.h>
#include <string.h>

#define NODES_MOST 5000 /* of the tree that is shown */

/* info.html, which has the mark once, where the figures go. */
static const unsigned char page[] = {
#include "info.html.inc"
    0};
static const char mark[] = "@FIGURES@";

/* One row a node, in short keys, since there are thousands: number of the parent (each row's
 * number is its place), name, 1 for a directory, size, what is stored for it, files; and the same of what is in
 * a directory but has no row: how many entries, their size and so on. */
static void json_node(struct json *json, const struct outline *outline, const struct outline_node *node)
{
    json_open(json, NULL, 0);
    json_unsigned(json, "p", node->parent);
    json_bytes(json, "n", outline->names.data + node->name, node->name_length);
    if (node->is_directory)
        json_unsigned(json, "d", 1);
    json_unsigned(json, "s", node->weight.size);
    json_unsigned(json, "t", node->weight.stored);
    json_unsigned(json, "f", node->weight.files);
    if (node->others > 0) {
        json_unsigned(json, "on", node->others);
        json_unsigned(json, "os", node->others_weight.size);
        json_unsigned(json, "ot", node->others_weight.stored);
        json_unsigned(json, "of", node->others_weight.files);
    }
    json_close(json, 0);
}

static int put_figures(struct json *json, const struct input *input, const struct storage *storage,
                       struct census *census, uint64_t extensions)
{
    struct memfs_image_info info;
    memfs_image_info(input->image, &info);
    int result = outline_reduce(&census->outline, NODES_MOST);
    if (result != 0)
        return result;
    json_text(json, "memfs", MEMFS_VERSION);
    summary_json(input->name, &info, json);
    storage_json(storage, json);
    extensions_json(&census->extensions, extensions, json);
    result = largest_json(&census->largest, input->fs, json);
    json_open(json, "tree", 1);
    for (size_t i = 0; i < census->outline.count; i++)
        json_node(json, &census->outline, outline_node(&census->outline, i));
    json_close(json, 1);
    return result;
}

/* Some of info.html. */
static void put_text(FILE *stream, const char *text, size_t length, int *failed)
{
    if (fwrite(text, 1, length, stream) != length && *failed == 0)
        *failed = errno != 0 ? errno : EIO;
}

int picture_write(FILE *stream, const struct input *input, const struct storage *storage, struct census *census,
                  uint64_t extensions, int *failed)
{
    const char *text = (const char *)page, *at = strstr(text, mark);
    *failed = 0;
    put_text(stream, text, (size_t)(at - text), failed);
    struct json json = json_begin(stream);
    json.in_page = 1;
    json.error = *failed;
    const int result = put_figures(&json, input, storage, census, extensions);
    json_end(&json);
    *failed = json.error;
    put_text(stream, at + strlen(mark), strlen(at + strlen(mark)), failed);
    return result;
}
