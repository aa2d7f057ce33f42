#include "host_export.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int is_named(const struct memfs_export *job, const struct memfs_export_landed *landed,
                    const struct memfs_dirent *entry)
{
    return landed->name_length == entry->name_length &&
           !memcmp(memfs_rows_at(&job->names, landed->name), entry->name, entry->name_length);
}

static int refuse(struct memfs_export *job, const struct memfs_export_landed *other, uint32_t directory,
                  const struct memfs_dirent *entry)
{
    char text[128];
    size_t size = 0;
    char *path = memfs_host_path(&job->image, &job->allocator, other->directory, NULL, &size);
    snprintf(text, sizeof text, "without its leading components it has the same path as one of '%.60s'",
             path ? path : "another directory");
    memfs_free(&job->allocator, path, size);
    return memfs_host_fail(&job->report, directory, entry->name, -EEXIST, text);
}

int memfs_export_land(struct memfs_export *job, uint32_t directory, const struct memfs_dirent *entry)
{
    uint64_t hash = memfs_host_hash(job->seed, entry->name, entry->name_length), number, key = 0;
    while ((number = memfs_host_map_get(&job->landed_numbers, hash, key)) != 0) {
        const struct memfs_export_landed *other = memfs_rows_at(&job->landed, number - 1);
        if (is_named(job, other, entry))
            return refuse(job, other, directory, entry);
        key++;
    }
    struct memfs_export_landed *landed = memfs_rows_add(&job->landed);
    if (!landed || memfs_rows_put(&job->names, entry->name, entry->name_length, &landed->name) ||
        memfs_host_map_put(&job->landed_numbers, hash, key, job->landed.count))
        return memfs_host_fail(&job->report, directory, entry->name, -ENOMEM, "cannot be planned");
    landed->directory = directory;
    landed->name_length = entry->name_length;
    return 0;
}
