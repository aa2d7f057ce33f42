#include "list/label.h"

#include "output/color.h"
#include "output/message.h"
#include "output/output.h"
#include "output/width.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int labels_start(struct labels *labels, const struct input *input, int classify, int targets)
{
    labels->input = input;
    labels->classify = classify;
    labels->colored = color_is_on();
    labels->follow = classify && targets;
    labels->width = width_of_terminal();
    if (!labels->colored)
        return EXIT_DONE;
    int result = ls_colors_parse(&labels->colors, getenv("LS_COLORS"));
    if (result == -EINVAL) {
        message("LS_COLORS", NULL, "cannot be read, so nothing is coloured; 'dircolors' makes one");
        labels->colored = 0;
        return EXIT_DONE;
    }
    if (result != 0)
        return message_error("LS_COLORS", NULL, result, NULL);
    const struct ls_colors *colors = &labels->colors;
    struct memfs_image_info info;
    memfs_image_info(input->image, &info);
    labels->capabilities = info.xattrs > 0 && ls_colors_has(colors, LS_CAPABLE);
    labels->follow |= ls_colors_has(colors, LS_ORPHAN) || (targets && ls_colors_has(colors, LS_MISSING)) ||
                      (colors->links_as_targets && ls_colors_has(colors, LS_EXECUTABLE));
    return EXIT_DONE;
}

void labels_free(struct labels *labels)
{
    ls_colors_free(&labels->colors);
    buffer_free(&labels->path);
}

/* ---- What is known of an entry ------------------------------------------------ */

static uint32_t type_of(const struct label *label)
{
    return label->row->stat.mode & MEMFS_IFMT;
}

/* The mode of what a symbolic link leads to; 0: nothing, or nothing that can be reached. */
static uint32_t target_mode(struct labels *labels, const char *directory, const struct directory_row *row)
{
    struct memfs_stat stat;
    if (directory_path(&labels->path, directory, row) != 0)
        return 0;
    return memfs_stat(labels->input->fs, NULL, labels->path.data, &stat) == 0 ? stat.mode : 0;
}

struct label label_of(struct labels *labels, const char *directory, const struct directory_row *row)
{
    struct label label = {.row = row};
    const uint32_t type = row->stat.mode & MEMFS_IFMT;
    if (type == MEMFS_IFLNK && labels->follow)
        label.link_mode = target_mode(labels, directory, row);
    label.leads = label.link_mode != 0;
    if (type == MEMFS_IFREG && labels->capabilities) {
        const int64_t length =
            memfs_node_getxattr(labels->input->fs, NULL, row->stat.node, "security.capability", NULL, 0);
        label.capable = length >= 0 ? 1 : length == -ENODATA ? 0 : (int)length;
    }
    return label;
}

/* The sign behind a name; NUL: none. */
static char sign_of(uint32_t mode)
{
    switch (mode & MEMFS_IFMT) {
    case MEMFS_IFREG:
        return mode & 0111u ? '*' : '\0';
    case MEMFS_IFDIR:
        return '/';
    case MEMFS_IFLNK:
        return '@';
    case MEMFS_IFIFO:
        return '|';
    case MEMFS_IFSOCK:
        return '=';
    default:
        return '\0';
    }
}

/* A path may end with the sign of a directory. */
static char sign_behind(const struct labels *labels, const struct directory_row *row)
{
    const int there = row->name_length > 0 && row->name[row->name_length - 1] == '/';
    return labels->classify && !there ? sign_of(row->stat.mode) : '\0';
}

size_t label_width(const struct labels *labels, const struct directory_row *row)
{
    return output_name_width(row->name, row->name_length) + (sign_behind(labels, row) != '\0');
}

/* ---- Writing ------------------------------------------------------------------ */

static void put_code(const struct ls_code *code)
{
    output_text(code->bytes, code->length);
}

/* The codes of a colour are enclosed by two others. */
static void put_color(const struct labels *labels, const struct ls_code *code)
{
    put_code(&labels->colors.codes[LS_LEFT]);
    put_code(code);
    put_code(&labels->colors.codes[LS_RIGHT]);
}

static void end_color(const struct labels *labels)
{
    if (labels->colors.codes[LS_END].bytes)
        put_code(&labels->colors.codes[LS_END]);
    else
        put_color(labels, &labels->colors.codes[LS_RESET]);
}

/* Whatever colour the terminal had ends before the first of ours. */
static void begin_color(struct labels *labels, const struct ls_code *code)
{
    if (!labels->started)
        end_color(labels);
    labels->started = 1;
    put_color(labels, code);
}

/* Codes that are not a terminal's own may need an end, as ls sees it. */
void labels_end(const struct labels *labels)
{
    const struct ls_code *left = &labels->colors.codes[LS_LEFT], *right = &labels->colors.codes[LS_RIGHT];
    const int usual =
        left->length == 2 && memcmp(left->bytes, "\033[", 2) == 0 && right->length == 1 && right->bytes[0] == 'm';
    if (!labels->started || usual)
        return;
    put_code(left);
    put_code(right);
}

static int has_normal(const struct labels *labels)
{
    return ls_colors_has(&labels->colors, LS_NORMAL);
}

void labels_put_normal(struct labels *labels)
{
    if (labels->colored && has_normal(labels))
        begin_color(labels, &labels->colors.codes[LS_NORMAL]);
}

/* A name in the colour of what it names; before it, start bytes stand in the line. */
static void put_painted(struct labels *labels, const struct ls_thing *thing, size_t start)
{
    const struct ls_code none = {"", 0}, *code = ls_colors_choose(&labels->colors, thing);
    const size_t end = start + thing->name_length - (thing->name_length > 0);
    if (code && has_normal(labels))
        begin_color(labels, &none);
    if (code)
        begin_color(labels, code);
    output_name(thing->name, thing->name_length);
    if (!code && !has_normal(labels))
        return;
    end_color(labels);
    if (start / labels->width != end / labels->width) /* it may have coloured the rest of a line */
        put_code(&labels->colors.codes[LS_CLEAR_TO_END]);
}

static void put_name(struct labels *labels, const struct label *label, size_t start)
{
    const struct directory_row *row = label->row;
    if (!labels->colored) {
        output_name(row->name, row->name_length);
        return;
    }
    const struct ls_thing thing = {.name = row->name,
                                   .name_length = row->name_length,
                                   .mode = row->stat.mode,
                                   .nlink = row->stat.nlink,
                                   .capable = label->capable > 0,
                                   .leads = label->leads,
                                   .link_mode = label->link_mode};
    put_painted(labels, &thing, start);
}

static void put_sign(char sign)
{
    if (sign != '\0')
        output_text(&sign, 1);
}

void label_put(struct labels *labels, const struct label *label, size_t start)
{
    put_name(labels, label, start);
    put_sign(sign_behind(labels, label->row));
}

int label_put_with_target(struct labels *labels, const struct label *label, size_t start)
{
    if (type_of(label) != MEMFS_IFLNK) {
        label_put(labels, label, start);
        return 0;
    }
    char target[MEMFS_TARGET_MAX + 1];
    put_name(labels, label, start);
    const int64_t got = memfs_node_readlink(labels->input->fs, label->row->stat.node, target, sizeof target);
    if (got < 0)
        return (int)got;
    const size_t length = (size_t)got < sizeof target ? (size_t)got : sizeof target;
    output(" -> ");
    if (labels->colored) {
        const struct ls_thing thing = {.name = target,
                                       .name_length = length,
                                       .mode = label->link_mode,
                                       .nlink = label->row->stat.nlink,
                                       .missing = !label->leads};
        put_painted(labels, &thing, start + label->row->name_length + 4);
    } else {
        output_name(target, length);
    }
    put_sign(labels->classify ? sign_of(label->link_mode) : '\0');
    return 0;
}
