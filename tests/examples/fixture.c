/*
 * A test fixture that is made once: a sealed filesystem, of which each of a thousand
 * tests gets its own, in no time, and does with it what it likes.
 *
 *   cc fixture.c $(pkg-config --cflags --libs memfs) -o fixture && ./fixture
 */
#include <memfs.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define TESTS 1000
#define USERS 500

/* What went wrong, and where; tests return 0 if all is well. */
#define EXPECT(condition)                                                                                              \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            return fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition), 1;                          \
    } while (0)

static int put(memfs *fs, const char *path, const char *text)
{
    memfs_file *file = NULL;
    int result = memfs_open(fs, NULL, path, MEMFS_O_WRITE | MEMFS_O_CREATE | MEMFS_O_TRUNC, 0644, &file);
    if (result != 0)
        return result;
    int64_t written = memfs_write(file, text, strlen(text));
    memfs_close(file);
    return written < 0 ? (int)written : 0;
}

static int has(memfs *fs, const char *path, const char *text)
{
    memfs_file *file = NULL;
    char found[64];
    if (memfs_open(fs, NULL, path, MEMFS_O_READ, 0, &file) != 0)
        return 0;
    int64_t length = memfs_read(file, found, sizeof found);
    memfs_close(file);
    return length == (int64_t)strlen(text) && memcmp(found, text, (size_t)length) == 0;
}

/* ---- The fixture ---------------------------------------------------------------- */

/* Costs what it costs, once. */
static int make_fixture(memfs_backing **out)
{
    memfs *fs = NULL;
    char path[64];
    EXPECT(memfs_create(NULL, &fs) == 0);
    EXPECT(memfs_mkdir(fs, NULL, "etc", 0755) == 0 && memfs_mkdir(fs, NULL, "home", 0755) == 0);
    EXPECT(put(fs, "etc/app.conf", "colour = teal\n") == 0);
    for (int i = 0; i < USERS; i++) {
        snprintf(path, sizeof path, "home/user%d", i);
        EXPECT(memfs_mkdir(fs, NULL, path, 0700) == 0);
        strcat(path, "/profile");
        EXPECT(put(fs, path, "none yet\n") == 0);
    }
    EXPECT(memfs_seal(fs, out) == 0);
    return 0;
}

/* ---- A test ----------------------------------------------------------------------- */

/* Finds everything as the fixture has it, whatever other tests have done, and leaves it in ruins. */
static int run_test(memfs *fs, int number)
{
    char text[64], path[64];
    struct memfs_stat stat;
    EXPECT(has(fs, "etc/app.conf", "colour = teal\n"));
    EXPECT(memfs_stat(fs, NULL, "home", &stat) == 0 && stat.size == USERS);
    EXPECT(memfs_stat(fs, NULL, "home/result", &stat) != 0);
    snprintf(text, sizeof text, "colour = %d\n", number);
    EXPECT(put(fs, "etc/app.conf", text) == 0);
    EXPECT(put(fs, "home/result", text) == 0);
    snprintf(path, sizeof path, "home/user%d/profile", number % USERS);
    EXPECT(memfs_unlink(fs, NULL, path) == 0);
    EXPECT(has(fs, "etc/app.conf", text) && has(fs, "home/result", text) && !has(fs, path, "none yet\n"));
    return 0;
}

static double now(void)
{
    struct timespec time;
    timespec_get(&time, TIME_UTC);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

int main(void)
{
    static memfs *kept[TESTS];
    memfs_backing *fixture = NULL;
    double begin = now();
    if (make_fixture(&fixture) != 0)
        return 1;
    printf("making the fixture took %.0f microseconds\n", now() - begin);

    struct memfs_options options = {.size = sizeof options, .backing = fixture};
    double making = 0;
    for (int i = 0; i < TESTS; i++) {
        begin = now();
        if (memfs_create(&options, &kept[i]) != 0)
            return 1;
        making += now() - begin;
        if (run_test(kept[i], i) != 0)
            return 1;
    }
    printf("%d tests, each on its own: %.1f microseconds to make one\n", TESTS, making / TESTS);

    /* All at once, each still has what its test has left there. */
    for (int i = 0; i < TESTS; i++) {
        char text[64];
        snprintf(text, sizeof text, "colour = %d\n", i);
        if (!has(kept[i], "etc/app.conf", text))
            return fprintf(stderr, "test %d was disturbed\n", i), 1;
        memfs_destroy(kept[i]);
    }
    memfs_backing_release(fixture);
    printf("none saw another's changes\n");
}
