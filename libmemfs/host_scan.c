#define _GNU_SOURCE
#include "host_scan.h"

#include "retry.h"
#include "sized.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define VIEW_BYTES ((size_t)1 << 20)

static void destroy(memfs_backing *backing)
{
    struct memfs_scan *scan = (struct memfs_scan *)backing;
    struct memfs_allocator allocator = scan->allocator;
    memfs_scan_files_end(&scan->files);
    memfs_host_trail_end(&scan->trail);
    memfs_scan_sources_free(&scan->sources);
    memfs_scan_tables_free(&scan->tables);
    memfs_epochs_destroy(&scan->epochs);
    memfs_free(&allocator, scan, sizeof *scan);
}

static const void *peek(memfs_backing *backing, enum memfs_table table, uint64_t chunk)
{
    return memfs_scan_chunk(&((struct memfs_scan *)backing)->tables, table, chunk);
}

/* Everything is resident, so a pin has nothing to hold. */
static int load(memfs_backing *backing, enum memfs_table table, uint64_t chunk, struct memfs_pin *pin)
{
    *pin = (struct memfs_pin){0};
    return peek(backing, table, chunk) ? 0 : MEMFS_ECORRUPT;
}

static int read_file(memfs_backing *backing, uint32_t block, uint64_t start, void *buffer, size_t length)
{
    return memfs_scan_files_read(&((struct memfs_scan *)backing)->files, block, start, buffer, length);
}

static int view_file(memfs_backing *backing, uint32_t block, uint64_t start, size_t length, const void **data,
                     size_t *got, struct memfs_pin *pin)
{
    struct memfs_scan *scan = (struct memfs_scan *)backing;
    size_t size = length < VIEW_BYTES ? length : VIEW_BYTES;
    *pin = (struct memfs_pin){0};
    void *buffer = memfs_alloc(&scan->allocator, size);
    if (!buffer)
        return -ENOMEM;
    int error = memfs_scan_files_read(&scan->files, block, start, buffer, size);
    if (error) {
        memfs_free(&scan->allocator, buffer, size);
        return error;
    }
    *data = buffer;
    *got = size;
    pin->object = buffer;
    pin->private[0] = size;
    return 0;
}

static int64_t seek_data(memfs_backing *backing, uint32_t block, uint64_t start, uint64_t length)
{
    return memfs_scan_files_seek(&((struct memfs_scan *)backing)->files, block, start, length);
}

static void unpin(memfs_backing *backing, struct memfs_pin *pin)
{
    memfs_free(&((struct memfs_scan *)backing)->allocator, pin->object, (size_t)pin->private[0]);
    *pin = (struct memfs_pin){0};
}

static const struct memfs_backing_ops scan_ops = {
    .destroy = destroy,
    .peek = peek,
    .load = load,
    .read = read_file,
    .view = view_file,
    .seek_data = seek_data,
    .unpin = unpin,
};

static uint32_t tree_parent(void *context, uint32_t directory)
{
    const struct memfs_scan *scan = context;
    return memfs_scan_node(&scan->tables, directory)->up.parent;
}

static size_t tree_name(void *context, uint32_t directory, char name[MEMFS_NAME_MAX + 1])
{
    const struct memfs_scan *scan = context;
    const char *text = NULL;
    const struct memfs_entry *entry =
        memfs_scan_entry(&scan->tables, memfs_scan_node(&scan->tables, directory)->up.entry, &text);
    memcpy(name, text, entry->length);
    name[entry->length] = '\0';
    return entry->length;
}

/* Of several sources: those in the root are opened by their paths. */
static int tree_open(void *context, uint32_t directory, int parent)
{
    const struct memfs_scan *scan = context;
    const struct memfs_node_record *node = memfs_scan_node(&scan->tables, directory);
    char name[MEMFS_NAME_MAX + 1];
    if (node->up.parent != MEMFS_ROOT) {
        tree_name(context, directory, name);
        return memfs_host_open_directory(parent, name);
    }
    const uint32_t place = node->up.entry;
    int above = memfs_scan_sources_enter(&scan->sources, place, parent);
    int fd = above < 0 ? above : memfs_host_open_directory(above, scan->sources.places[place].base);
    memfs_scan_sources_leave(above, parent);
    return fd;
}

/* Says what the tables hold, and makes the contents readable. Whoever is to write
 * the image may need the descriptors before anyone reads. */
static int publish(struct memfs_scan *scan)
{
    int error = memfs_scan_tables_finish(&scan->tables);
    memfs_host_trail_rewind(&scan->trail);
    if (!error)
        error = memfs_scan_files_init(&scan->files, &scan->tables, &scan->sources, &scan->trail);
    if (error)
        return error;
    memfs_backing *backing = &scan->backing;
    backing->count[MEMFS_NODES] = scan->tables.nodes.count;
    backing->count[MEMFS_ENTRIES] = scan->tables.entries;
    backing->count[MEMFS_EXTENTS] = scan->tables.extents.count;
    backing->count[MEMFS_XATTRS] = scan->tables.xattrs.count;
    backing->count[MEMFS_BLOBS] = scan->tables.blobs.count;
    backing->blocks = scan->tables.files.count;
    backing->nodes_in_use = scan->tables.nodes.count - 1;
    return 0;
}

/* Takes over fd in any case. */
static int make(int fd, const struct memfs_allocator *allocator, struct memfs_scan **out)
{
    struct memfs_scan *scan = memfs_alloc_zeroed(allocator, sizeof *scan);
    int error = scan ? memfs_epochs_init(&scan->epochs) : -ENOMEM;
    if (error) {
        close(fd);
        memfs_free(allocator, scan, sizeof *scan);
        return error;
    }
    memfs_backing_init(&scan->backing, &scan_ops, &scan->epochs);
    scan->allocator = *allocator;
    scan->tree = (struct memfs_host_tree){
        .context = scan, .root = (uint32_t)MEMFS_ROOT, .parent = tree_parent, .name = tree_name};
    error = memfs_scan_tables_init(&scan->tables, allocator);
    if (!error)
        error = memfs_host_trail_begin(&scan->trail, allocator, &scan->tree, fd);
    if (error) {
        close(fd);
        destroy(&scan->backing);
        return error;
    }
    *out = scan;
    return 0;
}

static int fail(struct memfs_detail *detail, const char *path, int error)
{
    return memfs_host_fail_path(detail, path, error, "cannot be read as a directory");
}

/* Walks, and hands over what came of it; without success the scan is gone. */
static int finish(struct memfs_scan *scan, const struct memfs_scan_options *options, const char *path,
                  memfs_backing **out, struct memfs_detail *detail)
{
    int error = memfs_scan_walk(scan, options, detail);
    if (!error) {
        error = publish(scan);
        if (error)
            fail(detail, path, error);
    }
    if (error) {
        destroy(&scan->backing);
        return error;
    }
    *out = &scan->backing;
    return 0;
}

int memfs_host_scan(const char *path, const struct memfs_scan_options *options, memfs_backing **out,
                    struct memfs_detail *detail)
{
    struct memfs_scan_options chosen;
    int error = memfs_sized_take(&chosen, sizeof chosen, options, detail);
    if (error)
        return error;
    const struct memfs_allocator allocator = memfs_allocator_or_default(chosen.allocator);
    struct memfs_scan *scan = NULL;
    int fd;
    MEMFS_RETRY(fd, open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd < 0)
        return fail(detail, path, -errno);
    error = make(fd, &allocator, &scan);
    return error ? fail(detail, path, error) : finish(scan, &chosen, path, out, detail);
}

int memfs_host_scan_list(const struct memfs_scan_source *sources, size_t count,
                         const struct memfs_scan_options *options, memfs_backing **out, struct memfs_detail *detail)
{
    struct memfs_scan_options chosen;
    int error = memfs_sized_take(&chosen, sizeof chosen, options, detail);
    if (error)
        return error;
    const struct memfs_allocator allocator = memfs_allocator_or_default(chosen.allocator);
    struct memfs_scan *scan = NULL;
    const char *wrong = "";
    int fd = memfs_scan_sources_begin(sources, count);
    if (fd < 0)
        return fail(detail, ".", fd);
    error = make(fd, &allocator, &scan);
    if (error)
        return fail(detail, ".", error);
    error = memfs_scan_sources_init(&scan->sources, &allocator, sources, count, &wrong);
    if (error) {
        memfs_host_fail_path(detail, wrong, error, "cannot be the name of a source");
        destroy(&scan->backing);
        return error;
    }
    scan->tree.open = tree_open;
    return finish(scan, &chosen, ".", out, detail);
}
