#include "values/account.h"

#include "values/quantity.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stddef.h>
#include <string.h>

/* Whether it is a number; *code is what comes of it then. */
static int is_number(const char *text, uint32_t *id, int *code)
{
    uint64_t value;
    if (text[0] == '\0' || text[strspn(text, "0123456789")] != '\0')
        return 0;
    *code = quantity_parse(text, 0, &value) == 0 && value < UINT32_MAX ? 0 : -EINVAL;
    if (*code == 0)
        *id = (uint32_t)value;
    return 1;
}

int account_user(const char *text, uint32_t *uid)
{
    int code;
    if (is_number(text, uid, &code))
        return code;
    errno = 0;
    const struct passwd *user = getpwnam(text);
    if (user)
        *uid = user->pw_uid;
    return user ? 0 : errno == ENOMEM ? -ENOMEM : -EINVAL;
}

int account_group(const char *text, uint32_t *gid)
{
    int code;
    if (is_number(text, gid, &code))
        return code;
    errno = 0;
    const struct group *group = getgrnam(text);
    if (group)
        *gid = group->gr_gid;
    return group ? 0 : errno == ENOMEM ? -ENOMEM : -EINVAL;
}
