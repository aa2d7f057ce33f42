#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* O_PATH, syscall */
#endif
#include "system/sandbox.h"

#include "options.h"
#include "output/message.h"
#include "system/buffer.h"
#include "system/eintr.h"
#include "system/syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#if defined(__has_feature)
#define HAS_FEATURE(name) __has_feature(name)
#else
#define HAS_FEATURE(name) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || HAS_FEATURE(address_sanitizer) ||                 \
    HAS_FEATURE(thread_sanitizer) || HAS_FEATURE(memory_sanitizer)
#define IS_CHECKED 1
#else
#define IS_CHECKED 0
#endif

/* ---- Landlock, as the kernel's documentation has it: headers know less than kernels -------- */

#ifndef SYS_landlock_create_ruleset /* the same numbers for all architectures */
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif
#define ASK_ABI 1u      /* a flag of create_ruleset */
#define PATH_BENEATH 1u /* a kind of rule */

#define EXECUTE (UINT64_C(1) << 0)
#define WRITE_FILE (UINT64_C(1) << 1)
#define READ_FILE (UINT64_C(1) << 2)
#define READ_DIR (UINT64_C(1) << 3)
#define REMOVE_DIR (UINT64_C(1) << 4)
#define REMOVE_FILE (UINT64_C(1) << 5)
#define MAKE_CHAR (UINT64_C(1) << 6)
#define MAKE_DIR (UINT64_C(1) << 7)
#define MAKE_REG (UINT64_C(1) << 8)
#define MAKE_SOCK (UINT64_C(1) << 9)
#define MAKE_FIFO (UINT64_C(1) << 10)
#define MAKE_BLOCK (UINT64_C(1) << 11)
#define MAKE_SYM (UINT64_C(1) << 12)
#define REFER (UINT64_C(1) << 13)    /* links between directories: ABI 2 */
#define TRUNCATE (UINT64_C(1) << 14) /* ABI 3 */

#define OF_FILES (EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE) /* rights that mean something for a file */
#define OF_WRITING                                                                                                     \
    (WRITE_FILE | TRUNCATE | MAKE_REG | MAKE_DIR | MAKE_SYM | MAKE_FIFO | MAKE_SOCK | REMOVE_FILE | REMOVE_DIR | REFER)

struct ruleset {
    uint64_t files, network, scopes;
};

struct beneath {
    uint64_t allowed;
    int32_t parent;
}
#if defined(__GNUC__)
__attribute__((packed)) /* as the kernel has it */
#endif
;

#define ABI_REFER 2 /* without it no file can be linked into another directory */

/* All that an ABI knows about files: it gets one more right at a time. */
static uint64_t known(int abi)
{
    static const unsigned bits[] = {0, 13, 14, 15, 15, 16};
    const int last = (int)(sizeof bits / sizeof bits[0]) - 1;
    return (UINT64_C(1) << bits[abi < last ? abi : last]) - 1;
}

/* TCP since ABI 4, signals and abstract sockets since 6. The size says how much of it the kernel is to read. */
static int make_ruleset(int abi)
{
    const struct ruleset ruleset = {known(abi), 3, 3};
    const size_t size = abi >= 6 ? sizeof ruleset : abi >= 4 ? 2 * sizeof(uint64_t) : sizeof(uint64_t);
    return (int)syscall(SYS_landlock_create_ruleset, &ruleset, size, 0);
}

static uint64_t rights_of(unsigned rights)
{
    uint64_t allowed = 0;
    if (rights & SANDBOX_READ)
        allowed |= READ_FILE | READ_DIR;
    if (rights & SANDBOX_WRITE)
        allowed |= OF_WRITING;
    if (rights & SANDBOX_DEVICES)
        allowed |= MAKE_CHAR | MAKE_BLOCK;
    if (rights & SANDBOX_RUN)
        allowed |= EXECUTE;
    if (rights & SANDBOX_REMOVE_EMPTY)
        allowed |= REMOVE_DIR;
    return allowed;
}

static void give_up_landlock(struct sandbox *sandbox)
{
    if (sandbox->ruleset >= 0)
        close(sandbox->ruleset);
    sandbox->ruleset = -1;
    sandbox->abi = 0;
}

/* Whether an error is no word of the kernel on sandboxes, nor on a path: then to go on without would be a way
 * to switch protection off. */
static int is_want(int error)
{
    return error == ENOMEM || error == EMFILE || error == ENFILE || error == EINTR;
}

static void refuse(struct sandbox *sandbox, const char *path, int error)
{
    sandbox->error = -error;
    sandbox->failed = path;
    give_up_landlock(sandbox);
}

static void fail(struct sandbox *sandbox, const char *path, int error)
{
    if (is_want(error))
        refuse(sandbox, path, error);
    else
        give_up_landlock(sandbox);
}

/* ---- All of it ------------------------------------------------------------------------------ */

int sandbox_is_wanted(void)
{
    return !IS_CHECKED && !common.no_sandbox;
}

void sandbox_begin(struct sandbox *sandbox)
{
    *sandbox = (struct sandbox){.wanted = sandbox_is_wanted(), .ruleset = -1};
    if (!sandbox->wanted)
        return;
    const long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, ASK_ABI);
    if (abi < 1)
        return;
    sandbox->abi = (int)abi;
    sandbox->ruleset = make_ruleset(sandbox->abi);
    if (sandbox->ruleset < 0)
        fail(sandbox, NULL, errno);
}

/* For what a path is of, as it was named. */
static void allow(struct sandbox *sandbox, const char *path, const char *named, unsigned rights)
{
    struct stat status;
    sandbox->any |= rights;
    if (sandbox->abi < ABI_REFER && (sandbox->any & SANDBOX_WRITE))
        give_up_landlock(sandbox);
    if (sandbox->ruleset < 0)
        return;
    int fd;
    RETRY(fd, open(path, O_PATH | O_CLOEXEC));
    if (fd < 0 && (is_want(errno) || (rights & SANDBOX_BEGUN)))
        refuse(sandbox, named, errno);
    if (fd < 0)
        return;
    struct beneath beneath = {rights_of(rights) & known(sandbox->abi), fd};
    if (fstat(fd, &status) != 0) {
        refuse(sandbox, named, errno);
        beneath.allowed = 0;
    } else if (!S_ISDIR(status.st_mode)) {
        beneath.allowed &= OF_FILES;
    }
    /* Pipes and the like lie nowhere (EBADFD), and stay allowed. */
    if (beneath.allowed != 0 && syscall(SYS_landlock_add_rule, sandbox->ruleset, PATH_BENEATH, &beneath, 0) != 0 &&
        errno != EBADFD)
        fail(sandbox, named, errno);
    close(fd);
}

void sandbox_allow(struct sandbox *sandbox, const char *path, unsigned rights)
{
    allow(sandbox, path, path, rights);
}

void sandbox_allow_beside(struct sandbox *sandbox, const char *path, unsigned rights)
{
    struct buffer parent = {.data = NULL};
    size_t end = strlen(path);
    while (end > 1 && path[end - 1] == '/')
        end--;
    while (end > 0 && path[end - 1] != '/')
        end--;
    if (buffer_append(&parent, path, end) == 0 && buffer_append_text(&parent, ".") == 0)
        allow(sandbox, parent.data, path, rights);
    else
        fail(sandbox, path, ENOMEM);
    buffer_free(&parent);
}

static int restrict_files(const struct sandbox *sandbox)
{
    return sandbox->ruleset >= 0 && syscall(SYS_landlock_restrict_self, sandbox->ruleset, 0) == 0;
}

int sandbox_enter(struct sandbox *sandbox)
{
    if (!sandbox->wanted)
        return EXIT_DONE;
    if (sandbox->error != 0) {
        give_up_landlock(sandbox);
        return message_error(sandbox->failed ? sandbox->failed : "sandbox", NULL, sandbox->error, NULL);
    }
    tzset(); /* reads what local times are, before that cannot be read */
    int files = 0, calls = 0;
    const int only_reads = (sandbox->any & ~(unsigned)SANDBOX_READ) == 0;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0) {
        files = restrict_files(sandbox);
        calls = only_reads && syscalls_restrict(sandbox->any != 0) == 0;
    }
    give_up_landlock(sandbox);
    if (common.verbose && !files)
        message("sandbox", NULL, "there is no Landlock here: files are not closed to memfs");
    if (common.verbose && only_reads && !calls)
        message("sandbox", NULL, "there is no seccomp here: system calls are not closed to memfs");
    return EXIT_DONE;
}

int sandbox_enter_reading(void)
{
    struct sandbox sandbox;
    sandbox_begin(&sandbox);
    return sandbox_enter(&sandbox);
}
