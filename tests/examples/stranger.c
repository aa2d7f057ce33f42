/*
 * Opens an image that came from a stranger, says what is in it, and unpacks it if it asks for no more than it may.
 * The library sets no budgets by itself: here are all there are.
 *
 *   cc stranger.c $(pkg-config --cflags --libs memfs) -o stranger && ./stranger upload.mfs inbox
 */
#include <inttypes.h>
#include <memfs_image.h>
#include <stdio.h>

#define MIB (UINT64_C(1) << 20)
#define BYTES_MAX (64 * MIB)    /* of contents; holes are not counted, so files may look larger */
#define DECODED_MAX (256 * MIB) /* decompressed in all, which is what takes time */
#define ENTRIES_MAX UINT64_C(10000)
#define DEPTH_MAX 64

struct listing {
    uint64_t entries;
};

/* Names are whatever the stranger likes: here none is shown. */
static int count(void *context, const struct memfs_step *step)
{
    struct listing *listing = context;
    listing->entries += step->depth > 0;
    return listing->entries > ENTRIES_MAX ? MEMFS_ELIMIT : 0;
}

static int look_around(memfs *fs, struct listing *listing)
{
    const struct memfs_walk_options options = {.size = sizeof options, .depth_max = DEPTH_MAX};
    return memfs_walk_steps(fs, NULL, "/", &options, count, listing);
}

/* A new directory, all of it or nothing; owners, setuid bits, devices and privileged attributes are left out. */
static int take_out(memfs *fs, const char *directory, struct memfs_detail *detail)
{
    const struct memfs_export_options options = {.size = sizeof options,
                                                 .bytes_max = BYTES_MAX,
                                                 .entries_max = ENTRIES_MAX,
                                                 .depth_max = DEPTH_MAX,
                                                 .mode_mask = 022};
    return memfs_host_export(fs, directory, &options, detail);
}

static int receive(memfs_image *image, const char *directory, struct memfs_detail *detail)
{
    struct listing listing = {0};
    struct memfs_options options = {.size = sizeof options, .backing = memfs_image_backing(image)};
    memfs *fs = NULL;
    int result = memfs_create(&options, &fs);
    if (result != 0)
        return result;
    result = look_around(fs, &listing);
    if (result == 0) {
        printf("%" PRIu64 " entries\n", listing.entries);
        result = take_out(fs, directory, detail);
    }
    memfs_destroy(fs);
    return result;
}

int main(int argc, char **argv)
{
    const struct memfs_image_options options = {
        .size = sizeof options, .decoded_max = DECODED_MAX, .cache_bytes = 16 * MIB};
    struct memfs_detail detail = {.text = ""};
    memfs_image *image = NULL;
    if (argc != 3)
        return 2;
    int result = memfs_image_open_path(argv[1], &options, &image, &detail);
    if (result == 0)
        result = receive(image, argv[2], &detail);
    if (result != 0)
        fprintf(stderr, "%s: %s%s%s\n", argv[1], memfs_strerror(result), detail.text[0] ? ": " : "", detail.text);
    memfs_image_close(image);
    return result != 0;
}
