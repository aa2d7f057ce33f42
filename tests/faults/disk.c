#define _GNU_SOURCE
#include "disk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE ((size_t)4096)
#define MOST 512 /* names, files, writes a file, and steps */

/* bytes NULL: a new size, the offset. */
struct change {
    uint64_t offset;
    size_t length;
    char *bytes;
};

struct file {
    struct change *changes;
    size_t count, durable; /* the first so many are synced */
};

struct name {
    char *path;
    struct file *file;
};

struct names {
    struct name all[MOST];
    size_t count;
};

/* Of names: all its settings, or none of them. */
struct step {
    struct name set[2]; /* a name, and what it means then; NULL: nothing */
    size_t count;
    int durable;
};

struct disk {
    struct names now, crashed;
    struct file files[MOST];
    struct step steps[MOST];
    size_t file_count, step_count;
    uint64_t number, random; /* of the crash */
    char *contents;
};

/* Tests only have as much as these hold. */
static void must(int holds)
{
    if (!holds) {
        fputs("disk: too much, or no memory\n", stderr);
        abort();
    }
}

struct disk *disk_create(void)
{
    struct disk *disk = calloc(1, sizeof *disk);
    must(disk != NULL);
    return disk;
}

static void clear_names(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->all[i].path);
    names->count = 0;
}

void disk_free(struct disk *disk)
{
    clear_names(&disk->now);
    clear_names(&disk->crashed);
    for (size_t i = 0; i < disk->file_count; i++) {
        for (size_t k = 0; k < disk->files[i].count; k++)
            free(disk->files[i].changes[k].bytes);
        free(disk->files[i].changes);
    }
    for (size_t i = 0; i < disk->step_count; i++)
        for (size_t k = 0; k < disk->steps[i].count; k++)
            free(disk->steps[i].set[k].path);
    free(disk->contents);
    free(disk);
}

/* ---- Names ------------------------------------------------------------------------- */

static struct name *find(struct names *names, const char *path)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->all[i].path, path) == 0)
            return &names->all[i];
    return NULL;
}

static struct file *file_at(struct disk *disk, const char *path)
{
    struct name *name = find(&disk->now, path);
    return name ? name->file : NULL;
}

static void set_name(struct names *names, const char *path, struct file *file)
{
    struct name *name = find(names, path);
    if (!name) {
        must(names->count < MOST);
        name = &names->all[names->count++];
        name->path = strdup(path);
        must(name->path != NULL);
    }
    name->file = file;
}

static void add_step(struct disk *disk, const char *a, struct file *a_file, const char *b, struct file *b_file)
{
    must(disk->step_count < MOST);
    struct step *step = &disk->steps[disk->step_count++];
    step->set[step->count++] = (struct name){strdup(a), a_file};
    if (b)
        step->set[step->count++] = (struct name){strdup(b), b_file};
    for (size_t i = 0; i < step->count; i++)
        set_name(&disk->now, step->set[i].path, step->set[i].file);
}

void disk_add(struct disk *disk, const char *path)
{
    if (file_at(disk, path))
        return;
    must(disk->file_count < MOST);
    add_step(disk, path, &disk->files[disk->file_count++], NULL, NULL);
}

void disk_link(struct disk *disk, const char *from, const char *to)
{
    struct file *file = file_at(disk, from);
    if (file)
        add_step(disk, to, file, NULL, NULL);
}

void disk_rename(struct disk *disk, const char *from, const char *to, int exchange)
{
    struct file *file = file_at(disk, from);
    if (file)
        add_step(disk, to, file, from, exchange ? file_at(disk, to) : NULL);
}

void disk_remove(struct disk *disk, const char *path)
{
    if (file_at(disk, path))
        add_step(disk, path, NULL, NULL, NULL);
}

/* ---- Contents ------------------------------------------------------------------------ */

static void add_change(struct disk *disk, const char *path, struct change change)
{
    struct file *file = file_at(disk, path);
    if (!file)
        return;
    file->changes = realloc(file->changes, (file->count + 1) * sizeof *file->changes);
    must(file->changes != NULL);
    file->changes[file->count++] = change;
}

void disk_write(struct disk *disk, const char *path, uint64_t offset, const void *bytes, size_t length)
{
    char *copy = file_at(disk, path) ? malloc(length + 1) : NULL;
    if (!copy)
        return;
    memcpy(copy, bytes, length);
    add_change(disk, path, (struct change){offset, length, copy});
}

void disk_resize(struct disk *disk, const char *path, uint64_t size)
{
    add_change(disk, path, (struct change){size, 0, NULL});
}

/* After the first so many changes. */
static size_t size_after(const struct file *file, size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        const struct change *change = &file->changes[i];
        size_t end = (size_t)change->offset + change->length;
        size = !change->bytes || end > size ? end : size;
    }
    return size;
}

/* A page as the first so many changes leave it, in zeros. */
static void fill_page(const struct file *file, size_t count, char *page, size_t begin, size_t end)
{
    for (size_t i = 0; i < count; i++) {
        const struct change *change = &file->changes[i];
        size_t from = (size_t)change->offset, to = from + change->length;
        if (!change->bytes && from < end) {
            size_t first = from > begin ? from : begin;
            memset(page + (first - begin), 0, end - first);
        }
        size_t first = from > begin ? from : begin, last = to < end ? to : end;
        if (first < last)
            memcpy(page + (first - begin), change->bytes + (first - from), last - first);
    }
}

/* ---- Syncing --------------------------------------------------------------------------- */

void disk_sync_file(struct disk *disk, const char *path)
{
    struct file *file = file_at(disk, path);
    if (file)
        file->durable = file->count;
}

static int is_in(const char *path, const char *directory)
{
    const char *slash = strrchr(path, '/');
    size_t length = slash ? (size_t)(slash - path) : 0;
    return strlen(directory) == length && memcmp(path, directory, length) == 0;
}

void disk_sync_directory(struct disk *disk, const char *path)
{
    for (size_t i = 0; i < disk->step_count; i++)
        for (size_t k = 0; k < disk->steps[i].count; k++)
            if (is_in(disk->steps[i].set[k].path, path))
                disk->steps[i].durable = 1;
}

void disk_sync_all(struct disk *disk)
{
    for (size_t i = 0; i < disk->step_count; i++)
        disk->steps[i].durable = 1;
    for (size_t i = 0; i < disk->file_count; i++)
        disk->files[i].durable = disk->files[i].count;
}

/* ---- The power goes ------------------------------------------------------------------- */

static uint64_t draw(struct disk *disk, uint64_t most)
{
    disk->random = disk->random * 6364136223846793005u + 1442695040888963407u;
    return (disk->random >> 33) % (most + 1);
}

void disk_crash(struct disk *disk, uint64_t number)
{
    disk->number = number;
    disk->random = number;
    clear_names(&disk->crashed);
    for (size_t i = 0; i < disk->step_count; i++) {
        const struct step *step = &disk->steps[i];
        int kept = step->durable || (number < DISK_EXTREMES ? (int)(number & 1) : (int)draw(disk, 1));
        for (size_t k = 0; kept && k < step->count; k++)
            set_name(&disk->crashed, step->set[k].path, step->set[k].file);
    }
}

/* How many changes of a file a page of it has seen, or its size. */
static size_t changes_kept(struct disk *disk, const struct file *file, int is_size)
{
    switch (disk->number < DISK_EXTREMES ? disk->number / 2 : DISK_EXTREMES) {
    case 0:
        return file->durable;
    case 1:
        return file->count;
    case 2: /* a file of zeros */
        return is_size ? file->count : file->durable;
    case 3: /* all but the last */
        return file->count > file->durable ? file->count - 1 : file->count;
    default:
        return file->durable + (size_t)draw(disk, file->count - file->durable);
    }
}

const void *disk_contents(struct disk *disk, const char *path, size_t *length)
{
    const struct name *name = find(&disk->crashed, path);
    if (!name || !name->file)
        return NULL;
    *length = size_after(name->file, changes_kept(disk, name->file, 1));
    free(disk->contents);
    disk->contents = calloc(1, *length + 1);
    must(disk->contents != NULL);
    for (size_t begin = 0; begin < *length; begin += PAGE) {
        size_t end = begin + PAGE < *length ? begin + PAGE : *length;
        fill_page(name->file, changes_kept(disk, name->file, 0), disk->contents + begin, begin, end);
    }
    return disk->contents;
}
