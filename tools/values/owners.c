#include "values/owners.h"

#include "output/message.h"
#include "output/width.h"
#include "system/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#define SLOTS 256 /* by the lowest bits of the number: a name makes room for the next of its slot */

static struct owner_name users[SLOTS], groups[SLOTS];

static const struct owner_name *keep(struct owner_name *slot, uint32_t id, const char *name)
{
    const size_t length = name ? strlen(name) : 0;
    slot->asked = 1;
    slot->id = id;
    slot->length = length <= OWNERS_NAME_MAX ? (int)length : 0;
    slot->width = 0;
    if (slot->length > 0) {
        memcpy(slot->text, name, length + 1);
        slot->width = (int)width_of(name, length);
    }
    return slot;
}

/* *no_memory: whether that is why there is none. */
static const char *name_of(int is_group, uint32_t id, int *no_memory)
{
    errno = 0;
    const struct passwd *user = is_group ? NULL : getpwuid(id);
    const struct group *group = is_group ? getgrgid(id) : NULL;
    *no_memory = !user && !group && errno == ENOMEM;
    return user ? user->pw_name : group ? group->gr_name : NULL;
}

/* ---- The process that is asked ---------------------------------------------------------------- */

struct question {
    uint32_t is_group, id;
};

struct answer {
    int no_memory;
    char name[OWNERS_NAME_MAX + 1]; /* empty: there is none */
};

static int to_helper = -1, from_helper = -1;

/* All of it, through a pipe. Whether that went well. */
static int take(int fd, void *data, size_t length)
{
    for (char *at = data; length > 0;) {
        const ssize_t got = read(fd, at, length);
        if (got <= 0 && !(got < 0 && errno == EINTR))
            return 0;
        at += got > 0 ? got : 0;
        length -= got > 0 ? (size_t)got : 0;
    }
    return 1;
}

/* So little goes into a pipe as a whole. */
static int put(int fd, const void *data, size_t length)
{
    ssize_t written;
    do {
        written = write(fd, data, length);
    } while (written < 0 && errno == EINTR);
    return written == (ssize_t)length;
}

static void help(int questions, int answers)
{
    struct question question;
    const int null = open("/dev/null", O_RDWR);
    for (int fd = 0; fd <= STDERR_FILENO; fd++)
        dup2(null, fd); /* who waits for the end of our output does not wait for the helper's */
    while (take(questions, &question, sizeof question)) {
        struct answer answer = {.name = ""};
        const char *name = name_of(question.is_group != 0, question.id, &answer.no_memory);
        if (name && strlen(name) <= OWNERS_NAME_MAX)
            memcpy(answer.name, name, strlen(name));
        if (!put(answers, &answer, sizeof answer))
            break;
    }
    _exit(0);
}

void owners_start(void)
{
    int questions[2], answers[2];
    if (!sandbox_is_wanted() || pipe(questions) != 0)
        return;
    if (pipe(answers) != 0) {
        close(questions[0]);
        close(questions[1]);
        return;
    }
    const pid_t child = fork();
    if (child == 0) {
        close(questions[1]);
        close(answers[0]);
        help(questions[0], answers[1]);
    }
    close(questions[0]);
    close(answers[1]);
    to_helper = questions[1];
    from_helper = answers[0];
}

/* The helper's answer, empty if it is gone. */
static const char *ask_helper(int is_group, uint32_t id, struct answer *answer)
{
    const struct question question = {(uint32_t)is_group, id};
    const int is_known = put(to_helper, &question, sizeof question) && take(from_helper, answer, sizeof *answer) &&
                         memchr(answer->name, '\0', sizeof answer->name) != NULL;
    if (!is_known)
        *answer = (struct answer){.name = ""};
    return answer->name;
}

static const struct owner_name *ask(struct owner_name *slot, int is_group, uint32_t id)
{
    struct answer answer = {.name = ""};
    if (slot->asked && slot->id == id)
        return slot;
    const char *name = to_helper < 0 ? name_of(is_group, id, &answer.no_memory) : ask_helper(is_group, id, &answer);
    if (answer.no_memory)
        message_error(is_group ? "the names of groups" : "the names of users", NULL, -ENOMEM, NULL);
    return keep(slot, id, name);
}

const struct owner_name *owners_user(uint32_t uid)
{
    return ask(&users[uid % SLOTS], 0, uid);
}

const struct owner_name *owners_group(uint32_t gid)
{
    return ask(&groups[gid % SLOTS], 1, gid);
}
