/*
 * Writing, for files with a position.
 */
#ifndef MEMFS_WRITE_H
#define MEMFS_WRITE_H

#include "memfs.h"

/* memfs_node_write(), which also says where an append went, and may end setuid and
 * setgid, as it must when somebody unprivileged writes. */
int64_t write_at(memfs *fs, memfs_node node, uint64_t offset, const void *buffer, size_t size, int drops_setid,
                 uint64_t *at);

/* Sets the size, and may end setuid and setgid, too. */
int write_resize(memfs *fs, memfs_node node, uint64_t size, int drops_setid);

/* Punches a hole, and makes the file end no earlier than that: both or nothing. */
int write_hole(memfs *fs, memfs_node node, uint64_t offset, uint64_t length);

#endif
