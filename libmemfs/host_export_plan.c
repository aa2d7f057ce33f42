#define _GNU_SOURCE
#include "backing.h"
#include "host_export.h"
#include "xattr.h"

#include <errno.h>
#include <string.h>

#define SEEN_SHIFT 15                  /* nodes of a page of the bitmap */
#define CUT_COST ((uint64_t)2 << 20)   /* of what is between two cuts, or one file more */
#define FILE_COST ((uint64_t)20 << 10) /* to make a file, as bytes to be written */
#define SEEN_BYTES ((size_t)1 << (SEEN_SHIFT - 3))

static int corrupt(struct memfs_export *job, uint32_t directory, const char *name, const char *text)
{
    return memfs_host_fail(&job->report, directory, name, MEMFS_ECORRUPT, text);
}

/* Whether a node was seen before; from now on it was. */
static int see(struct memfs_export *job, memfs_node node, int *before)
{
    uint32_t number = (uint32_t)node;
    size_t page = number >> SEEN_SHIFT;
    if (page >= job->seen_room) {
        void *array = job->seen;
        size_t old = job->seen_room;
        if (memfs_grow_array(&job->allocator, &array, &job->seen_room, old, page + 1, sizeof *job->seen))
            return -ENOMEM;
        job->seen = array;
        memset(job->seen + old, 0, (job->seen_room - old) * sizeof *job->seen);
    }
    if (!job->seen[page])
        job->seen[page] = memfs_alloc_zeroed(&job->allocator, SEEN_BYTES);
    if (!job->seen[page])
        return -ENOMEM;
    uint64_t *word = &job->seen[page][(number & ((1u << SEEN_SHIFT) - 1)) >> 6];
    uint64_t bit = (uint64_t)1 << (number & 63);
    *before = (*word & bit) != 0;
    *word |= bit;
    return 0;
}

static void free_seen(struct memfs_export *job)
{
    for (size_t i = 0; i < job->seen_room; i++)
        memfs_free(&job->allocator, job->seen[i], SEEN_BYTES);
    memfs_free(&job->allocator, job->seen, job->seen_room * sizeof *job->seen);
    job->seen = NULL;
    job->seen_room = 0;
}

struct memfs_export_link *memfs_export_find_link(const struct memfs_export *job, memfs_node node)
{
    uint64_t found = memfs_host_map_get(&job->link_numbers, node, 0);
    return found ? memfs_rows_at(&job->links, found - 1) : NULL;
}

static int plan_directory(struct memfs_export *job, uint32_t parent, const struct memfs_dirent *entry, int before,
                          int chosen)
{
    memfs_node above = 0;
    int error = memfs_node_parent(job->fs, entry->stat.node, &above);
    if (error)
        return memfs_host_fail(&job->report, parent, entry->name, error, "its parent cannot be read");
    memfs_node_forget(job->fs, above, 1);
    if (before || above != memfs_export_dir(job, parent)->node)
        return corrupt(job, parent, entry->name, "a directory with two ways in");
    if (job->dirs.count >= UINT32_MAX)
        return memfs_host_fail(&job->report, parent, entry->name, MEMFS_ELIMIT, "there are too many directories");
    struct memfs_export_dir *dir = memfs_rows_add(&job->dirs);
    if (!dir || memfs_rows_put(&job->names, entry->name, entry->name_length, &dir->name))
        return memfs_host_fail(&job->report, parent, entry->name, -ENOMEM, "cannot be planned");
    dir->node = entry->stat.node;
    dir->parent = parent;
    dir->name_length = entry->name_length;
    dir->partial = chosen == MEMFS_SELECT_PARENT;
    if (job->level < job->options.strip)
        dir->state = MEMFS_EXPORT_STRIPPED;
    memfs_export_dir(job, parent)->count++;
    return 0;
}

static int add_link(struct memfs_export *job, uint32_t directory, const struct memfs_dirent *entry)
{
    struct memfs_export_link *link = memfs_rows_add(&job->links);
    if (!link || memfs_rows_put(&job->names, entry->name, entry->name_length, &link->name))
        return -ENOMEM;
    link->directory = directory;
    link->name_length = entry->name_length;
    link->node = entry->stat.node;
    link->nlink = entry->stat.nlink;
    link->seen = 1;
    return memfs_host_map_put(&job->link_numbers, link->node, 0, job->links.count);
}

/* Runs of files are cut where there is about as much to do in each. */
static int add_cost(struct memfs_export *job, uint32_t directory, const struct memfs_dirent *entry, uint64_t bytes)
{
    job->cost += FILE_COST + (bytes < CUT_COST ? bytes : CUT_COST);
    if (job->cost < CUT_COST)
        return 0;
    struct memfs_export_place *cut = memfs_rows_add(&job->cuts);
    if (!cut)
        return -ENOMEM;
    *cut = (struct memfs_export_place){directory, entry->cursor};
    job->cost = 0;
    return 0;
}

static int check_target(struct memfs_export *job, const struct memfs_dirent *entry)
{
    char target[MEMFS_TARGET_MAX + 1];
    int64_t length = memfs_node_readlink(job->fs, entry->stat.node, target, sizeof target);
    if (length < 0)
        return (int)length;
    int legal = length > 0 && length <= MEMFS_TARGET_MAX && !memchr(target, '\0', (size_t)length);
    return legal ? 0 : MEMFS_ECORRUPT;
}

static uint64_t add(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static int is_over_bytes(const struct memfs_export *job)
{
    return job->options.bytes_max && add(job->bytes, job->xattr_bytes) > job->options.bytes_max;
}

/* Attributes are bytes to be written, too. What cannot be read of them is told when they are made. */
static int spend_xattrs(struct memfs_export *job, memfs_node node, uint32_t parent, const char *name)
{
    uint64_t bytes = 0;
    if (!job->options.bytes_max || memfs_node_xattr_bytes(job->fs, node, job->options.privileged_xattrs, &bytes))
        return 0;
    job->xattr_bytes = add(job->xattr_bytes, bytes);
    return is_over_bytes(job) ? memfs_export_over_budget(job, MEMFS_BUDGET_BYTES, parent, name) : 0;
}

static int plan_file(struct memfs_export *job, uint32_t parent, const struct memfs_dirent *entry, int before)
{
    const struct memfs_stat *stat = &entry->stat;
    struct memfs_export_dir *dir = memfs_export_dir(job, parent);
    int is_symlink = (stat->mode & MEMFS_IFMT) == MEMFS_IFLNK;
    if (is_symlink)
        dir->has_symlinks = 1, job->any_symlinks = 1;
    else if (!before)
        dir->has_files = 1;
    if (before) {
        struct memfs_export_link *link = memfs_export_find_link(job, stat->node);
        if (!link || link->seen >= link->nlink)
            return corrupt(job, parent, entry->name, "more names than its link count says");
        link->seen++;
        if (!is_symlink)
            dir->has_links = 1, job->any_links = 1;
        return 0;
    }
    if (!stat->nlink)
        return corrupt(job, parent, entry->name, "a name, but a link count of 0");
    int error = is_symlink ? check_target(job, entry) : 0;
    if (error && (error == MEMFS_ECORRUPT || !job->options.problem)) /* else it is a problem when it is made */
        return memfs_host_fail(&job->report, parent, entry->name, error, "its target cannot be read");
    uint64_t bytes = (stat->mode & MEMFS_IFMT) == MEMFS_IFREG ? stat->allocated : 0;
    if (bytes > stat->size) /* whole pages are allocated */
        bytes = stat->size;
    job->bytes = add(job->bytes, bytes);
    if (is_over_bytes(job))
        return memfs_export_over_budget(job, MEMFS_BUDGET_BYTES, parent, entry->name);
    if ((stat->nlink > 1 && add_link(job, parent, entry)) || add_cost(job, parent, entry, bytes))
        return memfs_host_fail(&job->report, parent, entry->name, -ENOMEM, "cannot be planned");
    return 0;
}

static int type_is_known(uint32_t mode)
{
    switch (mode & MEMFS_IFMT) {
    case MEMFS_IFREG:
    case MEMFS_IFDIR:
    case MEMFS_IFLNK:
    case MEMFS_IFCHR:
    case MEMFS_IFBLK:
    case MEMFS_IFIFO:
    case MEMFS_IFSOCK:
        return 1;
    default:
        return 0;
    }
}

/* What is taken of an entry: one of enum memfs_selection, or an error, which has been reported. */
static int choose(struct memfs_export *job, uint32_t parent, const struct memfs_dirent *entry)
{
    int is_directory = (entry->stat.mode & MEMFS_IFMT) == MEMFS_IFDIR;
    const struct memfs_export_dir *dir = memfs_export_dir(job, parent);
    if (!is_directory && job->level < job->options.strip)
        return MEMFS_SELECT_NOTHING;
    if (!dir->partial)
        return MEMFS_SELECT_ALL;
    int chosen = job->options.select(job->options.select_context, dir->node, entry);
    if (chosen < 0)
        return memfs_host_fail(&job->report, parent, entry->name, chosen, "cannot be selected");
    if (chosen && !is_directory && memfs_host_map_put(&job->taken, parent, entry->cursor, 1))
        return memfs_host_fail(&job->report, parent, entry->name, -ENOMEM, "cannot be planned");
    return chosen;
}

static int is_made(const struct memfs_export *job)
{
    return job->level >= job->options.strip;
}

/* One entry more, of which it need not be known more than that it was chosen. */
static int spend_entry(struct memfs_export *job, uint32_t parent, const struct memfs_dirent *entry)
{
    job->entries += (uint64_t)is_made(job);
    if (job->options.entries_max && job->entries > job->options.entries_max)
        return memfs_export_over_budget(job, MEMFS_BUDGET_ENTRIES, parent, entry->name);
    return 0;
}

/* Counts what is to be made. */
static int count_entry(struct memfs_export *job, uint32_t parent, const struct memfs_dirent *entry, int *before)
{
    int error = spend_entry(job, parent, entry);
    if (error)
        return error;
    if (see(job, entry->stat.node, before))
        return memfs_host_fail(&job->report, parent, entry->name, -ENOMEM, "cannot be planned");
    job->nodes += is_made(job) && !*before;
    return job->options.strip && job->level == job->options.strip ? memfs_export_land(job, parent, entry) : 0;
}

int memfs_export_plan_unread(struct memfs_export *job, uint32_t directory, const struct memfs_dirent *entry, int error)
{
    int is_directory = (entry->stat.mode & MEMFS_IFMT) == MEMFS_IFDIR;
    if (!memfs_name_ok(entry->name, entry->name_length))
        return corrupt(job, directory, NULL, "an entry with an illegal name");
    job->subdirectories += (uint64_t)is_directory;
    if (memfs_host_map_put(&job->exceptions, directory, entry->cursor, MEMFS_EXPORT_MISSING))
        return memfs_host_fail(&job->report, directory, entry->name, -ENOMEM, "cannot be planned");
    int chosen = choose(job, directory, entry); /* what is not is nobody's problem, now or later */
    if (chosen <= 0)
        return chosen;
    int over = spend_entry(job, directory, entry);
    if (over)
        return over;
    job->incomplete = 1;
    return memfs_host_problem(&job->report, MEMFS_PROBLEM_FILE, directory, entry->name, error, "cannot be examined");
}

static int plan_entry(struct memfs_export_worker *worker, uint32_t parent, const struct memfs_dirent *entry)
{
    struct memfs_export *job = worker->job;
    int is_directory = (entry->stat.mode & MEMFS_IFMT) == MEMFS_IFDIR, before = 0;
    if (!memfs_name_ok(entry->name, entry->name_length))
        return corrupt(job, parent, NULL, "an entry with an illegal name");
    if (!type_is_known(entry->stat.mode))
        return corrupt(job, parent, entry->name, "an unknown type");
    job->subdirectories += (uint64_t)is_directory;
    int chosen = choose(job, parent, entry);
    if (chosen <= 0)
        return chosen;
    int error = count_entry(job, parent, entry, &before);
    if (!error && !before)
        error = spend_xattrs(job, entry->stat.node, parent, entry->name);
    if (error)
        return error;
    return is_directory ? plan_directory(job, parent, entry, before, chosen) : plan_file(job, parent, entry, before);
}

/* Plans what is in a directory. */
static int plan_inside(struct memfs_export *job, uint32_t directory)
{
    struct memfs_stat stat;
    memfs_export_dir(job, directory)->first = (uint32_t)job->dirs.count;
    int incomplete = job->incomplete;
    job->incomplete = 0;
    job->subdirectories = 0;
    int error = memfs_export_list_all(&job->workers[0], directory, plan_entry);
    int whole = !job->incomplete;
    job->incomplete |= incomplete;
    if (error)
        return error;
    const struct memfs_export_dir *dir = memfs_export_dir(job, directory);
    error = memfs_node_stat(job->fs, dir->node, &stat);
    if (error)
        return memfs_host_fail(&job->report, directory, NULL, error, "cannot be read");
    if (whole && (uint64_t)stat.nlink != job->subdirectories + 2)
        return corrupt(job, directory, NULL, "a link count that is not 2 and one for each directory in it");
    return memfs_export_tell(&job->workers[0]);
}

/* All names are known only if everything is taken. */
static int check_links(struct memfs_export *job)
{
    int whole = !job->incomplete && !job->options.select && !job->options.strip;
    for (uint64_t i = 0; i < job->links.count && whole; i++) {
        const struct memfs_export_link *link = memfs_rows_at(&job->links, i);
        if (link->seen != link->nlink)
            return corrupt(job, 0, NULL, "a file with fewer names than its link count says");
    }
    return 0;
}

static int plan_root(struct memfs_export *job)
{
    struct memfs_stat stat;
    int before = 0;
    int error = memfs_node_stat(job->fs, MEMFS_ROOT, &stat);
    if (error)
        return memfs_host_fail(&job->report, 0, NULL, error, "cannot be read");
    if ((stat.mode & MEMFS_IFMT) != MEMFS_IFDIR)
        return corrupt(job, 0, NULL, "the root is no directory");
    struct memfs_export_dir *root = memfs_rows_add(&job->dirs);
    if (!root || see(job, MEMFS_ROOT, &before))
        return memfs_host_fail(&job->report, 0, NULL, -ENOMEM, "cannot be planned");
    root->node = MEMFS_ROOT;
    root->partial = job->options.select != NULL;
    job->nodes = 1;
    return 0;
}

static int refuse_depth(struct memfs_export *job, uint32_t directory)
{
    job->too_deep = memfs_export_dir(job, directory)->node;
    return memfs_export_over_budget(job, MEMFS_BUDGET_DEPTH, directory, NULL);
}

int memfs_export_plan(struct memfs_export *job)
{
    size_t depth = 0;
    uint32_t directory = 0;
    int error = plan_root(job);
    if (!error)
        error = spend_xattrs(job, MEMFS_ROOT, 0, NULL);
    job->planning = 1;
    while (!error) {
        size_t made = depth > job->options.strip ? depth - job->options.strip : 0;
        job->depth = made > job->depth ? made : job->depth;
        job->level = depth;
        if (job->options.depth_max && made > job->options.depth_max)
            error = refuse_depth(job, directory);
        else
            error = plan_inside(job, directory);
        if (error || !(directory = memfs_export_next(job, directory, 0, &depth)))
            break;
    }
    if (!error)
        error = check_links(job);
    free_seen(job);
    job->planning = 0;
    job->totals.nodes_total = job->nodes;
    job->totals.bytes_total = job->bytes;
    return error;
}
