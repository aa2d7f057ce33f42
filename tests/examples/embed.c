/*
 * A program that carries a directory in its own executable: templates, icons, a site.
 *
 *   memfs pack files
 *   cc -DIMAGE='"files.mfs"' embed.c $(pkg-config --cflags --libs memfs) -o embed
 *   ./embed             lists what is in it
 *   ./embed PATH...     writes the contents of files
 *
 * The image stays where the loader has put the executable: nothing is copied or
 * unpacked before it is asked for.
 */
#include <errno.h>
#include <inttypes.h>
#include <memfs_image.h>
#include <stdio.h>

/* The assembler puts the file here, among what is read only. */
__asm__(".section .rodata\n"
        ".balign 16\n"
        "embedded:\n"
        ".incbin \"" IMAGE "\"\n"
        "embedded_end:\n"
        ".byte 0\n"
        ".previous\n");
extern const unsigned char embedded[], embedded_end[];

static int print(void *context, const char *path, const struct memfs_stat *stat)
{
    (void)context;
    printf("%10" PRIu64 " %s\n", stat->size, path);
    return 0;
}

static int write_file(memfs *fs, const char *path)
{
    memfs_node node;
    struct memfs_view view;
    int result = memfs_resolve(fs, NULL, path, 1, &node);
    if (result != 0)
        return result;
    size_t length = 1;
    for (uint64_t offset = 0; length > 0; offset += length) {
        result = memfs_node_view(fs, node, offset, SIZE_MAX, &view);
        if (result != 0)
            break;
        length = fwrite(view.data, 1, view.length, stdout);
        memfs_view_release(fs, &view);
    }
    memfs_node_forget(fs, node, 1);
    return result;
}

int main(int argc, char **argv)
{
    struct memfs_detail detail = {.text = ""};
    memfs_image *image = NULL;
    memfs *fs = NULL;
    int result = memfs_image_open_buffer(embedded, (size_t)(embedded_end - embedded), NULL, &image, &detail);
    if (result != 0)
        return fprintf(stderr, "embed: %s\n", detail.text), 1;
    struct memfs_options options = {.size = sizeof options, .backing = memfs_image_backing(image)};
    result = memfs_create(&options, &fs);
    if (result == 0 && argc < 2)
        result = memfs_walk(fs, NULL, "/", MEMFS_WALK_SORTED, print, NULL);
    for (int i = 1; i < argc && result == 0; i++)
        result = write_file(fs, argv[i]);
    if (result == 0 && (fflush(stdout) != 0 || ferror(stdout)))
        result = -EIO; /* a disk that is full, say: who reads the output is not to take it for whole */
    if (result != 0)
        fprintf(stderr, "embed: %s\n", memfs_strerror(result));
    memfs_destroy(fs);
    memfs_image_close(image);
    return result != 0;
}
