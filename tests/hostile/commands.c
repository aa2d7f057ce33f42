#include "commands.h"

#include "hash.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

const char *const command_names[COMMANDS] = {"info", "ls",   "find", "cat", "verify",
                                             "diff", "hash", "tree", "du",  "unpack"};

static const char *const words[COMMANDS][9] = {
    {"info", "image.mfs"},
    {"ls", "-lR", "image.mfs"},
    {"find", "image.mfs"},
    {"cat", "image.mfs"},
    {"verify", "-j", "2", "image.mfs"},
    {"diff", "-j", "2", "sound.mfs", "image.mfs"},
    {"hash", "--max-bytes=64M", "-j", "2", "image.mfs"},
    {"tree", "image.mfs"},
    {"du", "-a", "image.mfs"},
    {"unpack", "--max-bytes=64M", "--max-entries=300000", "--max-depth=4096", "-j", "2", "-q", "image.mfs", "out"},
};

#define WORDS_MOST 24
#define LEAKS_SHARE 8 /* looking for leaks takes half of a sanitized command's time: on one image of so many */
#define OUTPUT_MOST ((rlim_t)64 << 20)

/* What cat writes of a file of 2^62 bytes, and find of the paths of directories a million deep, has no
 * end but that of the place for it: EFBIG. unpack has its budgets. */
static int limit_output(const char *command)
{
    const struct rlimit bytes = {OUTPUT_MOST, OUTPUT_MOST};
    return strcmp(command, "unpack") != 0 && (signal(SIGXFSZ, SIG_IGN) == SIG_ERR || setrlimit(RLIMIT_FSIZE, &bytes));
}

static void ignore_leaks(void)
{
    char options[512];
    const char *before = getenv("ASAN_OPTIONS");
    const int length = snprintf(options, sizeof options, "%s:detect_leaks=0", before ? before : "");
    if (length < 0 || (size_t)length >= sizeof options || setenv("ASAN_OPTIONS", options, 1))
        _exit(127);
}

static void child(const char *const *arguments, int ignores_leaks)
{
    const struct rlimit addresses = {COMMAND_ADDRESSES, COMMAND_ADDRESSES}, core = {0, 0};
    const struct rlimit seconds = {COMMAND_SECONDS, COMMAND_SECONDS + 1};
    const int nothing = open("/dev/null", O_RDONLY);
    const int out = open("stdout", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    const int errors = open("stderr", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (nothing < 0 || out < 0 || errors < 0 || dup2(nothing, 0) < 0 || dup2(out, 1) < 0 || dup2(errors, 2) < 0)
        _exit(127);
    if (limit_output(arguments[1]) || setrlimit(RLIMIT_CORE, &core) || setrlimit(RLIMIT_CPU, &seconds) ||
        (!SANITIZED && setrlimit(RLIMIT_AS, &addresses)))
        _exit(127);
    alarm(HANG_SECONDS); /* it stays across execv() */
    if (ignores_leaks)
        ignore_leaks();
    execv(arguments[0], (char *const *)(uintptr_t)arguments);
    _exit(127);
}

/* Hash of a file's bytes. */
static uint64_t hash_file(const char *path, size_t *length)
{
    struct stat status;
    uint64_t hash = 0;
    const int fd = open(path, O_RDONLY);
    *length = 0;
    if (fd >= 0 && fstat(fd, &status) == 0 && status.st_size > 0) {
        void *bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (bytes != MAP_FAILED) {
            *length = (size_t)status.st_size;
            hash = memfs_hash(bytes, *length);
            munmap(bytes, *length);
        }
    }
    if (fd >= 0)
        close(fd);
    return hash;
}

static void run(const char *const *arguments, int ignores_leaks, struct command_result *result)
{
    int status = 0;
    size_t length;
    fflush(NULL);
    const pid_t pid = fork();
    if (pid == 0)
        child(arguments, ignores_leaks);
    if (pid < 0 || waitpid(pid, &status, 0) != pid) {
        perror("hostile: fork");
        exit(2);
    }
    result->code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    result->output = hash_file("stdout", &length);
    hash_file("stderr", &length);
    result->quiet = length == 0;
}

void commands_run(const struct walk_files *files, struct command_result *results)
{
    static unsigned images;
    const int ignores_leaks = images++ % LEAKS_SHARE != 0;
    const char *command = getenv("MEMFS"); /* from anywhere: images are looked at in directories of their own */
    if (!command || command[0] != '/') {
        fputs("hostile: MEMFS has to be the command's path, from the root\n", stderr);
        exit(2);
    }
    for (size_t i = 0; i < COMMANDS; i++) {
        const char *arguments[WORDS_MOST] = {command};
        size_t count = 1;
        for (size_t k = 0; k < sizeof words[i] / sizeof *words[i] && words[i][k]; k++)
            arguments[count++] = words[i][k];
        if (strcmp(words[i][0], "cat") == 0) {
            for (unsigned k = 0; k < files->count; k++)
                arguments[count++] = files->path[k];
        }
        run(arguments, ignores_leaks, &results[i]);
    }
}
