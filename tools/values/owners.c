#include "values/owners.h"

#include "output/width.h"

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

const struct owner_name *owners_user(uint32_t uid)
{
    struct owner_name *slot = &users[uid % SLOTS];
    if (slot->asked && slot->id == uid)
        return slot;
    const struct passwd *entry = getpwuid(uid);
    return keep(slot, uid, entry ? entry->pw_name : NULL);
}

const struct owner_name *owners_group(uint32_t gid)
{
    struct owner_name *slot = &groups[gid % SLOTS];
    if (slot->asked && slot->id == gid)
        return slot;
    const struct group *entry = getgrgid(gid);
    return keep(slot, gid, entry ? entry->gr_name : NULL);
}
