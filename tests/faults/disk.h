/*
 * What a disk may hold after the power went. Contents and names reach it in any order
 * and each page by itself, until a sync says that they are there: fsync of a file for
 * its contents, of a directory for the names in it, syncfs for all. One rename is one
 * step. Paths are texts that the caller finds; only regular files are kept.
 */
#ifndef MEMFS_FAULTS_DISK_H
#define MEMFS_FAULTS_DISK_H

#include <stddef.h>
#include <stdint.h>

struct disk;

struct disk *disk_create(void);
void disk_free(struct disk *disk);

/* What is done to it. What concerns paths that it does not know changes nothing. */
void disk_add(struct disk *disk, const char *path);
void disk_write(struct disk *disk, const char *path, uint64_t offset, const void *bytes, size_t length);
void disk_resize(struct disk *disk, const char *path, uint64_t size);
void disk_link(struct disk *disk, const char *from, const char *to);
void disk_rename(struct disk *disk, const char *from, const char *to, int exchange);
void disk_remove(struct disk *disk, const char *path);
void disk_sync_file(struct disk *disk, const char *path);
void disk_sync_directory(struct disk *disk, const char *path);
void disk_sync_all(struct disk *disk);

/* Cuts the power: which of what was not synced is there, the number says; the first
 * DISK_EXTREMES are nothing, everything, and the like. */
#define DISK_EXTREMES 8
void disk_crash(struct disk *disk, uint64_t number);

/* What a file has since disk_crash(); NULL if there is none of that name. Valid until the next of both. */
const void *disk_contents(struct disk *disk, const char *path, size_t *length);

#endif
