/*
 * Runs a fuzz target without the engine: replay [-m COUNT] [-s SECONDS] FILE|DIRECTORY...
 *
 * First each file as it is; then COUNT (10000) changed variants, taken from the
 * files in turn: half with bytes changed as they stand, half changed inside and
 * sealed again. The same inputs every time, in at most SECONDS (10). The last
 * line is "N passed, 0 failed"; what fails does not get there.
 */
#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define INPUTS_MOST 4096u

struct input {
    char *path;
    uint8_t *data;
    size_t size;
};

static struct input inputs[INPUTS_MOST];
static size_t input_count;

static void die(const char *what)
{
    fprintf(stderr, "replay: %s: %s\n", what, strerror(errno));
    exit(2);
}

static void *need(void *memory)
{
    if (!memory)
        die("memory");
    return memory;
}

static void add_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct stat stat;
    if (!file || fstat(fileno(file), &stat))
        die(path);
    if (input_count == INPUTS_MOST) {
        fprintf(stderr, "replay: more than %u inputs\n", INPUTS_MOST);
        exit(2);
    }
    struct input *input = &inputs[input_count++];
    input->path = need(strdup(path));
    input->size = (size_t)stat.st_size;
    input->data = need(malloc(input->size + 1));
    if (fread(input->data, 1, input->size, file) != input->size)
        die(path);
    fclose(file);
}

/* A file, or the files of a directory in order of their names. */
static void add(const char *path)
{
    struct stat status;
    if (stat(path, &status))
        die(path);
    if (!S_ISDIR(status.st_mode)) {
        add_file(path);
        return;
    }
    struct dirent **names;
    int count = scandir(path, &names, NULL, alphasort);
    if (count < 0)
        die(path);
    for (int i = 0; i < count; i++) {
        size_t room = strlen(path) + strlen(names[i]->d_name) + 2;
        char *name = need(malloc(room));
        snprintf(name, room, "%s/%s", path, names[i]->d_name);
        if (names[i]->d_name[0] != '.')
            add_file(name);
        free(name);
        free(names[i]);
    }
    free(names);
}

static uint64_t next_random(uint64_t *state) /* splitmix64 */
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* Changes a few bytes, cuts, or moves a piece; the checksums stay as they were. */
static size_t mangle(uint8_t *data, size_t size, uint64_t seed)
{
    if (!size)
        return 0;
    uint64_t kind = next_random(&seed) % 8;
    if (kind == 0)
        return next_random(&seed) % size;
    if (kind == 1) {
        size_t from = next_random(&seed) % size, to = next_random(&seed) % size;
        size_t room = size - (from > to ? from : to);
        memmove(data + to, data + from, next_random(&seed) % (room + 1));
        return size;
    }
    for (uint64_t n = 1 + next_random(&seed) % 4; n; n--) {
        size_t at = next_random(&seed) % size;
        if (kind < 5)
            data[at] ^= (uint8_t)(1u << next_random(&seed) % 8);
        else
            data[at] = (uint8_t)next_random(&seed);
    }
    return size;
}

/* Runs from a buffer of exactly its size, so that ASan sees reads beyond it. */
static void run(const uint8_t *data, size_t size)
{
    uint8_t *copy = need(malloc(size ? size : 1));
    if (size)
        memcpy(copy, data, size);
    (void)LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

/* The variant with a number; 1 if there is one. */
static int run_variant(uint64_t number)
{
    const struct input *input = &inputs[number / 2 % input_count];
    uint8_t *data = NULL;
    size_t size;
    if (number % 2) {
        size = fuzz_reseal(input->data, input->size, number, &data);
        if (!size)
            return 0;
    } else {
        data = need(malloc(input->size + 1));
        memcpy(data, input->data, input->size);
        size = mangle(data, input->size, number);
    }
    if (getenv("FUZZ_KEEP")) { /* the input at hand is kept in this file: a crash leaves it there */
        FILE *file = fopen(getenv("FUZZ_KEEP"), "wb");
        if (!file || fwrite(data, 1, size, file) != size || fclose(file))
            die(getenv("FUZZ_KEEP"));
    }
    run(data, size);
    free(data);
    return 1;
}

int main(int argc, char **argv)
{
    uint64_t variants = 10000, done = 0;
    long seconds = 10;
    int option;
    while ((option = getopt(argc, argv, "m:s:")) != -1) {
        if (option == 'm')
            variants = strtoull(optarg, NULL, 10);
        else if (option == 's')
            seconds = strtol(optarg, NULL, 10);
        else
            return 2;
    }
    for (int i = optind; i < argc; i++)
        add(argv[i]);
    if (!input_count) {
        fprintf(stderr, "replay: no inputs\n");
        return 2;
    }
    time_t end = time(NULL) + seconds;
    for (size_t i = 0; i < input_count; i++) {
        run(inputs[i].data, inputs[i].size);
        done++;
    }
    printf("%zu inputs as they are\n", input_count);
    uint64_t number = 0;
    for (; number < variants && time(NULL) < end; number++)
        done += (uint64_t)run_variant(number);
    printf("%llu variants%s\n", (unsigned long long)(done - input_count),
           number < variants ? ", then time was up" : "");
    for (size_t i = 0; i < input_count; i++) {
        free(inputs[i].path);
        free(inputs[i].data);
    }
    printf("%llu passed, 0 failed\n", (unsigned long long)done);
    return 0;
}
