#include "pack/packing.h"

#include "options.h"
#include "output/json_node.h"
#include "output/message.h"
#include "output/output.h"
#include "output/progress.h"
#include "pack/strip.h"
#include "system/sandbox.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- What went wrong ------------------------------------------------------------ */

/* By the path that the user knows: that of the host, or where there is none, in the image. */
static void say(const struct packing *packing, const char *path, const char *text)
{
    const char *rest = path;
    const char *thing = packing->stripped ? NULL : sources_locate(&packing->sources, path, &rest);
    message(thing, rest, "%s", text);
}

static const char *fate_of(const struct packing *packing, enum memfs_problem_kind kind)
{
    if (packing->keep_going)
        return kind == MEMFS_PROBLEM_NAMES ? "left empty" : "left out";
    if (packing->dry_run)
        return "no image would be made";
    return kind == MEMFS_PROBLEM_XATTR ? "no image was made: --no-xattrs leaves out all of them"
                                       : "no image was made: --keep-going leaves out such files";
}

/* What happened to a file, and what becomes of it. */
static void say_problem(const struct packing *packing, const struct memfs_problem *problem)
{
    char text[512];
    const char *fate = fate_of(packing, problem->kind);
    if (problem->error == -ESTALE || problem->error == -ENOENT)
        snprintf(text, sizeof text, "%s while it was packed; %s", problem->error == -ESTALE ? "changed" : "vanished",
                 fate);
    else if (problem->error == -EOPNOTSUPP && problem->kind == MEMFS_PROBLEM_FILE)
        snprintf(text, sizeof text, "%s; %s", problem->text, fate); /* says why */
    else
        snprintf(text, sizeof text, "%s: %s; %s", problem->text, memfs_strerror(problem->error), fate);
    say(packing, problem->path, text);
}

/* A memfs_problem_fn for the source. A time that had to be clamped leaves nothing out. */
static int source_problem(void *context, const struct memfs_problem *problem)
{
    struct packing *packing = context;
    if (problem->kind == MEMFS_PROBLEM_TIME && problem->error == -EOVERFLOW) {
        say(packing, problem->path, "time of modification is beyond the years 1677 to 2262; stored as the nearest");
        return 0;
    }
    say_problem(packing, problem);
    packing->problems++;
    return packing->keep_going ? 0 : -1;
}

/* A strip_conflict_fn. */
static int strip_conflict(void *context, const char *path)
{
    struct packing *packing = context;
    char text[256];
    snprintf(text, sizeof text, "has the path of another file without its first %" PRIu64 " name%s; %s", packing->strip,
             packing->strip == 1 ? "" : "s", fate_of(packing, MEMFS_PROBLEM_FILE));
    say(packing, path, text);
    packing->problems++;
    return packing->keep_going ? 0 : -1;
}

static int failed(const struct packing *packing, const char *thing, int error, const struct memfs_detail *detail)
{
    if (error == -ECANCELED || packing->sink_error == -ECANCELED || (packing->problems > 0 && !packing->keep_going)) {
        if (packing->failure.temporary[0] != '\0')
            message(thing, NULL, "its temporary file %s could not be removed", packing->failure.temporary);
        return EXIT_FAILED; /* by the user, or said already */
    }
    if (packing->sink_error != 0)
        message_error("standard output", NULL, packing->sink_error, NULL);
    else if (error == -EEXIST)
        message_error_hint(thing, NULL, error, NULL, "-f replaces it if it is an image");
    else
        message_error(thing, NULL, error, detail);
    return EXIT_FAILED;
}

/* ---- Scanning -------------------------------------------------------------------- */

static int scan_progress(void *context, const struct memfs_progress *progress)
{
    struct packing *packing = context;
    packing->bytes_total = progress->bytes_total;
    return progress_update(NULL, progress);
}

static int scan_failed(struct packing *packing, int error, const struct memfs_detail *detail)
{
    if (packing->selection.met_image)
        return message_usage("pack", "%s is itself among what is packed: name another image",
                             strcmp(packing->target.path, "-") == 0 ? "standard output" : packing->target.path);
    if (packing->sources.is_root)
        return failed(packing, packing->sources.all[0].path, error, detail);
    return failed(packing, detail->text[0] != '\0' ? NULL : packing->target.path, error, detail); /* which names one */
}

static int scan(struct packing *packing, memfs_backing **backing)
{
    struct memfs_detail detail = {.offset = UINT64_MAX};
    struct memfs_scan_options options = packing->scan;
    options.problem = source_problem;
    options.problem_context = packing;
    options.progress = scan_progress;
    options.progress_context = packing;
    if (selection_is_any(&packing->selection)) {
        options.filter = selection_filter;
        options.filter_context = &packing->selection;
    }
    progress_start("reading names:");
    int result = sources_scan(&packing->sources, &options, backing, &detail);
    if (result != 0)
        return scan_failed(packing, result, &detail);
    int missing =
        selection_say_missing(&packing->selection, packing->sources.all[0].path, fate_of(packing, MEMFS_PROBLEM_FILE));
    packing->problems += missing;
    return missing > 0 && !packing->keep_going ? EXIT_FAILED : EXIT_DONE;
}

static int is_empty(memfs *fs)
{
    struct memfs_statfs statfs;
    return memfs_statfs(fs, &statfs) == 0 && statfs.nodes <= 1;
}

/* The sources as a filesystem, cut as it is to be. */
static int make(struct packing *packing, memfs_backing *backing, memfs **fs)
{
    struct memfs_options options = {.size = sizeof options, .backing = backing};
    int result = memfs_create(&options, fs);
    const int was_empty = result == 0 && is_empty(*fs);
    if (result == 0 && packing->strip > 0)
        result = strip_components(*fs, packing->strip, strip_conflict, packing);
    packing->stripped = packing->strip > 0;
    packing->emptied = result == 0 && packing->stripped && !was_empty && is_empty(*fs);
    return result != 0 ? failed(packing, "pack", result == -EEXIST ? -ECANCELED : result, NULL) : EXIT_DONE;
}

/* ---- Listing ----------------------------------------------------------------------- */

static int list_json(const char *path, const struct memfs_stat *stat)
{
    struct json json = json_begin(stdout);
    json_text(&json, "path", path);
    json_text(&json, "type", json_type(stat->mode));
    json_mode(&json, "mode", stat->mode);
    json_unsigned(&json, "uid", stat->uid);
    json_unsigned(&json, "gid", stat->gid);
    if ((stat->mode & MEMFS_IFMT) != MEMFS_IFDIR)
        json_unsigned(&json, "size", stat->size);
    json_time(&json, "mtime", stat->mtime);
    json_end(&json);
    return output_text("", 0);
}

/* A memfs_walk_fn. */
static int list_one(void *context, const char *path, const struct memfs_stat *stat)
{
    (void)context;
    path += path[0] == '/';
    if (path[0] == '\0')
        return 0;
    int failure = common.json ? list_json(path, stat) : output_name(path, strlen(path));
    if (failure == 0 && !common.json)
        failure = output_text("\n", 1);
    return failure != 0 ? -ECANCELED : 0;
}

static int list(struct packing *packing, memfs *fs)
{
    output_in_large_pieces();
    int result = memfs_walk(fs, NULL, "/", MEMFS_WALK_SORTED, list_one, packing);
    int code = result != 0 && result != -ECANCELED ? message_error("pack", NULL, result, NULL) : EXIT_DONE;
    return message_worse(code, output_finish());
}

/* ---- Freezing ---------------------------------------------------------------------- */

static int freeze_progress(void *context, const struct memfs_progress *progress)
{
    const struct packing *packing = context;
    struct memfs_progress whole = *progress;
    if (whole.bytes_total == 0 && whole.bytes <= packing->bytes_total)
        whole.bytes_total = packing->bytes_total;
    return progress_update(NULL, &whole);
}

static int write_standard_output(void *context, const void *data, size_t length)
{
    struct packing *packing = context;
    packing->sink_error = output_bytes(data, length);
    return packing->sink_error;
}

int packing_check_memory(const struct packing *packing)
{
    struct memfs_detail detail = {.offset = UINT64_MAX};
    uint64_t least;
    const int error = memfs_freeze_memory_least(&packing->freeze, &least, &detail);
    if (error)
        return message_error(packing->target.path, NULL, error, &detail);
    if (packing->freeze.memory == 0 || packing->freeze.memory >= least)
        return EXIT_DONE;
    return message_usage("pack",
                         "--memory: too little for this level, --block and --window: at least %" PRIu64
                         "K; less for a smaller --window or --share files",
                         least / 1024 + (least % 1024 != 0));
}

static int freeze(struct packing *packing, memfs *fs)
{
    struct memfs_detail detail = {.offset = UINT64_MAX};
    struct memfs_freeze_options options = packing->freeze;
    options.failure = &packing->failure;
    options.file_mode = packing->target.place.mode;
    options.problem = source_problem;
    options.problem_context = packing;
    options.progress = freeze_progress;
    options.progress_context = packing;
    struct memfs_sink sink = {.write = write_standard_output, .context = packing};
    const char *path = packing->target.path;
    progress_start("packing");
    int result = strcmp(path, "-") == 0 ? memfs_freeze(fs, &sink, &options, &detail)
                                        : memfs_freeze_path(fs, path, &options, &detail);
    return result != 0 ? failed(packing, path, result, &detail) : EXIT_DONE;
}

static int write_summary(const char *path, uint64_t nodes, uint64_t bytes, double seconds)
{
    struct json json = json_begin(stdout);
    json_text(&json, "image", path);
    json_unsigned(&json, "nodes", nodes);
    json_unsigned(&json, "bytes", bytes);
    json_seconds(&json, "seconds", seconds);
    json_end(&json);
    return output_finish();
}

static int summarise(const struct packing *packing, memfs *fs, double seconds, int shown)
{
    struct memfs_statfs statfs;
    struct stat image;
    const char *path = packing->target.path;
    if (strcmp(path, "-") == 0 || stat(path, &image) != 0 || memfs_statfs(fs, &statfs) != 0)
        return EXIT_DONE;
    if (shown)
        progress_summary(path, statfs.nodes, (uint64_t)image.st_size, seconds);
    if (common.json && !common.quiet)
        return write_summary(path, statfs.nodes, (uint64_t)image.st_size, seconds);
    return EXIT_DONE;
}

/* Options may leave nothing of sources that have something: it is what they say, and hardly what was meant. */
static void say_emptiness(struct packing *packing, memfs *fs)
{
    if (!packing->emptied && !(packing->selection.left_out && is_empty(fs)))
        return;
    if (packing->emptied)
        message(packing->target.path, NULL, "is empty: no path has more than %" PRIu64 " name%s", packing->strip,
                packing->strip == 1 ? "" : "s");
    else
        message(packing->target.path, NULL, "is empty: what was asked for leaves nothing");
    packing->problems++;
}

/* Everything but the sources, and the place of the image. */
static int give_up_rest(const struct packing *packing)
{
    struct sandbox sandbox;
    sandbox_begin(&sandbox);
    for (size_t i = 0; i < packing->sources.count; i++) {
        const struct sources_one *one = &packing->sources.all[i];
        if (!S_ISLNK(one->stat.st_mode)) /* packed as it is */
            sandbox_allow(&sandbox, one->path, SANDBOX_READ);
    }
    if (!packing->dry_run && strcmp(packing->target.path, "-") != 0)
        sandbox_allow_beside(&sandbox, packing->target.path, SANDBOX_READ | SANDBOX_WRITE);
    return sandbox_enter(&sandbox);
}

/* What somebody who forgot which way round it goes, or wanted an image to be packed anew, may have meant. */
static void say_image(const struct packing *packing)
{
    const struct sources_one *one = packing->sources.all;
    const size_t length = packing->sources.count == 1 ? strlen(one->path) : 0;
    if (length > 4 && S_ISREG(one->stat.st_mode) && strcmp(one->path + length - 4, ".mfs") == 0 && !common.quiet)
        message(one->path, NULL, "is packed as a file, image or not; 'memfs unpack' takes out what is in an image");
}

int packing_run(struct packing *packing)
{
    memfs_backing *backing = NULL;
    memfs *fs = NULL;
    int shown;
    say_image(packing);
    int code = give_up_rest(packing);
    if (code == EXIT_DONE && !packing->dry_run)
        code = target_check_replaced(&packing->target);
    if (code != EXIT_DONE)
        return code;
    code = scan(packing, &backing);
    double seconds = progress_end(&shown);
    if (code == EXIT_DONE)
        code = make(packing, backing, &fs);
    if (code == EXIT_DONE && (packing->dry_run || common.verbose))
        code = list(packing, fs);
    if (code == EXIT_DONE && !packing->dry_run) {
        code = freeze(packing, fs);
        seconds += progress_end(&shown);
        if (code == EXIT_DONE)
            code = summarise(packing, fs, seconds, shown);
    }
    if (code == EXIT_DONE)
        say_emptiness(packing, fs);
    if (code == EXIT_DONE && packing->problems > 0)
        code = EXIT_INCOMPLETE;
    memfs_destroy(fs);
    memfs_backing_release(backing);
    return code;
}

void packing_free(struct packing *packing)
{
    sources_free(&packing->sources);
    target_free(&packing->target);
    selection_free(&packing->selection);
}
