/*
 * What of a source goes into an image, and with which attributes.
 */
#ifndef MEMFS_TOOLS_SELECTION_H
#define MEMFS_TOOLS_SELECTION_H

#include "memfs_host.h"
#include "pack/names.h"
#include "values/ignore.h"
#include "values/mode.h"

/* Zeroed: all, as it is. */
struct selection {
    struct ignore ignore;
    int by_name; /* only what names has, and the directories above */
    struct names names;
    int has_image; /* there is a file where the image goes: it does not go into itself */
    uint64_t image_dev, image_ino;
    int met_image; /* it would have */
    int left_out;  /* something was */
    int has_uid, has_gid, has_mtime;
    uint32_t uid, gid;
    int64_t mtime;
    struct mode_change mode; /* symbolic links keep theirs */
};

/* Whether anything is left out or changed. */
int selection_is_any(const struct selection *selection);

/* A memfs_scan_filter_fn; context is the selection. */
int selection_filter(void *context, struct memfs_scan_found *found);

/* Says which names were not met below dir, though no rule leaves them out, the first hundred of them, and
 * how many more; returns how many. fate is what becomes of them. */
int selection_say_missing(const struct selection *selection, const char *dir, const char *fate);

void selection_free(struct selection *selection);

#endif
