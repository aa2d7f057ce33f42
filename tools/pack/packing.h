/*
 * Packing: the sources are scanned, what is not to go into the image is left out, and the
 * rest is frozen, or only listed.
 */
#ifndef MEMFS_TOOLS_PACKING_H
#define MEMFS_TOOLS_PACKING_H

#include "memfs_image.h"
#include "pack/selection.h"
#include "pack/sources.h"
#include "pack/target.h"

struct packing {
    struct memfs_freeze_options freeze;
    struct memfs_scan_options scan;
    struct sources sources;
    struct target target;
    struct selection selection;
    uint64_t strip; /* names that paths lose at their beginning */
    int keep_going;
    int dry_run;  /* lists what would be packed */
    int problems; /* that were said: something is left out */

    int stripped;         /* paths have lost them by now */
    int emptied;          /* and nothing had more */
    uint64_t bytes_total; /* of contents, as the scan found them */
    int sink_error;
    struct memfs_freeze_failure failure;
};

/* Before anything is read: is freeze.memory enough? The exit code. */
int packing_check_memory(const struct packing *packing);

/* The exit code; everything has been said. */
int packing_run(struct packing *packing);

void packing_free(struct packing *packing);

#endif
