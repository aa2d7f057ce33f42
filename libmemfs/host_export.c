#define _GNU_SOURCE
#include "host_export.h"

#include "detail.h"
#include "pool.h"
#include "random.h"
#include "retry.h"
#include "sized.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- The plan's directories as a tree --------------------------------------- */

static uint32_t image_parent(void *context, uint32_t directory)
{
    return memfs_export_dir(context, directory)->parent;
}

static uint32_t tree_parent(void *context, uint32_t directory)
{
    return memfs_export_host(context, memfs_export_dir(context, directory)->parent);
}

static size_t tree_name(void *context, uint32_t directory, char name[MEMFS_NAME_MAX + 1])
{
    const struct memfs_export *job = context;
    const struct memfs_export_dir *dir = memfs_export_dir(job, directory);
    memcpy(name, memfs_rows_at(&job->names, dir->name), dir->name_length);
    name[dir->name_length] = '\0';
    return dir->name_length;
}

/* Through no mount: what is mounted lies elsewhere. */
static int tree_open(void *context, uint32_t directory, int parent)
{
    char name[MEMFS_NAME_MAX + 1];
    tree_name(context, directory, name);
    return memfs_host_open_same_mount(parent, name);
}

/* It must be the directory that was made or found, and nothing mounted over it. */
static int tree_admit(void *context, uint32_t directory, const struct stat *stat)
{
    const struct memfs_export *job = context;
    const struct memfs_export_dir *dir = memfs_export_dir(job, directory);
    return (uint64_t)stat->st_dev == job->dev && (uint64_t)stat->st_ino == dir->ino ? 0 : -ESTALE;
}

uint32_t memfs_export_next(const struct memfs_export *job, uint32_t directory, int skip, size_t *depth)
{
    const struct memfs_export_dir *dir = memfs_export_dir(job, directory);
    if (!skip && dir->count) {
        ++*depth;
        return dir->first;
    }
    while (directory) {
        uint32_t parent = memfs_export_dir(job, directory)->parent;
        const struct memfs_export_dir *above = memfs_export_dir(job, parent);
        if (directory + 1 - above->first < above->count)
            return directory + 1;
        directory = parent;
        --*depth;
    }
    return 0;
}

uint32_t memfs_export_deepest(const struct memfs_export *job, uint32_t directory)
{
    while (memfs_export_dir(job, directory)->count)
        directory = memfs_export_dir(job, directory)->first;
    return directory;
}

uint32_t memfs_export_next_up(const struct memfs_export *job, uint32_t directory)
{
    uint32_t parent = memfs_export_dir(job, directory)->parent;
    const struct memfs_export_dir *above = memfs_export_dir(job, parent);
    return directory + 1 - above->first < above->count ? memfs_export_deepest(job, directory + 1) : parent;
}

int memfs_export_over_budget(struct memfs_export *job, enum memfs_budget budget, uint32_t directory, const char *name)
{
    static const char *const texts[] = {
        [MEMFS_BUDGET_NONE] = "",
        [MEMFS_BUDGET_BYTES] = "more contents and attributes than allowed, from here on; raise the budget of bytes",
        [MEMFS_BUDGET_ENTRIES] = "more entries than allowed, from here on; raise the budget of entries",
        [MEMFS_BUDGET_DEPTH] = "deeper than allowed; raise the budget of depth"};
    job->budget = budget;
    return memfs_host_fail(&job->report, directory, name, -EDQUOT, texts[budget]);
}

/* ---- What all steps need ---------------------------------------------------------- */

int memfs_export_is_taken(const struct memfs_export *job, uint32_t directory, const struct memfs_dirent *entry)
{
    return !memfs_export_dir(job, directory)->partial || memfs_host_map_get(&job->taken, directory, entry->cursor) != 0;
}

int memfs_export_is_wanted(const struct memfs_export *job, uint32_t directory, const struct memfs_dirent *entry)
{
    return memfs_export_is_taken(job, directory, entry) &&
           !memfs_host_map_get(&job->exceptions, directory, entry->cursor);
}

/* What could not be listed for the plan cannot be later, and is not told twice. */
static int unlistable(struct memfs_export_worker *worker, uint32_t directory, int error)
{
    struct memfs_export *job = worker->job;
    if (atomic_exchange(&memfs_export_dir(job, directory)->unlistable, 1))
        return 0;
    if (!worker->told)
        job->incomplete = 1; /* for the plan */
    return memfs_export_problem(worker, MEMFS_PROBLEM_NAMES, directory, NULL, error, "cannot be listed");
}

/* The next entries of a directory: how many. Damage to one of them is no reason to lose the others. */
static int64_t read_entries(struct memfs_export_worker *worker, const struct memfs_export_place *at)
{
    memfs *fs = worker->job->fs;
    memfs_node node = memfs_export_dir(worker->job, at->directory)->node;
    memset(worker->errors, 0, sizeof worker->errors);
    int64_t got = memfs_node_readdir(fs, NULL, node, at->cursor, worker->batch, MEMFS_EXPORT_BATCH, 1);
    if (got >= 0)
        return got;
    got = memfs_node_readdir(fs, NULL, node, at->cursor, worker->batch, MEMFS_EXPORT_BATCH, 0);
    for (int64_t i = 0; i < got; i++)
        worker->errors[i] = memfs_node_stat(fs, worker->batch[i].stat.node, &worker->batch[i].stat);
    return got;
}

/* What the plan has could be read then. It is told once: later steps pass over it. */
static int pass_unread(struct memfs_export_worker *worker, uint32_t directory, const struct memfs_dirent *entry,
                       int error)
{
    struct memfs_export *job = worker->job;
    if (job->planning)
        return memfs_export_plan_unread(job, directory, entry, error);
    if ((entry->stat.mode & MEMFS_IFMT) == MEMFS_IFDIR || !memfs_export_is_wanted(job, directory, entry))
        return 0;
    if (memfs_export_except(worker, directory, entry, MEMFS_EXPORT_MISSING))
        return memfs_export_fail(worker, directory, entry->name, -ENOMEM, "cannot be left out");
    return memfs_export_problem(worker, MEMFS_PROBLEM_FILE, directory, entry->name, error, "cannot be examined");
}

int memfs_export_list(struct memfs_export_worker *worker, struct memfs_export_place *at, uint64_t end,
                      memfs_export_visit *visit)
{
    for (;;) {
        int64_t got = read_entries(worker, at);
        if (got < 0)
            return unlistable(worker, at->directory, (int)got);
        int result = memfs_export_tell(worker);
        for (int64_t i = 0; i < got && !result; i++) {
            const struct memfs_dirent *entry = &worker->batch[i];
            result = worker->errors[i] ? pass_unread(worker, at->directory, entry, worker->errors[i])
                                       : visit(worker, at->directory, entry);
            if (result < 0)
                break;
            at->cursor = worker->batch[i].cursor;
            if (at->cursor == end)
                return result;
        }
        if (result || !got)
            return result;
    }
}

int memfs_export_list_all(struct memfs_export_worker *worker, uint32_t directory, memfs_export_visit *visit)
{
    struct memfs_export_place at = {directory, 0};
    return memfs_export_list(worker, &at, 0, visit);
}

static int see_any(void *context, const char *name, size_t length)
{
    (void)context;
    (void)name;
    (void)length;
    return 1;
}

int memfs_export_any(struct memfs_export *job, int fd)
{
    return memfs_host_list_names(fd, job->buffer, MEMFS_EXPORT_BUFFER, see_any, NULL);
}

/* ---- The last step ------------------------------------------------------------------ */

static int finish_directory(struct memfs_export *job, uint32_t directory)
{
    struct memfs_stat stat;
    struct memfs_export_worker *caller = &job->workers[0];
    struct memfs_export_made made = {.directory = directory, .fd = caller->trail.root, .mode = -1};
    int error = memfs_export_tell(caller);
    if (error)
        return error;
    error = memfs_host_trail_go(&caller->trail, directory);
    if (!error && directory)
        error = memfs_host_trail_leave(&caller->trail, &made.fd); /* from now on it may be closed to us */
    if (!error)
        error = memfs_node_stat(job->fs, memfs_export_dir(job, directory)->node, &stat);
    if (error)
        error = memfs_host_problem(&job->report, MEMFS_PROBLEM_MODE, directory, NULL, error,
                                   "its attributes cannot be set");
    else
        error = memfs_export_attributes(caller, &made, &stat);
    if (made.fd >= 0 && made.fd != caller->trail.root)
        close(made.fd);
    return error;
}

/* The root's attributes are for a directory that was made, unless a found one is to get them. */
static int finish_directories(struct memfs_export *job)
{
    int error = 0;
    job->finishing = 1;
    for (uint32_t directory = memfs_export_deepest(job, 0); directory && !error;
         directory = memfs_export_next_up(job, directory))
        if (memfs_export_dir(job, directory)->state == MEMFS_EXPORT_MADE)
            error = finish_directory(job, directory);
    if (error)
        return error;
    if (job->made_root || job->options.root_attributes)
        return finish_directory(job, 0);
    if (job->root_closed && fchmod(job->workers[0].trail.root, job->root_mode))
        return memfs_host_fail(&job->report, 0, NULL, -errno, "its mode cannot be restored");
    return 0;
}

static int sync_all(struct memfs_export *job, const char *text)
{
    int failed = 0;
    if (job->options.sync)
        MEMFS_RETRY(failed, syncfs(job->workers[0].trail.root));
    if (!failed)
        return 0;
    return memfs_host_fail(&job->report, 0, NULL, -errno, text);
}

/* ---- All of it ------------------------------------------------------------------------ */

static int begin(struct memfs_export *job)
{
    const struct memfs_allocator *allocator = &job->allocator;
    job->file_dev = MEMFS_EXPORT_NO_DEV;
    memfs_rows_begin(&job->dirs, allocator, sizeof(struct memfs_export_dir), 9);
    memfs_rows_begin(&job->names, allocator, 1, 16);
    memfs_rows_begin(&job->links, allocator, sizeof(struct memfs_export_link), 9);
    memfs_rows_begin(&job->cuts, allocator, sizeof(struct memfs_export_place), 6);
    memfs_host_map_init(&job->link_numbers, allocator);
    memfs_host_map_init(&job->taken, allocator);
    memfs_host_map_init(&job->exceptions, allocator);
    memfs_host_map_init(&job->replaced, allocator);
    memfs_rows_begin(&job->landed, allocator, sizeof(struct memfs_export_landed), 9);
    memfs_host_map_init(&job->landed_numbers, allocator);
    unsigned room = job->options.threads < MEMFS_POOL_MAX ? job->options.threads : MEMFS_POOL_MAX;
    room = room ? room : 1;
    job->buffer = memfs_alloc(allocator, MEMFS_EXPORT_BUFFER);
    job->workers = memfs_alloc_array(allocator, room, sizeof *job->workers);
    if (job->workers) {
        memset(job->workers, 0, room * sizeof *job->workers);
        job->worker_room = room;
    }
    return job->buffer && job->workers ? memfs_export_worker_begin(job, &job->workers[0]) : -ENOMEM;
}

static void end(struct memfs_export *job)
{
    const struct memfs_allocator *allocator = &job->allocator;
    for (unsigned i = 0; i < job->worker_room; i++)
        memfs_export_worker_end(&job->workers[i]);
    memfs_host_trail_end(&job->link_trail);
    if (job->above >= 0)
        close(job->above);
    memfs_rows_end(&job->dirs);
    memfs_rows_end(&job->names);
    memfs_rows_end(&job->links);
    memfs_rows_end(&job->cuts);
    memfs_host_map_free(&job->link_numbers);
    memfs_host_map_free(&job->taken);
    memfs_host_map_free(&job->exceptions);
    memfs_host_map_free(&job->replaced);
    memfs_rows_end(&job->landed);
    memfs_host_map_free(&job->landed_numbers);
    memfs_free(allocator, job->buffer, MEMFS_EXPORT_BUFFER);
    memfs_free(allocator, job->workers, job->worker_room * sizeof *job->workers);
    memfs_free(allocator, job, sizeof *job);
}

static void say_kept(const struct memfs_export *job, uint64_t kept, const char *one, const char *many)
{
    char note[96];
    if (!kept)
        return;
    snprintf(note, sizeof note, "; %llu %s", (unsigned long long)kept, kept == 1 ? one : many);
    memfs_detail_append(job->report.detail, note);
}

/* The plan is about a filesystem that has not changed since: whatever seems to
 * be wrong with one that has, is not known to be. */
static int check_unchanged(struct memfs_export *job, uint64_t changes, int error)
{
    struct memfs_statfs now;
    if (error == -ECANCELED || error == -ENOMEM || memfs_statfs(job->fs, &now) || now.changes == changes)
        return error;
    return memfs_host_fail(&job->report, 0, NULL, -EBUSY, "was changed while it was unpacked");
}

static void undo(struct memfs_export *job)
{
    job->left_replaced = memfs_export_restore(job);
    say_kept(job, job->left_replaced, "file that was there stays replaced", "files that were there stay replaced");
    job->left_behind = memfs_export_undo(job);
    say_kept(job, job->left_behind, "thing that was made could not be removed again",
             "things that were made could not be removed again");
}

/* Everything but what replaces something is in its place before that is, and
 * all is known to be possible. */
static int make_all(struct memfs_export *job, const char *path)
{
    int error = memfs_export_open(job, path);
    if (!error && job->options.into && !job->made_root)
        error = memfs_export_look(job);
    if (!error)
        error = memfs_export_make(job);
    if (!error)
        error = finish_directories(job);
    return error;
}

/* What is told to be made is: unless the filesystem is changed by who is told, nothing but removing what was replaced
 * is still to be done. */
static int put_in_place(struct memfs_export *job)
{
    static const char text[] = "cannot be brought to the disk";
    int error = sync_all(job, text);
    if (!error && memfs_export_replaces(job)) {
        error = memfs_export_replace(job);
        if (!error)
            error = sync_all(job, text);
    }
    return error || !job->options.made ? error : memfs_export_tell_made(job);
}

static int remove_replaced(struct memfs_export *job)
{
    if (!memfs_export_replaces(job))
        return 0;
    int error = memfs_export_drop(job);
    return error ? error
                 : sync_all(
                       job,
                       "all is in its place, and what was replaced is removed, but that cannot be brought to the disk");
}

/* All that can be known before the first write: as if what is planned had been made. */
static int foresee(struct memfs_export *job, const char *path)
{
    int error = memfs_export_open(job, path);
    if (!error && job->options.into && job->workers[0].trail.tree)
        error = memfs_export_look(job);
    for (uint64_t i = 0; i < job->dirs.count && !error; i++) {
        struct memfs_export_dir *dir = memfs_export_dir(job, (uint32_t)i);
        if (dir->state == MEMFS_EXPORT_PLANNED)
            dir->state = MEMFS_EXPORT_MADE;
    }
    if (!error)
        error = memfs_export_tell_made(job);
    atomic_store(&job->written, job->bytes);
    return error;
}

static void fill_exported(const struct memfs_export *job)
{
    struct memfs_exported *out = job->options.exported;
    if (!out)
        return;
    *out = (struct memfs_exported){.bytes = atomic_load(&job->written)};
    for (unsigned i = 0; i < job->worker_room; i++) {
        const struct memfs_exported *part = &job->workers[i].exported;
        out->directories += part->directories;
        out->files += part->files;
        out->links += part->links;
        out->replaced += part->replaced;
        out->skipped += part->skipped;
    }
}

static void fill_failure(const struct memfs_export *job)
{
    struct memfs_export_failure *out = job->options.failure;
    if (!out)
        return;
    const struct memfs_export_failure failure = {out->size, job->budget, job->left_behind, job->left_replaced,
                                                 job->too_deep};
    memfs_sized_give(out, &failure, sizeof failure);
}

static int run(struct memfs_export *job, const char *path)
{
    struct memfs_statfs before;
    int error = memfs_statfs(job->fs, &before);
    if (error)
        return memfs_host_fail(&job->report, 0, NULL, error, "cannot be unpacked");
    error = check_unchanged(job, before.changes, memfs_export_plan(job));
    if (error)
        return error;
    if (job->options.plan_only)
        return check_unchanged(job, before.changes, foresee(job, path));
    error = check_unchanged(job, before.changes, make_all(job, path));
    if (!error)
        error = check_unchanged(job, before.changes, put_in_place(job));
    if (error) {
        undo(job);
        return error;
    }
    return remove_replaced(job);
}

int memfs_host_export(memfs *fs, const char *path, const struct memfs_export_options *options,
                      struct memfs_detail *detail)
{
    struct memfs_export_options chosen;
    int error = memfs_sized_take(&chosen, sizeof chosen, options, detail);
    if (error)
        return error;
    struct memfs_allocator allocator = memfs_allocator_or_default(chosen.allocator);
    struct memfs_export *job = memfs_alloc_zeroed(&allocator, sizeof *job);
    if (!job) {
        const struct memfs_export_failure nothing = {.budget = MEMFS_BUDGET_NONE};
        if (chosen.failure)
            memfs_sized_give(chosen.failure, &nothing, sizeof nothing);
        return memfs_detail_fill(detail, -ENOMEM, MEMFS_NOWHERE, "not enough memory to unpack");
    }
    job->fs = fs;
    job->options = chosen;
    job->allocator = allocator;
    job->above = -1;
    job->stop = UINT64_MAX;
    job->self_uid = geteuid();
    job->self_gid = getegid();
    job->seed = memfs_random();
    job->temporary = memfs_random();
    job->tree = (struct memfs_host_tree){job, 0, tree_parent, tree_name, tree_admit, tree_open};
    job->image = (struct memfs_host_tree){job, 0, image_parent, tree_name, NULL, NULL};
    job->report =
        (struct memfs_host_report){&job->image, &job->allocator, chosen.problem, chosen.problem_context, detail};
    error = begin(job);
    if (error)
        memfs_host_fail(&job->report, 0, NULL, error, "cannot be unpacked");
    else
        error = run(job, path);
    if (error)
        fill_failure(job);
    else
        fill_exported(job);
    end(job);
    return error;
}
