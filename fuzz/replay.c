/*
 * Runs a fuzz target without the engine:
 * replay [--statistics] [-m COUNT] [-s SECONDS] FILE|DIRECTORY...
 *
 * First each file as it is (of a directory, without those below it); then COUNT
 * (10000) changed variants, taken from the files in turn: of 16 one with bytes
 * changed as they stand, the others changed inside and sealed again. Where inputs
 * are anything, half are changed, half made of nothing. The same inputs every
 * time, in at most SECONDS (10). --statistics says how many of them had all
 * checksums right. The last line is "N passed, 0 failed"; what fails does not get
 * there.
 */
#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define INPUTS_MOST 4096u
#define MADE_MOST 600u /* bytes of an input made of nothing */

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
        if (stat(name, &status))
            die(name);
        if (S_ISREG(status.st_mode))
            add_file(name);
        free(name);
        free(names[i]);
    }
    free(names);
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

static uint8_t *copy_of(const struct input *input)
{
    uint8_t *data = need(malloc(input->size + 1));
    memcpy(data, input->data, input->size);
    return data;
}

static uint8_t *make_bytes(uint64_t seed, size_t *size)
{
    *size = fuzz_random(&seed) % MADE_MOST;
    uint8_t *data = need(malloc(*size + 1));
    for (size_t i = 0; i < *size; i++)
        data[i] = (uint8_t)fuzz_random(&seed);
    return data;
}

/* The variant with a number, of malloc's; NULL if there is none. */
static uint8_t *variant(uint64_t number, size_t *size)
{
    const struct input *input = &inputs[number / 16 % input_count];
    if (fuzz_kind == FUZZ_BYTES && number % 2)
        return make_bytes(number, size);
    if (fuzz_kind != FUZZ_BYTES && number % 16) {
        uint8_t *data;
        *size = fuzz_change(input->data, input->size, number, &data);
        return data;
    }
    uint8_t *data = copy_of(input);
    *size = fuzz_mangle(data, input->size, number);
    return data;
}

/* With FUZZ_KEEP the input at hand is kept in that file: a crash leaves it there. */
static void keep(const uint8_t *data, size_t size)
{
    const char *path = getenv("FUZZ_KEEP");
    if (!path)
        return;
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(data, 1, size, file) != size || fclose(file))
        die(path);
}

static int run_variant(uint64_t number)
{
    size_t size = 0;
    uint8_t *data = variant(number, &size);
    if (!data)
        return 0;
    keep(data, size);
    run(data, size);
    free(data);
    return 1;
}

/* Returns how many were run. */
static uint64_t run_all(uint64_t variants, time_t end)
{
    uint64_t done = 0, number = 0;
    for (size_t i = 0; i < input_count; i++) {
        keep(inputs[i].data, inputs[i].size);
        run(inputs[i].data, inputs[i].size);
    }
    printf("%zu inputs as they are\n", input_count);
    for (; number < variants && time(NULL) < end; number++)
        done += (uint64_t)run_variant(number);
    printf("%llu variants%s\n", (unsigned long long)done, number < variants ? ", then time was up" : "");
    return done + input_count;
}

static int usage(void)
{
    fprintf(stderr, "usage: replay [--statistics] [-m COUNT] [-s SECONDS] FILE|DIRECTORY...\n");
    return 2;
}

int main(int argc, char **argv)
{
    uint64_t variants = 10000;
    long seconds = 10;
    int option;
    if (argc > 1 && strcmp(argv[1], "--statistics") == 0) {
        setenv("FUZZ_STATISTICS", "1", 1);
        argv[1] = argv[0];
        argc--;
        argv++;
    }
    while ((option = getopt(argc, argv, "m:s:")) != -1) {
        if (option == 'm')
            variants = strtoull(optarg, NULL, 10);
        else if (option == 's')
            seconds = strtol(optarg, NULL, 10);
        else
            return usage();
    }
    for (int i = optind; i < argc; i++)
        add(argv[i]);
    if (!input_count)
        return usage();
    const uint64_t done = run_all(variants, time(NULL) + seconds);
    for (size_t i = 0; i < input_count; i++) {
        free(inputs[i].path);
        free(inputs[i].data);
    }
    printf("%llu passed, 0 failed\n", (unsigned long long)done);
    return 0;
}
