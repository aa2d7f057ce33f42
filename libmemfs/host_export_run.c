#define _GNU_SOURCE
#include "backing.h"
#include "host_export.h"
#include "pool.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define RUNS_A_WORKER 2u   /* dealt out and not told of yet */
#define ROUNDS 8u          /* so many runs a worker makes at least, if there are cuts enough */
#define CUTS_MOST 8u       /* between which is one run */
#define PROBLEMS_MANY 256u /* to be told before a run goes on */
#define WAIT 5u            /* milliseconds until the caller is told how far we are */

#define HELD 3u             /* descriptors of a worker's way, but for the caller's */
#define DESCRIPTORS 8u      /* of such a worker, at most */
#define DESCRIPTORS_LEFT 8u /* for the caller */

#define ENOUGH 1 /* of a run, for now */

/* Neighbouring files that one worker makes, whatever directories they are in. */
struct run {
    struct memfs_job job; /* first */
    struct memfs_export *export;
    struct memfs_export_told told;
    struct memfs_export_place at, end; /* what is still to be made */
    int dealt;                         /* or has failed before */
    int result;                        /* 0, ENOUGH, or an error */
};

/* Runs are dealt out in path order, and told of in path order: a ring of them. */
struct dealer {
    struct memfs_export *job;
    struct memfs_pool *pool;
    struct run *runs;
    uint64_t room, dealt, told; /* told <= dealt <= told + room */
    uint64_t cuts;              /* that were passed */
    uint64_t cuts_a_run;
    struct memfs_export_place next; /* where the next run begins */
    int all;                        /* there is none */
};

/* ---- Files of a run ---------------------------------------------------------- */

static int visit_file(struct memfs_export_worker *worker, uint32_t directory, const struct memfs_dirent *entry)
{
    struct memfs_export *job = worker->job;
    uint32_t type = entry->stat.mode & MEMFS_IFMT;
    if (type == MEMFS_IFDIR || type == MEMFS_IFLNK || !memfs_name_ok(entry->name, entry->name_length) ||
        !memfs_export_is_wanted(job, directory, entry))
        return 0;
    struct memfs_export_link *link = entry->stat.nlink > 1 ? memfs_export_find_link(job, entry->stat.node) : NULL;
    if (link && !memfs_export_is_first(job, link, directory, entry))
        return 0;
    int error = memfs_export_make_file(worker, directory, entry, link);
    atomic_fetch_add(&job->nodes_made, 1);
    if (!error)
        error = memfs_export_tell(worker);
    return !error && worker->told && worker->told->problems.count >= PROBLEMS_MANY ? ENOUGH : error;
}

static int make_here(struct memfs_export_worker *worker, struct memfs_export_place *at, uint64_t end)
{
    const struct memfs_export_dir *dir = memfs_export_dir(worker->job, at->directory);
    if (!memfs_export_is_there(dir) || !dir->has_files)
        return memfs_export_tell(worker);
    int error = memfs_export_go(worker->job, &worker->trail, at->directory);
    if (error)
        return memfs_export_problem(worker, MEMFS_PROBLEM_FILE, at->directory, NULL, error,
                                    memfs_export_is_exchanged(error) ? memfs_export_exchanged : "cannot be opened");
    return memfs_export_list(worker, at, end, visit_file);
}

static int make_run(struct memfs_export_worker *worker, struct run *run)
{
    struct memfs_export_place *at = &run->at;
    const struct memfs_export_place *end = &run->end;
    size_t depth = 0;
    for (;;) {
        int is_last = end->cursor && at->directory == end->directory;
        int result = make_here(worker, at, is_last ? end->cursor : 0);
        if (result || is_last)
            return result;
        *at = (struct memfs_export_place){memfs_export_next(worker->job, at->directory, 0, &depth), 0};
        if (!at->directory)
            return 0;
    }
}

static void do_run(struct memfs_job *job, unsigned number)
{
    struct run *run = (struct run *)(void *)job;
    struct memfs_export_worker *worker = &run->export->workers[number];
    worker->told = &run->told;
    run->result = make_run(worker, run);
    worker->told = NULL;
}

/* ---- Dealing out -------------------------------------------------------------- */

/* Makes the directories that a run comes to. */
static int make_directories(struct memfs_export_worker *caller, const struct run *run)
{
    struct memfs_export *job = caller->job;
    uint32_t directory = run->at.directory;
    size_t depth = 0;
    int error = 0;
    while (!error && !(run->end.cursor && directory == run->end.directory)) {
        directory = memfs_export_next(job, directory, 0, &depth);
        if (!directory)
            break;
        error = memfs_export_make_directory(caller, directory);
    }
    return error;
}

static void set_end(struct dealer *dealer, struct run *run)
{
    const struct memfs_rows *cuts = &dealer->job->cuts;
    run->at = dealer->next;
    dealer->cuts += dealer->cuts_a_run;
    if (dealer->cuts <= cuts->count)
        run->end = *(const struct memfs_export_place *)memfs_rows_at(cuts, dealer->cuts - 1);
    else
        run->end = (struct memfs_export_place){0, 0};
    dealer->all = !run->end.cursor;
    dealer->next = run->end;
}

/* Also if it fails there is one run more, which knows of the error. */
static int deal(struct dealer *dealer)
{
    struct memfs_export_worker *caller = &dealer->job->workers[0];
    struct run *run = &dealer->runs[dealer->dealt % dealer->room];
    run->told.number = dealer->dealt++;
    run->job.run = do_run;
    run->export = dealer->job;
    set_end(dealer, run);
    caller->told = &run->told;
    int error = make_directories(caller, run);
    caller->told = NULL;
    run->result = error;
    run->dealt = !error;
    if (run->dealt)
        memfs_pool_submit(dealer->pool, &run->job, 0); /* the result is another's now */
    return error;
}

/* Waits for a run, as far as it has been dealt out. */
static int wait_for(struct dealer *dealer, const struct run *run)
{
    int error = 0;
    while (run->dealt && !error && !memfs_pool_wait_for(dealer->pool, &run->job, WAIT))
        error = memfs_export_tell(&dealer->job->workers[0]);
    return dealer->job->cancelled ? -ECANCELED : error;
}

/* Tells of the run whose turn it is, when it is done. */
static int tell_next(struct dealer *dealer)
{
    struct memfs_export *job = dealer->job;
    struct run *run = &dealer->runs[dealer->told % dealer->room];
    for (;;) {
        int error = wait_for(dealer, run);
        if (!error)
            error = memfs_export_told_tell(&run->told, &job->report, &job->owner_told);
        if (error)
            return error;
        assert(run->result >= 0);
        memfs_export_told_clear(&run->told);
        if (run->result != ENOUGH)
            break;
        memfs_pool_submit(dealer->pool, &run->job, 1);
    }
    dealer->told++;
    return 0;
}

static int deal_all(struct dealer *dealer)
{
    int error = 0, failed = 0;
    while (!error && (!dealer->all || dealer->told < dealer->dealt)) {
        if (!dealer->all && !failed && dealer->dealt - dealer->told < dealer->room)
            failed = deal(dealer);
        else
            error = tell_next(dealer);
    }
    return error;
}

/* ---- Who works ------------------------------------------------------------------ */

/* How many descriptors of so many are to be had beside those in use? */
static unsigned count_spare(int fd, unsigned most)
{
    int copies[MEMFS_POOL_MAX * DESCRIPTORS + DESCRIPTORS_LEFT];
    unsigned count = 0;
    while (count < most && (copies[count] = fcntl(fd, F_DUPFD_CLOEXEC, 0)) >= 0)
        count++;
    for (unsigned i = 0; i < count; i++)
        close(copies[i]);
    return count;
}

static int begin_worker(struct memfs_export *job, struct memfs_export_worker *worker)
{
    int error = memfs_export_worker_begin(job, worker);
    if (error)
        return error;
    int fd = fcntl(job->workers[0].trail.root, F_DUPFD_CLOEXEC, 0);
    error = fd < 0 ? -errno : memfs_host_trail_begin(&worker->trail, &job->allocator, &job->tree, fd);
    if (error && fd >= 0)
        close(fd);
    worker->trail.most = HELD;
    return error;
}

/* Those after the caller, as many as there is work and descriptors for. -ENOMEM. */
static int begin_workers(struct memfs_export *job, unsigned *count)
{
    unsigned wanted = job->worker_room;
    if (wanted - 1 > job->cuts.count)
        wanted = (unsigned)job->cuts.count + 1;
    *count = 1;
    if (wanted == 1)
        return 0;
    unsigned most = (wanted - 1) * DESCRIPTORS + DESCRIPTORS_LEFT;
    unsigned spare = count_spare(job->workers[0].trail.root, most);
    unsigned others = spare > DESCRIPTORS_LEFT ? (spare - DESCRIPTORS_LEFT) / DESCRIPTORS : 0;
    int error = 0;
    while (!error && *count <= others) {
        error = begin_worker(job, &job->workers[*count]);
        *count += !error;
    }
    return error == -ENOMEM ? error : 0;
}

/* What they have made is still known. */
static void end_workers(struct memfs_export *job, unsigned count)
{
    for (unsigned i = 1; i < count; i++)
        memfs_host_trail_end(&job->workers[i].trail);
}

static int begin_dealing(struct dealer *dealer, struct memfs_export *job, unsigned workers)
{
    const struct memfs_allocator *allocator = &job->allocator;
    uint64_t cuts = job->cuts.count / ((uint64_t)workers * ROUNDS);
    dealer->job = job;
    dealer->cuts_a_run = cuts < 1 ? 1 : cuts < CUTS_MOST ? cuts : CUTS_MOST;
    dealer->runs = memfs_alloc_array(allocator, (size_t)workers * RUNS_A_WORKER, sizeof *dealer->runs);
    if (!dealer->runs)
        return -ENOMEM;
    dealer->room = (uint64_t)workers * RUNS_A_WORKER;
    memset(dealer->runs, 0, (size_t)dealer->room * sizeof *dealer->runs);
    for (uint64_t i = 0; i < dealer->room; i++)
        memfs_export_told_init(&dealer->runs[i].told, allocator);
    return memfs_pool_create(allocator, workers, &dealer->pool);
}

static void end_dealing(struct dealer *dealer)
{
    atomic_store(&dealer->job->stop, 0);
    memfs_pool_destroy(dealer->pool);
    for (uint64_t i = 0; i < dealer->room; i++)
        memfs_export_told_clear(&dealer->runs[i].told);
    if (dealer->runs)
        memfs_free(&dealer->job->allocator, dealer->runs, (size_t)dealer->room * sizeof *dealer->runs);
}

static int make_together(struct memfs_export *job, unsigned workers)
{
    struct dealer dealer = {.room = 0};
    int error = begin_dealing(&dealer, job, workers);
    if (error)
        memfs_host_fail(&job->report, 0, NULL, error, "cannot be unpacked");
    else
        error = deal_all(&dealer);
    end_dealing(&dealer);
    return error;
}

/* Each directory before what is in it. */
static int make_alone(struct memfs_export *job)
{
    struct memfs_export_worker *caller = &job->workers[0];
    size_t depth = 0;
    uint32_t directory = 0;
    int error;
    do {
        struct memfs_export_place at = {directory, 0};
        error = directory ? memfs_export_make_directory(caller, directory) : 0;
        if (!error)
            error = make_here(caller, &at, 0);
        directory = memfs_export_next(job, directory, 0, &depth);
    } while (!error && directory);
    return error;
}

int memfs_export_make_runs(struct memfs_export *job)
{
    unsigned workers = 1;
    job->nodes_made = 1; /* the root was made already */
    int error = begin_workers(job, &workers);
    if (error)
        memfs_host_fail(&job->report, 0, NULL, error, "cannot be unpacked");
    else
        error = workers > 1 ? make_together(job, workers) : make_alone(job);
    end_workers(job, workers);
    return error;
}
