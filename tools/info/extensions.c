#include "info/extensions.h"

#include "output/output.h"
#include "values/quantity.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_MAX 8192
#define SLOTS 32768 /* a power of two */

int extensions_begin(struct extensions *extensions)
{
    memset(extensions, 0, sizeof *extensions);
    extensions->rows = calloc(ROWS_MAX, sizeof *extensions->rows);
    extensions->slots = calloc(SLOTS, sizeof *extensions->slots);
    if (extensions->rows && extensions->slots)
        return 0;
    extensions_free(extensions);
    return -ENOMEM;
}

static int lower(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A' + 'a';
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '+' || c == '-' ? c : '\0';
}

/* What stands behind the last dot, if that is not the first byte. */
static void take_extension(const char *name, size_t length, char text[EXTENSION_MAX + 1])
{
    size_t at = length, count = 0;
    memset(text, 0, EXTENSION_MAX + 1);
    while (at > 0 && name[at - 1] != '.')
        at--;
    if (at < 2 || length - at > EXTENSION_MAX)
        return;
    for (; at < length; at++) {
        const int c = lower(name[at]);
        if (c == '\0') {
            memset(text, 0, EXTENSION_MAX + 1);
            return;
        }
        text[count++] = (char)c;
    }
}

/* FNV-1a. */
static uint32_t hash_of(const char *text)
{
    uint32_t hash = 2166136261u;
    for (; *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * 16777619u;
    return hash ^ hash >> 15;
}

/* The row of an extension, made if there is room; else that of all others. There are always
 * free slots. */
static struct extension *row_of(struct extensions *extensions, const char *text)
{
    uint32_t slot = hash_of(text) & (SLOTS - 1);
    for (; extensions->slots[slot] != 0; slot = (slot + 1) & (SLOTS - 1)) {
        struct extension *row = &extensions->rows[extensions->slots[slot] - 1];
        if (strcmp(row->text, text) == 0)
            return row;
    }
    if (extensions->count == ROWS_MAX)
        return &extensions->others;
    struct extension *row = &extensions->rows[extensions->count++];
    memcpy(row->text, text, sizeof row->text);
    extensions->slots[slot] = (uint16_t)extensions->count;
    return row;
}

void extensions_add(struct extensions *extensions, const char *name, size_t length, const struct weight *weight)
{
    char text[EXTENSION_MAX + 1];
    take_extension(name, length, text);
    weight_add(&row_of(extensions, text)->weight, weight);
}

static int compare(const void *a, const void *b)
{
    const struct extension *left = a, *right = b;
    if (left->weight.size != right->weight.size)
        return left->weight.size > right->weight.size ? -1 : 1;
    if (left->weight.files != right->weight.files)
        return left->weight.files > right->weight.files ? -1 : 1;
    return strcmp(left->text, right->text);
}

void extensions_sort(struct extensions *extensions)
{
    if (extensions->count > 1)
        qsort(extensions->rows, extensions->count, sizeof *extensions->rows, compare);
}

/* All behind the first `most`. */
static struct weight rest_of(const struct extensions *extensions, uint64_t most)
{
    struct weight rest = extensions->others.weight;
    for (uint64_t i = most; i < extensions->count; i++)
        weight_add(&rest, &extensions->rows[i].weight);
    return rest;
}

static void print_row(const char *dot, const char *text, const struct weight *weight)
{
    char size[QUANTITY_ROOM], stored[QUANTITY_ROOM];
    output("%12s  %12s  %10" PRIu64 "  %s%s\n", quantity_bytes(weight->size, size),
           quantity_bytes(weight->stored, stored), weight->files, dot, text);
}

void extensions_print(const struct extensions *extensions, uint64_t most)
{
    const struct weight rest = rest_of(extensions, most);
    output("%12s  %12s  %10s  %s\n", "size", "stored", "files", "extension");
    for (uint64_t i = 0; i < extensions->count && i < most; i++) {
        const struct extension *row = &extensions->rows[i];
        print_row(row->text[0] != '\0' ? "." : "none", row->text, &row->weight);
    }
    if (rest.files > 0)
        print_row("", "all others", &rest);
}

/* Without text: all others. */
static void json_row(struct json *json, const char *text, struct weight weight)
{
    json_open(json, NULL, 0);
    if (text)
        json_text(json, "extension", text);
    json_unsigned(json, "files", weight.files);
    json_unsigned(json, "size", weight.size);
    json_unsigned(json, "stored", weight.stored);
    json_close(json, 0);
}

void extensions_json(const struct extensions *extensions, uint64_t most, struct json *json)
{
    const struct weight rest = rest_of(extensions, most);
    json_open(json, "extensions", 1);
    for (uint64_t i = 0; i < extensions->count && i < most; i++)
        json_row(json, extensions->rows[i].text, extensions->rows[i].weight);
    if (rest.files > 0)
        json_row(json, NULL, rest);
    json_close(json, 1);
}

void extensions_free(struct extensions *extensions)
{
    free(extensions->rows);
    free(extensions->slots);
    memset(extensions, 0, sizeof *extensions);
}
