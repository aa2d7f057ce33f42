/*
 * Writes images from which very much comes into a directory: make_bombs DIR EXTENTS LEVELS
 */
#include "bombs.h"

static int save(const char *directory, const char *name, struct test_buffer *image)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.mfs", directory, name);
    FILE *file = fopen(path, "wb");
    int failed = !file || fwrite(image->data, 1, image->length, file) != image->length;
    failed |= file && fclose(file) != 0;
    if (failed)
        perror(path);
    test_buffer_free(image);
    *image = (struct test_buffer){0};
    return failed;
}

int main(int argc, char **argv)
{
    struct test_buffer image = {0};
    if (argc != 4) {
        fprintf(stderr, "usage: make_bombs DIR EXTENTS LEVELS\n");
        return 2;
    }
    bomb_alternating(&image, (uint32_t)strtoul(argv[2], NULL, 10));
    int failed = save(argv[1], "alternating", &image);
    bomb_zeros(&image);
    failed |= save(argv[1], "zeros", &image);
    bomb_deep(&image, (uint32_t)strtoul(argv[3], NULL, 10));
    return failed | save(argv[1], "deep", &image);
}
