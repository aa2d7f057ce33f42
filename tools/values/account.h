/*
 * Users and groups, by number or by the name that this machine has for them.
 */
#ifndef MEMFS_TOOLS_ACCOUNT_H
#define MEMFS_TOOLS_ACCOUNT_H

#include <stdint.h>

/* 0, -EINVAL if there is none of that name, or -ENOMEM. Digits are a number, from 0 to 4294967294. */
int account_user(const char *text, uint32_t *uid);
int account_group(const char *text, uint32_t *gid);

#endif
