#include "values/owners.h"

#include "output/message.h"
#include "output/width.h"
#include "system/helper.h"
#include "system/sandbox.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>

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

static struct helper helper;

/* A helper_fn. */
static void answer_one(const void *asked, void *out)
{
    const struct question *question = asked;
    struct answer *answer = out;
    const char *name = name_of(question->is_group != 0, question->id, &answer->no_memory);
    if (name && strlen(name) <= OWNERS_NAME_MAX)
        memcpy(answer->name, name, strlen(name));
}

void owners_start(void)
{
    if (sandbox_is_wanted())
        helper_start(&helper, answer_one, sizeof(struct question), sizeof(struct answer));
}

void owners_end(void)
{
    helper_end(&helper);
}

/* The helper's answer, empty if it is gone. */
static const char *ask_helper(int is_group, uint32_t id, struct answer *answer)
{
    const struct question question = {(uint32_t)is_group, id};
    if (!helper_ask(&helper, &question, answer) || !memchr(answer->name, '\0', sizeof answer->name))
        *answer = (struct answer){.name = ""};
    return answer->name;
}

static const struct owner_name *ask(struct owner_name *slot, int is_group, uint32_t id)
{
    struct answer answer = {.name = ""};
    if (slot->asked && slot->id == id)
        return slot;
    const char *name = helper.is_there ? ask_helper(is_group, id, &answer) : name_of(is_group, id, &answer.no_memory);
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
