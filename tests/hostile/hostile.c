/*
 * Hostile images: makes those of the table in cases.c, each resealed and raw, and sees what
 * the library and the command do with them.
 *
 *   hostile [-t] [-k DIRECTORY] [NAME...]
 *
 * Of all images: no crash, 10 seconds and 256 MiB at most, what the table says, and nothing
 * changed outside of where they are unpacked. The command's subcommands are run on all of
 * them with MEMFS_FULL, else on one in 29, with MEMFS_FAST on one in 97. With names only those
 * cases; -t tells what becomes of each instead of judging it, -k keeps the images.
 */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "commands.h"
#include "fields.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORKERS 2u
#define KINDS 67u

/* What became of an image; shared with the process that made it. */
struct outcome {
    int tried, commands, failed;
    char text[2000];
};

struct run {
    struct bases bases;
    unsigned share; /* the commands are run on one image of so many */
    int tell;
    char *keep; /* NULL: images are not kept */
    char **names;
    size_t names_count;
    struct outcome *outcomes; /* two a case: resealed, raw */
    _Atomic(size_t) *current; /* by worker */
    struct command_result sound[BASES][COMMANDS];
    struct walk_files files[BASES];
};

/* ---- What is outside --------------------------------------------------------- */

static void need(int right, const char *what)
{
    if (right)
        return;
    perror(what);
    exit(2);
}

static void write_file(const char *path, const void *data, size_t length)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    need(fd >= 0 && write(fd, data, length) == (ssize_t)length && close(fd) == 0, path);
}

/* Paths that are longer than the kernel takes are left to one that goes from directory to directory. */
static void remove_tree(const char *path)
{
    struct stat found;
    int status = 0;
    test_remove_tree(path);
    if (lstat(path, &found))
        return;
    const pid_t pid = fork();
    if (pid == 0) {
        execlp("rm", "rm", "-rf", "--", path, (char *)NULL);
        _exit(127);
    }
    need(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0, path);
}

/* Beside the destination, where links of images lead. */
static void make_canary(void)
{
    need(mkdir("outside", 0700) == 0 && mkdir("outside/kept", 0700) == 0, "outside");
    write_file("outside/canary", "sings\n", 6);
}

static const char *check_canary(void)
{
    struct stat status;
    char bytes[8] = "";
    const int fd = open("outside/canary", O_RDONLY | O_NOFOLLOW);
    if (fd < 0 || fstat(fd, &status) || read(fd, bytes, sizeof bytes) != 6 || close(fd))
        return "the file outside of the destination is gone";
    if (memcmp(bytes, "sings\n", 6) != 0 || status.st_mode != (S_IFREG | 0600) || status.st_nlink != 1)
        return "the file outside of the destination is changed";
    if (stat("outside", &status) || status.st_nlink != 3 || status.st_mode != (S_IFDIR | 0700))
        return "the directory outside of the destination is changed";
    if (rmdir("outside/kept") || mkdir("outside/kept", 0700))
        return "something was put outside of the destination";
    return NULL;
}

/* ---- Making an image ------------------------------------------------------------ */

static void make_image(const struct run *run, const struct hostile_case *what, int raw, struct test_buffer *out)
{
    struct surgery s;
    struct fields *fields = calloc(1, sizeof *fields);
    need(fields != NULL, "memory");
    base_open(&run->bases, what->base, &s);
    s.stale = raw;
    fields_apply(fields, &s, what->changes); /* while paths are what they were */
    if (what->edit)
        what->edit(&s);
    surgery_close(&s, out);
    surgery_free(&s);
    fields_finish(fields, out);
    free(fields);
}

static void make_sound(const struct run *run, enum base base, struct test_buffer *out)
{
    struct surgery s;
    base_open(&run->bases, base, &s);
    surgery_close(&s, out);
    surgery_free(&s);
}

/* ---- Judging --------------------------------------------------------------------- */

static void blame(struct outcome *outcome, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void blame(struct outcome *outcome, const char *format, ...)
{
    const size_t used = strlen(outcome->text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(outcome->text + used, sizeof outcome->text - used, format, arguments);
    va_end(arguments);
    outcome->failed = 1;
}

static char letter_of_error(int error)
{
    return error == 0 ? '0' : error <= -4001 && error >= -4099 ? '3' : '4';
}

static char letter_of_code(int code)
{
    if (code == 128 + SIGXCPU || code == 128 + SIGALRM || code == 128 + SIGKILL)
        return 'T';
    return code < 10 ? (char)('0' + code) : 'S';
}

/* Whatever the table says. */
static void judge_always(const struct walked *walked, struct outcome *outcome)
{
    const int error = walked->open ? walked->open : walked->verify;
    if (walked->peak > WALK_MEMORY_MOST)
        blame(outcome, "  %llu bytes of memory\n", (unsigned long long)walked->peak);
    if (walked->live)
        blame(outcome, "  %llu bytes leaked\n", (unsigned long long)walked->live);
    if (error && (walked->detail.error != error || !walked->detail.text[0]))
        blame(outcome, "  error %d says nothing\n", error);
    if (!walked->open && !walked->export && !walked->walk && !walked->read_stopped &&
        walked->names != walked->names_out)
        blame(outcome, "  %u names are unpacked, of %u\n", walked->names_out, walked->names);
    if (!walked->verify && !walked->open && (walked->walk || walked->read))
        blame(outcome, "  found intact, but walking is %d and reading %d\n", walked->walk, walked->read);
    const char *canary = check_canary();
    if (canary)
        blame(outcome, "  %s\n", canary);
}

/* Of raw images: what is told is what is told of the sound one. */
static void judge_command(const struct run *run, enum base base, int raw, size_t command,
                          const struct command_result *result, struct outcome *outcome)
{
    const unsigned number = base_number(base);
    if (raw && result->code == 0 && strcmp(command_names[command], "unpack") != 0 &&
        strcmp(command_names[command], "diff") != 0 && result->output != run->sound[number][command].output)
        blame(outcome, "  %s exits 0, and says something else of the damaged image than of the sound one\n",
              command_names[command]);
    if (result->code > 1 && result->quiet)
        blame(outcome, "  %s exits %d and says nothing\n", command_names[command], result->code);
}

static void run_commands(const struct run *run, const struct hostile_case *what, int raw, const struct walked *walked,
                         char *steps, struct outcome *outcome)
{
    struct command_result results[COMMANDS];
    struct stat status;
    outcome->commands = 1;
    /* Where no file is found, and of raw images, those that there should be. */
    const int is_found = walked->files.count && !raw;
    commands_run(is_found ? &walked->files : &run->files[base_number(what->base)], results);
    for (size_t i = 0; i < COMMANDS; i++) {
        steps[i] = letter_of_code(results[i].code);
        judge_command(run, what->base, raw, i, &results[i], outcome);
    }
    if (results[COMMANDS - 1].code > 1 && lstat("out", &status) == 0) /* 1: all but what this host has no place for */
        blame(outcome, "  unpack fails and leaves something\n");
    const char *canary = check_canary();
    if (canary)
        blame(outcome, "  after unpack: %s\n", canary);
    remove_tree("out");
}

static void judge_table(const struct hostile_case *what, int raw, const struct walked *walked, const char *steps,
                        struct outcome *outcome)
{
    const int error = walked->open ? walked->open : walked->verify, want = raw ? what->raw_error : what->error;
    const char *wanted = raw ? what->raw_steps : what->steps;
    const char *said = walked->open ? walked->detail.text : walked->findings;
    if (error != want)
        blame(outcome, "  %s, wanted %s; it said: %s\n", memfs_strerror(error), memfs_strerror(want), said);
    else if (error && !raw && !strstr(said, what->finding))
        blame(outcome, "  wanted \"%s\" in: %s\n", what->finding, said);
    for (size_t i = 0; i < STEPS; i++) {
        static const char *const others[] = {"walk", "read", "export"};
        if (steps[i] != '-' && wanted[i] != '.' && steps[i] != wanted[i])
            blame(outcome, "  %s: %c, wanted %c\n", i < COMMANDS ? command_names[i] : others[i - COMMANDS], steps[i],
                  wanted[i]);
        if (wanted[i] == '.' && (steps[i] == 'S' || steps[i] == 'T'))
            blame(outcome, "  %s: %c\n", command_names[i], steps[i]);
    }
}

static void tell(const struct hostile_case *what, int raw, const struct walked *walked, const char *steps)
{
    const char *said = walked->open ? walked->detail.text : walked->findings;
    printf("%s\t%s\t%d\t%s\t%d\t%.*s\t%llu\n", what->name, base_name(what->base), raw, steps,
           walked->open ? walked->open : walked->verify, (int)strcspn(said, "\n"), said,
           (unsigned long long)walked->peak);
    fflush(stdout);
}

/* Named by class and reason. */
static void keep_image(const struct run *run, const struct hostile_case *what, int raw, const struct test_buffer *image)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%02u-%s.%s.%s.mfs", run->keep, what->kind, what->name, base_name(what->base),
             raw ? "raw" : "resealed");
    write_file(path, image->data, image->length);
}

static int is_wanted(const struct run *run, const struct hostile_case *what)
{
    for (size_t i = 0; i < run->names_count; i++)
        if (strcmp(run->names[i], what->name) == 0)
            return 1;
    return run->names_count == 0;
}

/* Whether the commands are run on it, too. */
static int is_commanded(const struct run *run, size_t number, int raw)
{
    return is_wanted(run, &hostile_cases[number]) &&
           (run->names_count || run->tell || (number + (raw ? run->share / 2 : 0)) % run->share == 0);
}

static void try_image(struct run *run, size_t number, int raw)
{
    const struct hostile_case *what = &hostile_cases[number];
    struct outcome *outcome = &run->outcomes[2 * number + (size_t)raw];
    static struct walked walked;
    struct test_buffer image = {0}, sound = {0};
    char steps[STEPS + 1] = "----------";
    const struct itimerval limit = {.it_value = {.tv_sec = COMMAND_SECONDS}}, none = {.it_value = {0}};
    make_image(run, what, raw, &image);
    if (run->keep)
        keep_image(run, what, raw, &image);
    setitimer(ITIMER_PROF, &limit, NULL);
    alarm(HANG_SECONDS);
    walk_image(&image, "out", &walked);
    setitimer(ITIMER_PROF, &none, NULL);
    alarm(0);
    steps[COMMANDS] = letter_of_error(walked.open ? walked.open : walked.walk);
    steps[COMMANDS + 1] = letter_of_error(walked.open ? walked.open : walked.read);
    steps[COMMANDS + 2] = letter_of_error(walked.open ? walked.open : walked.export);
    judge_always(&walked, outcome);
    remove_tree("out");
    if (is_commanded(run, number, raw)) {
        write_file("image.mfs", image.data, image.length);
        make_sound(run, what->base, &sound);
        write_file("sound.mfs", sound.data, sound.length);
        run_commands(run, what, raw, &walked, steps, outcome);
    }
    if (run->tell)
        tell(what, raw, &walked, steps);
    else
        judge_table(what, raw, &walked, steps, outcome);
    test_buffer_free(&image);
    test_buffer_free(&sound);
    outcome->tried = 1;
}

/* ---- Processes --------------------------------------------------------------------- */

/* All cases of a worker from one on; each image is tried by one process alone. */
static void work(struct run *run, unsigned worker, size_t from)
{
    for (size_t image = from; image < 2 * hostile_cases_count; image++) {
        if (image / 2 % WORKERS != worker || !is_wanted(run, &hostile_cases[image / 2]))
            continue;
        run->current[worker] = image;
        try_image(run, image / 2, (int)(image % 2));
    }
    fflush(NULL);
    exit(0);
}

static pid_t start(struct run *run, unsigned worker, size_t from)
{
    char directory[16];
    snprintf(directory, sizeof directory, "worker%u", worker);
    fflush(NULL);
    const pid_t pid = fork();
    need(pid >= 0, "fork");
    if (pid == 0) {
        need(chdir(directory) == 0, directory);
        work(run, worker, from);
    }
    return pid;
}

/* A worker that ends by a signal, or too early, has met an image that did that. */
static void supervise(struct run *run)
{
    pid_t pids[WORKERS];
    unsigned running = WORKERS;
    for (unsigned i = 0; i < WORKERS; i++)
        pids[i] = start(run, i, 0);
    while (running) {
        int status;
        const pid_t pid = wait(&status);
        need(pid > 0, "wait");
        for (unsigned i = 0; i < WORKERS; i++) {
            if (pids[i] != pid)
                continue;
            running--;
            if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
                continue;
            const size_t image = run->current[i];
            blame(&run->outcomes[image], "  the process ended: %s %d\n", WIFSIGNALED(status) ? "signal" : "exit code",
                  WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
            run->outcomes[image].tried = 1;
            pids[i] = start(run, i, image + 1);
            running++;
        }
    }
}

/* Whether what the command says of an image will be compared with what it says of this sound one. */
static int is_compared(const struct run *run, enum base base)
{
    for (size_t i = 0; i < hostile_cases_count; i++)
        if (hostile_cases[i].base == base && (is_commanded(run, i, 0) || is_commanded(run, i, 1)))
            return 1;
    return 0;
}

/* What the command says of sound images. */
static void learn_sound(struct run *run)
{
    for (size_t i = 0; i < BASES; i++) {
        static struct walked walked;
        struct test_buffer sound = {0};
        make_sound(run, 1 << i, &sound);
        write_file("image.mfs", sound.data, sound.length);
        write_file("sound.mfs", sound.data, sound.length);
        walk_image(&sound, "out", &walked);
        remove_tree("out");
        if (walked.open || walked.verify || walked.walk || walked.read || walked.export) {
            fprintf(stderr, "hostile: %s is not sound: %s\n", base_name(1 << i), walked.detail.text);
            exit(2);
        }
        run->files[i] = walked.files;
        if (!walked.files.count)
            strcpy(run->files[i].path[run->files[i].count++], "/");
        if (!run->tell && is_compared(run, 1 << i))
            commands_run(&run->files[i], run->sound[i]);
        for (size_t k = 0; k < COMMANDS; k++)
            if (run->sound[i][k].code != 0 && strcmp(command_names[k], "cat") != 0)
                fprintf(stderr, "hostile: %s of %s: %d\n", command_names[k], base_name(1 << i), run->sound[i][k].code);
        remove_tree("out");
        test_buffer_free(&sound);
    }
}

/* ---- What is told ---------------------------------------------------------------------- */

static int report(const struct run *run)
{
    unsigned failed = 0, passed = 0, commands = 0;
    for (size_t first = 0; first < hostile_cases_count;) {
        const char *kind = hostile_kind(hostile_cases[first].kind);
        unsigned classes = 0, cases = 0, images = 0;
        uint8_t seen[KINDS] = {0};
        for (; first < hostile_cases_count && strcmp(hostile_kind(hostile_cases[first].kind), kind) == 0; first++) {
            cases++;
            classes += !seen[hostile_cases[first].kind]++;
            for (size_t image = 2 * first; image < 2 * first + 2; image++) {
                const struct outcome *outcome = &run->outcomes[image];
                images += (unsigned)outcome->tried;
                commands += (unsigned)outcome->commands;
                passed += outcome->tried && !outcome->failed;
                failed += (unsigned)outcome->failed;
                if (outcome->failed)
                    printf("not ok %u %s of %s, %s\n%s", hostile_cases[first].kind, hostile_cases[first].name,
                           base_name(hostile_cases[first].base), image % 2 ? "raw" : "resealed", outcome->text);
            }
        }
        printf("tried  %-16s %2u classes, %3u cases, %3u images\n", kind, classes, cases, images);
    }
    printf("tried  the %u subcommands on %u of these images\n", (unsigned)COMMANDS, commands);
    printf("%u passed, %u failed\n", passed, failed);
    return failed || !passed;
}

static void *shared(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    need(memory != MAP_FAILED, "memory");
    return memory;
}

static void make_workplaces(char *directory)
{
    need(mkdtemp(directory) != NULL && chdir(directory) == 0, directory);
    for (unsigned i = 0; i < WORKERS; i++) {
        char name[16];
        snprintf(name, sizeof name, "worker%u", i);
        need(mkdir(name, 0700) == 0 && chdir(name) == 0, name);
        make_canary();
        need(chdir("..") == 0, "..");
    }
}

static int take_options(struct run *run, int argc, char **argv)
{
    int option;
    while ((option = getopt(argc, argv, "tk:")) != -1) {
        if (option == 't')
            run->tell = 1;
        else if (option == 'k')
            run->keep = realpath(optarg, NULL);
        else
            return -1;
    }
    run->names = argv + optind;
    run->names_count = (size_t)(argc - optind);
    run->share = getenv("MEMFS_FULL") ? 1 : getenv("MEMFS_FAST") ? 97 : 29;
    return 0;
}

int main(int argc, char **argv)
{
    static struct run run;
    char directory[] = "/tmp/memfs-hostile.XXXXXX";
    if (take_options(&run, argc, argv))
        return 2;
    umask(022);
    run.outcomes = shared(2 * hostile_cases_count * sizeof *run.outcomes);
    run.current = shared(WORKERS * sizeof *run.current);
    bases_make(&run.bases);
    make_workplaces(directory);
    learn_sound(&run);
    supervise(&run);
    need(chdir("/") == 0, "/");
    remove_tree(directory);
    const int failed = run.tell ? 0 : report(&run);
    bases_free(&run.bases);
    free(run.keep);
    munmap(run.outcomes, 2 * hostile_cases_count * sizeof *run.outcomes);
    munmap(run.current, WORKERS * sizeof *run.current);
    return failed;
}
