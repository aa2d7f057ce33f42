#include "acl.h"

#include "cred.h"

#include <errno.h>
#include <stdint.h>

#define ACL_VERSION 2
#define HEADER_BYTES 4
#define ENTRY_BYTES 8
#define NO_ID UINT32_MAX

enum tag {
    TAG_USER_OBJ = 0x01,
    TAG_USER = 0x02,
    TAG_GROUP_OBJ = 0x04,
    TAG_GROUP = 0x08,
    TAG_MASK = 0x10,
    TAG_OTHER = 0x20
};

struct entry {
    uint32_t tag, permissions, id;
};

static uint32_t get_le(const unsigned char *bytes, size_t width)
{
    uint32_t value = 0;
    for (size_t i = width; i-- > 0;)
        value = value << 8 | bytes[i];
    return value;
}

static size_t entry_count(size_t size)
{
    return (size - HEADER_BYTES) / ENTRY_BYTES;
}

static struct entry entry_get(const void *acl, size_t index)
{
    const unsigned char *bytes = (const unsigned char *)acl + HEADER_BYTES + index * ENTRY_BYTES;
    return (struct entry){get_le(bytes, 2), get_le(bytes + 2, 2), get_le(bytes + 4, 4)};
}

static void entry_set_permissions(void *acl, size_t index, uint32_t permissions)
{
    unsigned char *bytes = (unsigned char *)acl + HEADER_BYTES + index * ENTRY_BYTES;
    bytes[2] = (unsigned char)permissions;
    bytes[3] = 0;
}

/* What may follow a tag: the owner, named users, the group, named groups, the
 * mask (needed if anybody is named), the others. */
static uint32_t tags_after(uint32_t tag)
{
    switch (tag) {
    case 0:
        return TAG_USER_OBJ;
    case TAG_USER_OBJ:
    case TAG_USER:
        return TAG_USER | TAG_GROUP_OBJ;
    case TAG_GROUP_OBJ:
    case TAG_GROUP:
        return TAG_GROUP | TAG_MASK | TAG_OTHER;
    case TAG_MASK:
        return TAG_OTHER;
    default:
        return 0;
    }
}

int acl_check(const void *acl, size_t size, int *empty)
{
    *empty = size == 0 || size == HEADER_BYTES;
    if (size == 0)
        return 0;
    if (size < HEADER_BYTES || get_le(acl, HEADER_BYTES) != ACL_VERSION || (size - HEADER_BYTES) % ENTRY_BYTES)
        return -EINVAL;
    if (*empty)
        return 0;
    uint32_t last = 0, seen = 0;
    for (size_t i = 0; i < entry_count(size); i++) {
        struct entry entry = entry_get(acl, i);
        int named = entry.tag == TAG_USER || entry.tag == TAG_GROUP;
        if ((entry.tag & (entry.tag - 1)) || !(entry.tag & tags_after(last)) || entry.permissions > 7 ||
            (named && entry.id == NO_ID))
            return -EINVAL;
        last = entry.tag;
        seen |= entry.tag;
    }
    if (last != TAG_OTHER || ((seen & (TAG_USER | TAG_GROUP)) && !(seen & TAG_MASK)))
        return -EINVAL;
    return 0;
}

int acl_to_mode(const void *acl, size_t size, uint32_t *mode)
{
    uint32_t bits = 0;
    int more = 0;
    for (size_t i = 0; i < entry_count(size); i++) {
        struct entry entry = entry_get(acl, i);
        if (entry.tag == TAG_USER_OBJ)
            bits |= entry.permissions << 6;
        else if (entry.tag == TAG_GROUP_OBJ)
            bits |= entry.permissions << 3;
        else if (entry.tag == TAG_OTHER)
            bits |= entry.permissions;
        else
            more = 1;
        if (entry.tag == TAG_MASK)
            bits = (bits & ~070u) | entry.permissions << 3;
    }
    *mode = (*mode & ~0777u) | bits;
    return more;
}

uint32_t acl_leave(const void *acl, size_t size, uint32_t mode)
{
    for (size_t i = 0; i < entry_count(size); i++) {
        const struct entry entry = entry_get(acl, i);
        if (entry.tag == TAG_GROUP_OBJ)
            mode &= ~070u | entry.permissions << 3;
    }
    return mode;
}

/* The entry that a mode's group bits speak of: the mask, or without one the group. */
static size_t group_class(const void *acl, size_t size)
{
    size_t found = 0;
    for (size_t i = 0; i < entry_count(size); i++) {
        uint32_t tag = entry_get(acl, i).tag;
        if (tag == TAG_GROUP_OBJ || tag == TAG_MASK)
            found = i;
    }
    return found;
}

void acl_set_mode(void *acl, size_t size, uint32_t mode)
{
    entry_set_permissions(acl, 0, mode >> 6 & 7);
    entry_set_permissions(acl, group_class(acl, size), mode >> 3 & 7);
    entry_set_permissions(acl, entry_count(size) - 1, mode & 7);
}

/* What both an entry and the mode allow, into both. */
static void meet(void *acl, size_t index, unsigned shift, uint32_t *mode)
{
    uint32_t both = entry_get(acl, index).permissions & (*mode >> shift & 7);
    entry_set_permissions(acl, index, both);
    *mode = (*mode & ~(7u << shift)) | both << shift;
}

int acl_inherit(void *acl, size_t size, uint32_t *mode)
{
    meet(acl, 0, 6, mode);
    meet(acl, group_class(acl, size), 3, mode);
    meet(acl, entry_count(size) - 1, 0, mode);
    return entry_count(size) > 3;
}

/* What a named entry, or the group's, allows is limited by the mask. */
static int permits_masked(const void *acl, size_t size, uint32_t permissions, uint32_t mask)
{
    struct entry class = entry_get(acl, group_class(acl, size));
    if (class.tag == TAG_MASK)
        permissions &= class.permissions;
    return (permissions & mask) == mask;
}

int acl_permits(const void *acl, size_t size, const struct memfs_cred *cred, uint32_t gid, uint32_t mask)
{
    int in_some_group = 0;
    for (size_t i = 0; i < entry_count(size); i++) {
        struct entry entry = entry_get(acl, i);
        if (entry.tag == TAG_USER && entry.id == cred->uid)
            return permits_masked(acl, size, entry.permissions, mask);
        if (entry.tag == TAG_GROUP_OBJ || entry.tag == TAG_GROUP) {
            if (!cred_in_group(cred, entry.tag == TAG_GROUP ? entry.id : gid))
                continue;
            in_some_group = 1;
            if ((entry.permissions & mask) == mask)
                return permits_masked(acl, size, entry.permissions, mask);
        }
        if (entry.tag == TAG_OTHER)
            return !in_some_group && (entry.permissions & mask) == mask;
    }
    return 0;
}
