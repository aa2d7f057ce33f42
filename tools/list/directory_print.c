#include "list/directory_print.h"

#include "output/json_node.h"
#include "output/line.h"
#include "output/message.h"
#include "output/output.h"

#include <stdio.h>

static void fail(struct directory_print *print, const char *path, int error)
{
    print->code = message_worse(print->code, input_error(print->labels.input, path, error));
}

static void fail_at(struct directory_print *print, const char *directory, const struct directory_row *row, int error)
{
    fail(print, directory_path(&print->path, directory, row) == 0 ? print->path.data : row->name, error);
}

static void print_long(struct directory_print *print, const struct directory *directory, const char *path)
{
    int result = long_format_measure(&print->form, directory);
    if (result != 0) {
        fail(print, path, result);
        return;
    }
    for (size_t i = 0; i < directory->count; i++) {
        const struct directory_row *row = &directory->rows[i];
        const struct label label = label_of(&print->labels, path, row);
        result = long_format_error(&print->form, i);
        if (result != 0 || label.capable < 0)
            fail_at(print, path, row, result != 0 ? result : label.capable);
        labels_put_normal(&print->labels);
        const size_t start = long_format_put(&print->form, directory, i);
        result = label_put_with_target(&print->labels, &label, start);
        if (result != 0)
            fail_at(print, path, row, result);
        if (output_text("\n", 1))
            return;
    }
}

/* Digits of the inodes' numbers; 0 if they are not shown. */
static int inode_width(const struct directory_print *print, const struct directory *directory)
{
    int width = 0;
    for (size_t i = 0; i < directory->count && print->form.inode; i++) {
        const int digits = line_digits(directory_inode(&directory->rows[i].stat));
        if (digits > width)
            width = digits;
    }
    return width;
}

static void put_inode(const struct memfs_stat *stat, int width)
{
    struct line line;
    line.length = 0;
    line_number(&line, directory_inode(stat), width, ' ');
    line_char(&line, ' ');
    output_text(line.text, line.length);
}

static void print_name(struct directory_print *print, const char *path, const struct directory_row *row, int inodes,
                       size_t start)
{
    const struct label label = label_of(&print->labels, path, row);
    if (label.capable < 0)
        fail_at(print, path, row, label.capable);
    labels_put_normal(&print->labels);
    if (inodes > 0)
        put_inode(&row->stat, inodes);
    label_put(&print->labels, &label, start);
}

static void print_lines(struct directory_print *print, const struct directory *directory, const char *path)
{
    const int inodes = inode_width(print, directory);
    for (size_t i = 0; i < directory->count; i++) {
        print_name(print, path, &directory->rows[i], inodes, 0);
        if (output_text("\n", 1))
            return;
    }
}

static int arrange(struct directory_print *print, const struct directory *directory, int inodes)
{
    print->widths.length = 0;
    int result = buffer_reserve(&print->widths, directory->count * sizeof(size_t));
    if (result != 0)
        return result;
    size_t *widths = (size_t *)(void *)print->widths.data;
    for (size_t i = 0; i < directory->count; i++)
        widths[i] = label_width(&print->labels, &directory->rows[i]) + (inodes > 0 ? (size_t)inodes + 1 : 0);
    return grid_arrange(&print->grid, widths, directory->count, print->labels.width);
}

static void print_line_of_columns(struct directory_print *print, const struct directory *directory, const char *path,
                                  size_t first, int inodes)
{
    const size_t *widths = (const size_t *)(const void *)print->widths.data;
    const struct grid *grid = &print->grid;
    size_t start = 0;
    for (size_t i = first, column = 0; i < directory->count; i += grid->rows, column++) {
        if (column > 0)
            output("%*s", (int)(grid->widths[column - 1] - widths[i - grid->rows]), "");
        print_name(print, path, &directory->rows[i], inodes, start);
        start += grid->widths[column];
    }
}

static void print_columns(struct directory_print *print, const struct directory *directory, const char *path)
{
    const int inodes = inode_width(print, directory);
    int result = arrange(print, directory, inodes);
    if (result != 0) {
        fail(print, path, result);
        return;
    }
    for (size_t row = 0; row < print->grid.rows; row++) {
        print_line_of_columns(print, directory, path, row, inodes);
        if (output_text("\n", 1))
            return;
    }
}

static int print_object(struct directory_print *print, const char *directory, const struct directory_row *row)
{
    int result = directory_path(&print->path, directory, row);
    if (result != 0)
        return result;
    struct json json = json_begin(stdout);
    json_path(&json, print->path.data, print->path.length);
    result = json_node(&json, print->labels.input->fs, &row->stat);
    json_end(&json);
    return result;
}

static void print_json(struct directory_print *print, const struct directory *directory, const char *path)
{
    for (size_t i = 0; i < directory->count && !output_failed(); i++) {
        int result = print_object(print, path, &directory->rows[i]);
        if (result != 0)
            fail_at(print, path, &directory->rows[i], result);
    }
}

int directory_print(struct directory_print *print, const struct directory *directory, const char *path)
{
    static void (*const layouts[])(struct directory_print *, const struct directory *, const char *) = {
        [LAYOUT_LINES] = print_lines,
        [LAYOUT_LONG] = print_long,
        [LAYOUT_COLUMNS] = print_columns,
        [LAYOUT_JSON] = print_json,
    };
    layouts[print->layout](print, directory, path);
    return output_failed();
}

void directory_print_free(struct directory_print *print)
{
    labels_free(&print->labels);
    long_format_free(&print->form);
    grid_free(&print->grid);
    buffer_free(&print->widths);
    buffer_free(&print->path);
}
