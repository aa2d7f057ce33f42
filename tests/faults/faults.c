/*
 * Makes each system call of a command fail in turn, and looks at what it leaves:
 *
 *   faults [OPTION]... DIR -- COMMAND...
 *
 *   -s N      only each N-th case of errors, short reads and writes, and kills
 *   -d N      so many pairs of two faults
 *   -n REGEX  what a message must name
 *   -a ARGS   the command's arguments that bring it to its end after a kill, a space
 *             between two of them
 *   -p        what was half done may be there after a kill
 *   -l        it tells of each file that it cannot read, in a line of its own
 *   -i        it writes through stdio, which takes EINTR for an error
 *   -m        threads make the calls: their numbers differ from run to run
 *
 * DIR has before/, after/ (the same for a command that only writes to standard output)
 * and output, what that is to be; the command is run in DIR/box.
 * Prints "cases KIND COUNT", and "not ok ..." for each that went wrong.
 */
#define _GNU_SOURCE
#include "box.h"
#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* memfs's exit codes: something was left out; something cannot be read, made or written. */
#define INCOMPLETE 1
#define FAILED 4
#define ARGUMENTS_MOST 32
#define SHOWN_MOST 40 /* of what went wrong */

enum kind { ERRORS, EVER, DEAD, INTERRUPTED, SHORT, HALVES, KILLED, DOUBLE, KINDS };
static const char *const kind_names[KINDS] = {
    "error once", "error ever after", "all fails ever after", "EINTR", "short", "short everywhere",
    "kill -9",    "two faults"};

/* A call of the run without faults. */
struct seen {
    const struct call *call;
    char *path;
    int is_large; /* it reads or writes more than a byte */
    int access;   /* of an open or of a descriptor that is closed: O_PATH, O_RDONLY or another mode */
};

struct trial {
    struct box box;
    struct run run;
    char *const *again; /* NULL: the same command */
    char *out, *err, *expected;
    regex_t names;
    unsigned sample, doubles;
    int partial, tells_each, stdio, threads;
    struct seen *seen;
    unsigned seen_count, seen_room;
    unsigned long cases[KINDS];
    unsigned long tried;  /* to sample */
    unsigned long writes; /* the same of errors of calls that write */
    unsigned long missed; /* met no such call */
    unsigned wrong;
};

/* ---- Faults that change nothing --------------------------------------------------- */

enum place { ANYWHERE, ABOVE_BOX, BELOW_PROC, CLOCK, SANDBOX, SOURCE, IMAGE, PAGE, UNPACKED, OUTPUT };

/* A call whose failure the command may do without, if all comes out as it should. */
static const struct harmless {
    const char *call;
    int error;  /* 0: any */
    int access; /* -1: any */
    enum place place;
    const char *why;
} harmless[] = {
    {"mmap", 0, -1, ANYWHERE, "malloc has other ways"},
    {"clone3", 0, -1, ANYWHERE, "fewer threads do it too"},
    {"clone", 0, -1, ANYWHERE, "the same"},
    {"close", 0, O_RDONLY, ANYWHERE, "nothing was written"},
    {"close", 0, O_PATH, ANYWHERE, "nothing was written"},
    {"close", EINTR, -1, ANYWHERE, "it is closed"},
    {"openat", EEXIST, O_WRONLY, ANYWHERE, "another temporary name is tried"},
    {"openat", EACCES, O_RDONLY, ABOVE_BOX, "a directory that cannot be read cannot be synced, but written to"},
    {"openat", 0, O_PATH, ABOVE_BOX, "a first look whether the image lies in what is packed"},
    {"newfstatat", 0, -1, ABOVE_BOX, "the same"},
    {"openat", EPERM, O_RDONLY, ANYWHERE, "the same without O_NOATIME"},
    {"openat2", EPERM, -1, ANYWHERE, "the same with openat"},
    {"openat", 0, -1, BELOW_PROC, "the umask can be had otherwise"},
    {"newfstatat", 0, -1, BELOW_PROC, "the C library's, to choose a buffer"},
    {"read", 0, -1, BELOW_PROC, "the umask can be had otherwise"},
    {"openat", EMFILE, -1, ANYWHERE, "others are closed for it"},
    {"openat", ENFILE, -1, ANYWHERE, "others are closed for it"},
    {"fchmod", 0, -1, ABOVE_BOX, "the destination is not closed to others meanwhile"},
    {"openat", 0, -1, CLOCK, "times are those of Greenwich then, and messages have none"},
    {"newfstatat", 0, -1, CLOCK, "the same"},
    {"read", 0, -1, CLOCK, "the same"},
    {"lseek", 0, -1, CLOCK, "the same"},
    {"close", 0, -1, CLOCK, "the same"},
    {"close", 0, -1, SANDBOX, "nothing was written"},
    {"openat2", EMFILE, -1, ANYWHERE, "others are closed for it"},
    {"openat2", ENFILE, -1, ANYWHERE, "others are closed for it"},
    {"openat", 0, O_PATH, SOURCE, "made-up sizes are noticed when contents are read"},
    {"newfstatat", 0, -1, IMAGE, "a look before and after: what counts is renaming"},
    {"newfstatat", ENOENT, -1, UNPACKED, "what appears in its place is replaced, as asked for"},
    {"newfstatat", 0, -1, PAGE, "the same, and the C library's, to choose a buffer"},
    {"newfstatat", 0, -1, OUTPUT, "whether it is what is packed"},
    {"readlink", 0, -1, BELOW_PROC, "the same"},
    {"pread64", 0, -1, ANYWHERE, "entries that could not be read together are asked for one by one"},
    {"openat", EACCES, -1, IMAGE, "what is closed to us may be replaced nevertheless"},
    {"mkdir", 0, -1, ANYWHERE, "tried again below a directory that is held"},
    {"mkdirat", EEXIST, -1, ANYWHERE, "what is there already is looked at"},
    {"symlinkat", EEXIST, -1, ANYWHERE, "what appears in its place is replaced, as asked for"},
    {"mknodat", EEXIST, -1, ANYWHERE, "the same"},
    {"linkat", EEXIST, -1, ANYWHERE, "the same"},
    {"renameat2", EINVAL, -1, ANYWHERE, "where the host cannot do that, by a link"},
    {"renameat2", ENOENT, -1, ANYWHERE, "nothing is there any more that would have to be kept"},
    {"renameat2", 0, -1, ANYWHERE, "a page gets its name by a link then"},
    {"fgetxattr", 0, -1, ANYWHERE, "whatever cannot be asked is done as if there were an ACL"},
    {"fstatfs", 0, -1, ANYWHERE, "made-up sizes are noticed when contents are read"},
    {"listxattrat", ENOSYS, -1, ANYWHERE, "an older kernel: by path"},
    {"listxattrat", ERANGE, -1, ANYWHERE, "with more room"},
    {"lgetxattr", ERANGE, -1, ANYWHERE, "with more room"},
};

static int is_in_place(const struct trial *trial, const struct seen *seen, enum place place)
{
    const char *last = strrchr(seen->path, '/');
    switch (place) {
    case ABOVE_BOX:
        return last && (strcmp(last, "/out") == 0 || strncmp(seen->path, trial->box.path, strlen(seen->path)) == 0 ||
                        strstr(seen->path, "/..") || strcmp(last, "/.") == 0);
    case BELOW_PROC:
        return strncmp(seen->path, "/proc/", 6) == 0;
    case CLOCK:
        return strstr(seen->path, "/zoneinfo/") || strcmp(seen->path, "/etc/localtime") == 0;
    case SANDBOX:
        return strstr(seen->path, "landlock-ruleset") != NULL;
    case SOURCE:
        return strstr(seen->path, "/in/") != NULL;
    case UNPACKED:
        return strstr(seen->path, "/box/out/") != NULL;
    case PAGE:
        return strstr(seen->path, "page.html") != NULL;
    case OUTPUT:
        return strcmp(seen->path, trial->out) == 0;
    case IMAGE:
        return strstr(seen->path, "/box/image.mfs") != NULL;
    default:
        return 1;
    }
}

static int is_harmless(const struct trial *trial, const struct seen *seen, int error)
{
    for (size_t i = 0; i < sizeof harmless / sizeof harmless[0]; i++) {
        const struct harmless *one = &harmless[i];
        if (strcmp(one->call, seen->call->name) == 0 && (!one->error || one->error == error) &&
            (one->access < 0 || one->access == seen->access) && is_in_place(trial, seen, one->place))
            return 1;
    }
    return error == EINTR;
}

/* The call of the run without faults that has a fault's number. */
static const struct seen *seen_at(const struct trial *trial, const struct fault *fault)
{
    static char nowhere[] = "?";
    static const struct seen none = {&calls_other, nowhere, 0, 0};
    return fault->at <= trial->seen_count ? &trial->seen[fault->at - 1] : &none;
}

/* ---- What came of it ----------------------------------------------------------------- */

struct outcome {
    int status;
    enum box_state state;
    int strays;
    int output_is_right;
    char *message;
    unsigned lines;
};

static int same_file(const char *a, const char *b)
{
    size_t a_length, b_length;
    char *a_bytes = box_file(a, &a_length), *b_bytes = box_file(b, &b_length);
    int same = a_bytes && b_bytes && a_length == b_length && memcmp(a_bytes, b_bytes, a_length) == 0;
    free(a_bytes);
    free(b_bytes);
    return same;
}

static int look(struct trial *trial, const struct ran *ran, struct outcome *outcome)
{
    *outcome = (struct outcome){.status = ran->status};
    if (box_look(&trial->box, &outcome->state))
        return -1;
    outcome->strays = trial->box.strays;
    outcome->output_is_right = same_file(trial->out, trial->expected);
    outcome->message = box_file(trial->err, NULL);
    for (const char *at = outcome->message; at && *at; at++)
        outcome->lines += *at == '\n';
    return outcome->message ? 0 : -1;
}

static int is_done(const struct outcome *outcome)
{
    return WIFEXITED(outcome->status) && WEXITSTATUS(outcome->status) == 0;
}

static int is_made(const struct trial *trial, const struct outcome *outcome)
{
    return outcome->state == (trial->box.changes ? BOX_AFTER : BOX_BEFORE);
}

/* Everything went well, whatever the faults were: NULL, or what is wrong. */
static const char *judge_success(const struct trial *trial, const struct outcome *outcome)
{
    if (!is_done(outcome))
        return "did not succeed";
    if (!is_made(trial, outcome))
        return "says that it succeeded, and has not made what it was to make";
    if (outcome->strays)
        return "succeeded, and left a temporary file";
    return outcome->output_is_right ? NULL : "says that it succeeded, and wrote something else";
}

static int says(const struct outcome *outcome, const char *words)
{
    return strstr(outcome->message, words) != NULL;
}

/* What cannot be undone is told. */
static int says_what_stays(const struct outcome *outcome)
{
    return says(outcome, "removed") || says(outcome, "replaced") || says(outcome, "something else") ||
           says(outcome, "mode cannot be restored");
}

static const char *judge_message(const struct trial *trial, const struct outcome *outcome, int lines_most)
{
    if (outcome->lines == 0)
        return "failed, and said nothing";
    if ((int)outcome->lines > lines_most && !trial->tells_each)
        return "said more than one line";
    if (strncmp(outcome->message, "memfs: ", 7) != 0 || regexec(&trial->names, outcome->message, 0, NULL, 0) != 0)
        return "named no file";
    return NULL;
}

static int breaks_pipe(const struct trial *trial)
{
    for (size_t i = 0; i < trial->run.fault_count; i++)
        if (trial->run.faults[i].error == EPIPE)
            return 1;
    return 0;
}

/* An attribute that the host does not take is left out, and that is told. */
static int refuses_attribute(const struct trial *trial)
{
    for (size_t i = 0; i < trial->run.fault_count; i++) {
        const struct fault *fault = &trial->run.faults[i];
        const int error = fault->error;
        if (strstr(seen_at(trial, fault)->call->name, "setxattr") &&
            (error == ENOSPC || error == EOPNOTSUPP || error == EPERM || error == ERANGE || error == E2BIG))
            return 1;
    }
    return 0;
}

/* The host says of all that it is not there, from now on: what was to be undone seems to be gone. */
static int is_all_gone(const struct trial *trial)
{
    const struct fault *fault = &trial->run.faults[0];
    return fault->kind == FAULT_ERROR_EVER && fault->error == ENOENT &&
           strcmp(seen_at(trial, fault)->call->name, "newfstatat") == 0;
}

/* One that failed. `single`: there was one fault, so that all could be undone. */
static const char *judge_failure(const struct trial *trial, const struct outcome *outcome, int single)
{
    if (WIFSIGNALED(outcome->status) && WTERMSIG(outcome->status) == SIGPIPE && breaks_pipe(trial))
        return outcome->state != BOX_BEFORE || outcome->strays ? "left something when nobody read any more" : NULL;
    if (!WIFEXITED(outcome->status))
        return "died by a signal";
    if (WEXITSTATUS(outcome->status) == INCOMPLETE && refuses_attribute(trial))
        return judge_message(trial, outcome, 2);
    if (WEXITSTATUS(outcome->status) != FAILED)
        return "has another exit code than 4";
    const char *wrong = judge_message(trial, outcome, single && !says_what_stays(outcome) ? 1 : 3);
    if (wrong)
        return wrong;
    if (outcome->state == BOX_AFTER && trial->box.changes &&
        (says(outcome, "is in place") || says(outcome, "was replaced") || says(outcome, "standard output")))
        return NULL;
    if (outcome->state == BOX_BEFORE && !outcome->strays)
        return NULL;
    if (trial->partial && is_all_gone(trial))
        return NULL;
    if (says_what_stays(outcome) && (!single || says(outcome, "something else was put in its place")))
        return NULL;
    return outcome->state != BOX_BEFORE ? "failed, and changed something" : "failed, and left a temporary file";
}

/* ---- A case ---------------------------------------------------------------------------- */

static void describe(const struct trial *trial, const struct fault *fault, char *text, size_t room)
{
    static const char *const kinds[] = {"fails once:", "fails ever after:", "and all fail:", "does one byte",
                                        "does half",   "is not reached",    "EINTR from on", "half from on"};
    const struct seen *seen = seen_at(trial, fault);
    snprintf(text, room, "call %u, %s(%s), %s %s", fault->at, seen->call->name, seen->path, kinds[fault->kind],
             fault->kind <= FAULT_DEAD ? call_error_name(fault->error) : "");
}

static void complain(struct trial *trial, const char *wrong, const struct outcome *outcome)
{
    char text[512];
    if (++trial->wrong > SHOWN_MOST)
        return;
    printf("not ok %s: %s", trial->run.command[1], wrong);
    for (size_t i = 0; i < trial->run.fault_count; i++) {
        describe(trial, &trial->run.faults[i], text, sizeof text);
        printf("; %s", text);
    }
    printf(" (status %x, box %d, %d strays): %s\n", (unsigned)outcome->status, (int)outcome->state, outcome->strays,
           outcome->message && outcome->message[0] ? outcome->message : "");
}

/* What is unpacked into directories that are there leaves them their attributes. */
static int is_made_again(const struct trial *trial, const struct outcome *outcome)
{
    return is_made(trial, outcome) || (trial->partial && box_has_files(&trial->box));
}

/* The command again, without faults: it comes to its end whatever was left. */
static const char *judge_again(struct trial *trial)
{
    struct run run = trial->run;
    struct ran ran;
    struct outcome outcome;
    run.fault_count = 0;
    run.command = trial->again ? trial->again : run.command;
    if (runner_run(&run, &ran) || look(trial, &ran, &outcome))
        return "cannot be run again";
    const char *wrong = !is_done(&outcome)                              ? "fails when it is run again"
                        : !is_made_again(trial, &outcome)               ? "does something else when it is run again"
                        : outcome.output_is_right == 0 && !trial->again ? "writes something else when it is run again"
                                                                        : NULL;
    free(outcome.message);
    return wrong;
}

static const char *judge_kill(struct trial *trial, const struct outcome *outcome)
{
    if (!WIFSIGNALED(outcome->status) || WTERMSIG(outcome->status) != SIGKILL)
        return "was not killed";
    if (outcome->state == BOX_OTHER && !trial->partial)
        return "was killed, and left neither what was there nor what was to be";
    if (outcome->strays > 1 && !trial->partial)
        return "was killed, and left more than one temporary file";
    return judge_again(trial);
}

static const char *judge_error(struct trial *trial, const struct outcome *outcome, const struct ran *ran)
{
    const struct fault *fault = &trial->run.faults[0];
    const int single = trial->run.fault_count == 1 && fault->kind == FAULT_ERROR;
    const struct seen *seen = seen_at(trial, fault);
    if (!is_done(outcome)) {
        const char *wrong = judge_failure(trial, outcome, single);
        if (!wrong && single && !trial->threads && fault->error == EINTR && seen->call->restarts &&
            !(trial->stdio && seen->call->data == CALL_WRITES))
            wrong = "took an interruption for a failure";
        if (!wrong && (outcome->state != BOX_BEFORE || outcome->strays))
            wrong = judge_again(trial);
        return wrong;
    }
    const char *wrong = judge_success(trial, outcome);
    if (!wrong && single && !trial->threads && ran->faults && !is_harmless(trial, seen, fault->error))
        wrong = "did not notice";
    return wrong;
}

/* *met: whether the call was made. */
static int try_once(struct trial *trial, enum kind kind, const struct fault *faults, size_t count, int *met)
{
    struct ran ran;
    struct outcome outcome;
    const char *wrong;
    trial->run.faults = faults;
    trial->run.fault_count = count;
    if (runner_run(&trial->run, &ran) || look(trial, &ran, &outcome))
        return -1;
    if (ran.faults == 0 && !trial->threads)
        wrong = "made other calls than before";
    else if (ran.faults == 0)
        wrong = judge_success(trial, &outcome);
    else if (kind == KILLED)
        wrong = judge_kill(trial, &outcome);
    else if (kind == INTERRUPTED && trial->stdio)
        wrong = judge_error(trial, &outcome, &ran);
    else if (kind == INTERRUPTED || kind == SHORT || kind == HALVES)
        wrong = judge_success(trial, &outcome);
    else
        wrong = judge_error(trial, &outcome, &ran);
    if (wrong)
        complain(trial, wrong, &outcome);
    *met = ran.faults > 0;
    free(outcome.message);
    return outcome.state == BOX_BEFORE && !outcome.strays && kind != KILLED ? 0 : box_reset(&trial->box);
}

/* Where threads make the calls, one of them may have another number this time, and that one the next. */
static int try_case(struct trial *trial, enum kind kind, const struct fault *faults, size_t count)
{
    int met = 0, failed = 0;
    for (unsigned tries = trial->threads ? 5 : 1; !failed && !met && tries > 0; tries--)
        failed = try_once(trial, kind, faults, count, &met);
    trial->cases[kind] += met > 0;
    trial->missed += !met;
    return failed;
}

static int is_sampled(struct trial *trial)
{
    return trial->tried++ % trial->sample == 0;
}

/* One in six, in step with nothing: by multiples of the golden ratio. */
static int is_sampled_write(struct trial *trial)
{
    return trial->sample == 1 || trial->writes++ * 40503 % 65536 * 6 < 65536;
}

static int try_one(struct trial *trial, enum kind kind, unsigned at, enum fault_kind fault, int error)
{
    const struct fault one = {at, fault, error, fault == FAULT_KILL ? NULL : trial->seen[at - 1].call};
    return is_sampled(trial) ? try_case(trial, kind, &one, 1) : 0;
}

/* ---- All cases -------------------------------------------------------------------------- */

/* What is written can be lost: one error of a sixth of such calls is in every sample. */
static int is_writing(const struct seen *seen)
{
    static const char *const names[] = {"write",  "pwrite64", "ftruncate", "fsync",     "syncfs",
                                        "fchmod", "fchown",   "rename",    "renameat2", "utimensat"};
    if (strcmp(seen->call->name, "close") == 0)
        return seen->access == O_WRONLY;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(seen->call->name, names[i]) == 0)
            return 1;
    return 0;
}

static int try_errors(struct trial *trial, unsigned at)
{
    const struct call *call = trial->seen[at - 1].call;
    int failed = 0;
    if (call == &calls_other)
        return 0;
    for (size_t i = 0; !failed && i < CALL_ERRORS && call->errors[i]; i++) {
        const struct fault one = {at, FAULT_ERROR, call->errors[i], call};
        if (i == 0 && is_writing(&trial->seen[at - 1]) && is_sampled_write(trial))
            failed = try_case(trial, ERRORS, &one, 1);
        else
            failed = try_one(trial, ERRORS, at, FAULT_ERROR, call->errors[i]);
        if (!failed)
            failed = try_one(trial, EVER, at, FAULT_ERROR_EVER, call->errors[i]);
    }
    if (!failed)
        failed = try_one(trial, call->restarts ? INTERRUPTED : ERRORS, at, FAULT_ERROR, EINTR);
    if (!failed && call->arguments != CALL_NONE)
        failed = try_one(trial, DEAD, at, FAULT_DEAD, EIO);
    return failed;
}

static int try_call(struct trial *trial, unsigned at)
{
    int failed = try_errors(trial, at);
    if (!failed && trial->seen[at - 1].is_large) {
        failed = try_one(trial, SHORT, at, FAULT_ONE_BYTE, 0);
        if (!failed)
            failed = try_one(trial, SHORT, at, FAULT_HALF, 0);
    }
    return failed ? failed : try_one(trial, KILLED, at, FAULT_KILL, 0);
}

/* One fails, and soon after another: mostly one of those that clear up. */
static int try_doubles(struct trial *trial)
{
    unsigned long long state = 1;
    int failed = 0;
    for (unsigned i = 0; !failed && i < trial->doubles; i++) {
        struct fault two[2];
        state = state * 6364136223846793005u + 1442695040888963407u;
        unsigned at = (unsigned)(state >> 33) % trial->seen_count + 1, later = (unsigned)(state >> 20) % 12 + 1;
        const struct call *call = trial->seen[at - 1].call;
        if (call == &calls_other)
            continue;
        two[0] = (struct fault){at, FAULT_ERROR, call->errors[0], call};
        two[1] = (struct fault){at + later, FAULT_ERROR, EIO, NULL};
        failed = try_case(trial, DOUBLE, two, 2);
    }
    return failed;
}

static int try_all(struct trial *trial)
{
    const struct fault interrupts = {1, FAULT_INTERRUPTS, 0, NULL}, halves = {1, FAULT_HALVES, 0, NULL};
    int failed = try_case(trial, INTERRUPTED, &interrupts, 1);
    if (!failed)
        failed = try_case(trial, HALVES, &halves, 1);
    for (unsigned at = 1; !failed && at <= trial->seen_count; at++)
        failed = try_call(trial, at);
    return failed ? failed : try_doubles(trial);
}

/* How a file is opened, or was: what cannot be written has nothing to lose. */
static int access_of(const struct called *called)
{
    const int mask = O_ACCMODE | O_PATH;
    char path[64];
    unsigned flags = 0;
    if (called->call->number == SYS_openat)
        return (int)called->arguments[2] & mask;
    if (called->call->number != SYS_close)
        return O_RDONLY;
    snprintf(path, sizeof path, "/proc/%d/fdinfo/%d", (int)called->pid, (int)called->arguments[0]);
    char *text = box_file(path, NULL);
    const char *line = text ? strstr(text, "flags:") : NULL;
    if (line)
        flags = (unsigned)strtoul(line + strlen("flags:"), NULL, 8);
    free(text);
    return (int)flags & mask;
}

/* A runner_watch. */
static void note(void *context, const struct called *called)
{
    struct trial *trial = context;
    char path[4200];
    if (trial->seen_count == trial->seen_room) {
        trial->seen_room = trial->seen_room ? 2 * trial->seen_room : 256;
        trial->seen = realloc(trial->seen, trial->seen_room * sizeof *trial->seen);
        if (!trial->seen)
            abort();
    }
    if (called->call->number == SYS_fcntl && called->arguments[1] != F_DUPFD_CLOEXEC) {
        trial->seen[trial->seen_count++] = (struct seen){&calls_other, strdup(""), 0, 0};
        return;
    }
    runner_path(called, path, sizeof path);
    const int is_large = called->call->data != CALL_NO_DATA && called->arguments[2] > 1;
    trial->seen[trial->seen_count++] = (struct seen){called->call, strdup(path), is_large, access_of(called)};
}

/* Which calls there are, and whether all is well without faults. */
static int try_none(struct trial *trial)
{
    struct ran ran;
    struct outcome outcome;
    trial->run.watch = note;
    trial->run.context = trial;
    int failed = runner_run(&trial->run, &ran) || look(trial, &ran, &outcome);
    if (failed)
        return -1;
    trial->run.watch = NULL;
    const char *wrong = judge_success(trial, &outcome);
    if (!wrong && trial->seen_count < 10)
        wrong = "made no calls that could be seen";
    if (wrong)
        complain(trial, wrong, &outcome);
    free(outcome.message);
    return wrong ? -1 : box_reset(&trial->box);
}

/* ---- The command line -------------------------------------------------------------------- */

static char **split(char *memfs, char *text)
{
    static char *arguments[ARGUMENTS_MOST];
    size_t count = 0;
    arguments[count++] = memfs;
    for (char *word = strtok(text, " "); word && count + 1 < ARGUMENTS_MOST; word = strtok(NULL, " "))
        arguments[count++] = word;
    arguments[count] = NULL;
    return arguments;
}

static int read_options(struct trial *trial, int argc, char **argv)
{
    const char *names = ".";
    char *again = NULL;
    for (int option; (option = getopt(argc, argv, "+s:d:n:a:plim")) != -1;) {
        switch (option) {
        case 's':
            trial->sample = (unsigned)atoi(optarg);
            break;
        case 'd':
            trial->doubles = (unsigned)atoi(optarg);
            break;
        case 'n':
            names = optarg;
            break;
        case 'a':
            again = optarg;
            break;
        case 'p':
            trial->partial = 1;
            break;
        case 'l':
            trial->tells_each = 1;
            break;
        case 'i':
            trial->stdio = 1;
            break;
        case 'm':
            trial->threads = 1;
            break;
        default:
            return -1;
        }
    }
    if (argc - optind < 3 || trial->sample == 0 || regcomp(&trial->names, names, REG_EXTENDED | REG_NOSUB) != 0)
        return -1;
    trial->run.command = argv + optind + 2 - (strcmp(argv[optind + 1], "--") != 0);
    trial->again = again ? split(trial->run.command[0], again) : NULL;
    return 0;
}

static int begin(struct trial *trial, const char *directory)
{
    if (box_open(&trial->box, directory) || asprintf(&trial->out, "%s/out", directory) < 0 ||
        asprintf(&trial->err, "%s/err", directory) < 0 || asprintf(&trial->expected, "%s/output", directory) < 0)
        return -1;
    trial->run.directory = trial->box.path;
    trial->run.out = trial->out;
    trial->run.err = trial->err;
    return 0;
}

static void end(struct trial *trial)
{
    for (unsigned i = 0; i < trial->seen_count; i++)
        free(trial->seen[i].path);
    free(trial->seen);
    free(trial->out);
    free(trial->err);
    free(trial->expected);
    regfree(&trial->names);
    box_close(&trial->box);
}

int main(int argc, char **argv)
{
    static struct trial trial = {.sample = 1};
    if (read_options(&trial, argc, argv)) {
        fprintf(stderr, "usage: faults [-s N] [-d N] [-n REGEX] [-a ARGS] [-p] [-l] [-i] [-m] DIR -- COMMAND...\n");
        return 2;
    }
    int failed = begin(&trial, argv[optind]) || try_none(&trial) || try_all(&trial);
    if (failed)
        printf("not ok %s: did not come to its end\n", trial.run.command[1]);
    unsigned long cases = 0;
    for (size_t i = 0; i < KINDS; i++) {
        printf("cases %s %lu\n", kind_names[i], trial.cases[i]);
        cases += trial.cases[i];
    }
    const int is_vain = trial.missed > cases; /* of threads some calls have other numbers than before */
    printf("wrong %u of %u calls' cases, %lu met no such call\n", trial.wrong, trial.seen_count, trial.missed);
    end(&trial);
    return failed || trial.wrong || is_vain ? 1 : 0;
}
