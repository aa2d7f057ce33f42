#include "backing.h"
#include "zeros.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What is being checked, for messages. */
struct check {
    const struct memfs_backing *backing;
    struct memfs_detail *detail;
    const char *what;
    uint64_t number; /* of the record */
};

static int wrong(const struct check *check, const char *format, ...)
{
    if (!check->detail)
        return MEMFS_ECORRUPT;
    struct memfs_detail *detail = check->detail;
    detail->error = MEMFS_ECORRUPT;
    detail->offset = UINT64_MAX;
    int used = snprintf(detail->text, sizeof detail->text, "%s %llu: ", check->what, (unsigned long long)check->number);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(detail->text + used, sizeof detail->text - (size_t)used, format, arguments);
    va_end(arguments);
    return MEMFS_ECORRUPT;
}

/* Is [first, first + count) within a table of `all`? */
static int in_table(uint64_t first, uint64_t count, uint64_t all)
{
    return first <= all && count <= all - first;
}

/* The same of a run; one of nothing has one form only, and begins at 0. */
static int is_run(uint64_t first, uint64_t count, uint64_t all)
{
    return count ? in_table(first, count, all) : first == 0;
}

/* ---- Nodes ---- */

static int check_dir(const struct check *check, const struct memfs_node_record *node)
{
    const struct memfs_backing *backing = check->backing;
    int is_root = check->number == 1;
    if (!is_run(node->run.first, node->run.count, backing->count[MEMFS_ENTRIES]))
        return wrong(check, "its entries are beyond the end of the table, or none but somewhere");
    if (is_root)
        return node->up.parent || node->up.entry ? wrong(check, "the root has a parent") : 0;
    if (node->up.parent == 0 || node->up.parent >= backing->count[MEMFS_NODES])
        return wrong(check, "its parent %u does not exist", node->up.parent);
    if (node->up.entry >= backing->count[MEMFS_ENTRIES])
        return wrong(check, "its entry %u does not exist", node->up.entry);
    return 0;
}

static int check_target(const struct check *check, const struct memfs_node_record *node)
{
    if (node->size == 0 || node->size > MEMFS_TARGET_MAX)
        return wrong(check, "its target has %llu bytes", (unsigned long long)node->size);
    if (!in_table(node->target, node->size, check->backing->count[MEMFS_BLOBS]) ||
        (node->target & (MEMFS_BLOB_BYTES - 1)) + node->size > MEMFS_BLOB_BYTES)
        return wrong(check, "its target is outside of the heap");
    return 0;
}

static int check_file(const struct check *check, const struct memfs_node_record *node)
{
    if (node->size > (uint64_t)MEMFS_SIZE_MAX)
        return wrong(check, "its size is negative");
    if (!is_run(node->extents.first, node->extents.count, check->backing->count[MEMFS_EXTENTS]))
        return wrong(check, "its extents are beyond the end of the table, or none but somewhere");
    if (node->extents.count > node->size) /* each has a byte, and they do not overlap */
        return wrong(check, "it has more extents than bytes");
    return 0;
}

static int check_by_type(const struct check *check, const struct memfs_node_record *node)
{
    switch (node->mode & MEMFS_IFMT) {
    case MEMFS_IFDIR:
        return check_dir(check, node);
    case MEMFS_IFLNK:
        return check_target(check, node);
    case MEMFS_IFREG:
        return check_file(check, node);
    case MEMFS_IFCHR:
    case MEMFS_IFBLK:
        return node->size ? wrong(check, "a device has a size") : 0;
    case MEMFS_IFIFO:
    case MEMFS_IFSOCK:
        return node->size || node->target ? wrong(check, "unused fields are not zero") : 0;
    default:
        return wrong(check, "unknown type %o", node->mode);
    }
}

static int check_node(const struct check *check, const struct memfs_node_record *node)
{
    if (check->number == 0)
        return memfs_all_zero((const uint8_t *)node, sizeof *node) ? 0 : wrong(check, "is reserved, but in use");
    if (node->mode & ~MEMFS_MODE_BITS)
        return wrong(check, "unknown mode %o", node->mode);
    if (node->nlink == 0)
        return wrong(check, "has no links");
    if (node->xattrs > check->backing->count[MEMFS_XATTRS])
        return wrong(check, "its attributes are beyond the end of the table");
    if (check->number == 1 && (node->mode & MEMFS_IFMT) != MEMFS_IFDIR)
        return wrong(check, "the root is not a directory");
    return check_by_type(check, node);
}

/* ---- Entries ---- */

static int check_entry(const struct check *check, const void *chunk, size_t bytes, const struct memfs_entry *entry,
                       const struct memfs_entry *previous)
{
    const struct memfs_backing *backing = check->backing;
    if (entry->node < 2 || entry->node >= backing->count[MEMFS_NODES])
        return wrong(check, "its node %u does not exist", entry->node);
    if (!in_table(entry->name, entry->length, bytes))
        return wrong(check, "its name is outside of the chunk");
    const char *name = memfs_entry_name(chunk, entry);
    if (!memfs_name_ok(name, entry->length))
        return wrong(check, "its name is not a legal one");
    if (entry->prefix != memfs_name_prefix(name, entry->length))
        return wrong(check, "its prefix is not that of its name");
    /* FIFO 1, character 2, directory 4, block 6, regular 8, link 10, socket 12 */
    if (entry->type > 12 || !(0x1556u >> entry->type & 1))
        return wrong(check, "unknown type %u", entry->type);
    if (entry->starts_run > 1 || entry->reserved)
        return wrong(check, "unknown flags");
    if (check->number == 0 && !entry->starts_run)
        return wrong(check, "starts no run");
    if (previous && !entry->starts_run &&
        memfs_name_compare(memfs_entry_name(chunk, previous), previous->length, name, entry->length) >= 0)
        return wrong(check, "its name does not follow the one before it");
    return 0;
}

/* ---- Extents, attributes ---- */

static int check_extent(const struct check *check, const struct memfs_extent *extent)
{
    if (extent->length == 0 || extent->length > (uint64_t)MEMFS_SIZE_MAX ||
        extent->offset > (uint64_t)MEMFS_SIZE_MAX - extent->length)
        return wrong(check, "is empty, or beyond the largest file");
    if (extent->block >= check->backing->blocks)
        return wrong(check, "its block %u does not exist", extent->block);
    return 0;
}

static int in_heap(const struct memfs_backing *backing, uint64_t offset, uint64_t length)
{
    return in_table(offset, length, backing->count[MEMFS_BLOBS]) &&
           (offset & (MEMFS_BLOB_BYTES - 1)) + length <= MEMFS_BLOB_BYTES;
}

static int check_xattr(const struct check *check, const struct memfs_xattr *xattr)
{
    if (xattr->name_length == 0 || !in_heap(check->backing, xattr->name, xattr->name_length))
        return wrong(check, "its name is outside of the heap");
    if (xattr->value_length > MEMFS_XATTR_MAX || !in_heap(check->backing, xattr->value, xattr->value_length))
        return wrong(check, "its value is outside of the heap");
    if (xattr->value_length == 0 && xattr->value)
        return wrong(check, "an empty value has a place");
    if (xattr->last > 1 || xattr->reserved)
        return wrong(check, "unknown flags");
    if (check->number + 1 == check->backing->count[MEMFS_XATTRS] && !xattr->last)
        return wrong(check, "the last set does not end");
    return 0;
}

static int check_record(const struct check *check, enum memfs_table table, const void *records, size_t i, size_t bytes)
{
    const struct memfs_entry *entries = records;
    switch (table) {
    case MEMFS_NODES:
        return check_node(check, (const struct memfs_node_record *)records + i);
    case MEMFS_ENTRIES:
        return check_entry(check, records, bytes, &entries[i], i ? &entries[i - 1] : NULL);
    case MEMFS_EXTENTS:
        return check_extent(check, (const struct memfs_extent *)records + i);
    case MEMFS_XATTRS:
        return check_xattr(check, (const struct memfs_xattr *)records + i);
    default:
        return 0;
    }
}

int memfs_check_chunk(const struct memfs_backing *backing, enum memfs_table table, uint64_t chunk, const void *records,
                      size_t count, size_t bytes, struct memfs_detail *detail)
{
    static const char *const names[] = {"node", "entry", "extent", "attribute"};
    if (table > MEMFS_XATTRS)
        return 0;
    struct check check = {.backing = backing, .detail = detail, .what = names[table]};
    for (size_t i = 0; i < count; i++) {
        check.number = (chunk << MEMFS_CHUNK_SHIFT) + i;
        int r = check_record(&check, table, records, i, bytes);
        if (r)
            return r;
    }
    return 0;
}
