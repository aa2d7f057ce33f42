#include "walk.h"

#include "memfs_host.h"

struct walk {
    memfs *fs;
    struct walked *out;
    uint64_t bytes;
    char buffer[1u << 16];
};

static int take_finding(void *context, const struct memfs_detail *finding)
{
    struct walked *out = context;
    const size_t used = strlen(out->findings);
    snprintf(out->findings + used, sizeof out->findings - used, "%s\n", finding->text);
    return 0;
}

static void keep_error(struct walk *walk, int64_t result)
{
    if (result < 0 && !walk->out->read)
        walk->out->read = (int)result;
}

static void read_attributes(struct walk *walk, memfs_node node)
{
    const int64_t length = memfs_node_listxattr(walk->fs, NULL, node, walk->buffer, sizeof walk->buffer);
    keep_error(walk, length);
    if (length <= 0)
        return;
    char *names = malloc((size_t)length);
    assert_non_null(names);
    memcpy(names, walk->buffer, (size_t)length);
    for (int64_t i = 0; i < length; i += (int64_t)strlen(names + i) + 1)
        keep_error(walk, memfs_node_getxattr(walk->fs, NULL, node, names + i, walk->buffer, sizeof walk->buffer));
    free(names);
}

/* A link is followed as far as it leads within the image, and no way there is without end. */
static void follow_link(struct walk *walk, memfs_node node, const char *path)
{
    struct memfs_stat at;
    keep_error(walk, memfs_node_readlink(walk->fs, node, walk->buffer, sizeof walk->buffer));
    const int error = memfs_stat(walk->fs, NULL, path, &at);
    if (error != -ELOOP && error != -ENOENT && error != -ENOTDIR && error != -ENAMETOOLONG)
        keep_error(walk, error);
}

/* Data only: holes have no end. */
static void read_contents(struct walk *walk, const struct memfs_stat *stat)
{
    uint64_t at = 0;
    for (;;) {
        const int64_t data = memfs_node_seek(walk->fs, stat->node, at, MEMFS_SEEK_DATA);
        if (data == -ENXIO)
            return;
        keep_error(walk, data);
        if (data < 0)
            return;
        if (walk->bytes >= WALK_BYTES_MOST) {
            walk->out->read_stopped = 1;
            return;
        }
        const int64_t got = memfs_node_read(walk->fs, stat->node, (uint64_t)data, walk->buffer, sizeof walk->buffer);
        keep_error(walk, got);
        if (got <= 0)
            return;
        walk->bytes += (uint64_t)got;
        at = (uint64_t)data + (uint64_t)got;
    }
}

static void note_file(struct walk_files *files, const char *path)
{
    if (files->count < sizeof files->path / sizeof *files->path && strlen(path) < sizeof *files->path)
        strcpy(files->path[files->count++], path);
}

static int visit(void *context, const char *path, const struct memfs_stat *stat)
{
    struct walk *walk = context;
    if (strcmp(path, "/") != 0)
        walk->out->names++;
    read_attributes(walk, stat->node);
    if ((stat->mode & MEMFS_IFMT) == MEMFS_IFLNK)
        follow_link(walk, stat->node, path);
    if ((stat->mode & MEMFS_IFMT) == MEMFS_IFREG) {
        read_contents(walk, stat);
        note_file(&walk->out->files, path);
    }
    if (walk->out->names < WALK_ENTRIES_MOST)
        return 0;
    walk->out->read_stopped = 1;
    return 2;
}

/* What the options leave out. */
static int take_problem(void *context, const struct memfs_problem *problem)
{
    struct walked *out = context;
    if (problem->error)
        return -1;
    if (problem->kind == MEMFS_PROBLEM_DEVICE)
        out->names_out++;
    return 0;
}

static void unpack(memfs *fs, const struct memfs_allocator *allocator, const char *destination, struct walked *out)
{
    struct memfs_exported exported = {0};
    const struct memfs_export_options options = {.size = sizeof options,
                                                 .allocator = allocator,
                                                 .bytes_max = WALK_BYTES_MOST,
                                                 .entries_max = WALK_ENTRIES_MOST,
                                                 .depth_max = WALK_DEPTH_MAX,
                                                 .mode_mask = 022,
                                                 .problem = take_problem,
                                                 .problem_context = out,
                                                 .exported = &exported};
    out->export = memfs_host_export(fs, destination, &options, NULL);
    out->names_out += (unsigned)(exported.directories + exported.files + exported.links);
}

void walk_image(const struct test_buffer *buffer, const char *destination, struct walked *out)
{
    static struct walk walk;
    struct test_memory memory;
    memfs_image *image = NULL;
    memset(out, 0, sizeof *out);
    test_memory_init(&memory);
    const struct memfs_image_options how = {.size = sizeof how, .allocator = &memory.hook, .cache_bytes = 64u << 20};
    out->open = memfs_image_open_buffer(buffer->data, buffer->length, &how, &image, &out->detail);
    if (out->open)
        goto out;
    const struct memfs_verify_options verify = {
        .size = sizeof verify, .finding = take_finding, .finding_context = out, .threads = 2};
    out->verify = memfs_verify(image, &verify, &out->detail);
    walk = (struct walk){.out = out};
    const struct memfs_options options = {
        .size = sizeof options, .allocator = &memory.hook, .backing = memfs_image_backing(image)};
    out->walk = memfs_create(&options, &walk.fs);
    if (!out->walk) {
        out->walk = memfs_walk(walk.fs, NULL, "/", MEMFS_WALK_SORTED, visit, &walk);
        out->walk = out->walk > 0 ? 0 : out->walk;
        unpack(walk.fs, &memory.hook, destination, out);
    }
    memfs_destroy(walk.fs);
    memfs_image_close(image);
out:
    out->peak = memory.peak;
    out->live = memory.live;
}
