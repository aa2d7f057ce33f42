/*
 * A filter of system calls, for what only reads: whatever is not on the list fails with EPERM, as
 * if the user had no right to it, and nothing is killed.
 */
#ifndef MEMFS_TOOLS_SYSCALLS_H
#define MEMFS_TOOLS_SYSCALLS_H

/* For this thread and those that it starts, for good; no_new_privs is set already. With files, those can
 * still be opened for reading, and directories listed; else nothing can be opened at all. 0 or
 * a negative errno: nothing has changed. */
int syscalls_restrict(int files);

#endif
