/*
 * The command memfs: finds the subcommand and leaves the rest to it.
 */
#include "commands.h"
#include "memfs.h"
#include "output/message.h"
#include "output/output.h"
#include "system/interrupt.h"
#include "values/nearest.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int help_all(void)
{
    output("Usage: memfs SUBCOMMAND [OPTION]... [OPERAND]...\n"
           "Packs directories into images that open at once, and reads, compares and checks them.\n\n");
    for (size_t i = 0; commands[i]; i++)
        output("  %-8s %s\n", commands[i]->name, commands[i]->summary);
    output("\n'memfs SUBCOMMAND --help' tells more; 'memfs --version' the version.\n"
           "\nExamples:\n"
           "  memfs pack photos               makes photos.mfs\n"
           "  memfs ls -l photos.mfs          lists it\n"
           "  memfs diff photos.mfs photos    says what has changed since\n"
           "  memfs unpack photos.mfs copy    writes it into the new directory copy\n"
           "\nExit codes: 0 done or the same, 1 different, or incomplete (something named was not there, or was left "
           "out),\n"
           "2 wrong usage, 3 image damaged or not an image, 4 failed.\n");
    return output_finish();
}

static int is_help(const char *word)
{
    return strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static int unknown_subcommand(const char *word)
{
    struct nearest nearest = {.word = word};
    for (size_t i = 0; commands[i]; i++)
        nearest_look(&nearest, commands[i]->name);
    if (nearest.found)
        return message_usage(NULL, "unknown subcommand '%s'; did you mean %s?", word, nearest.found);
    return message_usage(NULL, "unknown subcommand '%s'", word);
}

/* -C DIR before the subcommand is what it is behind it. -1, or the exit code; *used words are taken. */
static int take_directory(int argc, char **argv, int *used)
{
    *used = 0;
    while (*used < argc && strncmp(argv[*used], "-C", 2) == 0) {
        const char *dir = argv[(*used)++] + 2;
        if (dir[0] == '\0' && *used == argc)
            return message_usage(NULL, "-C needs a value, DIR");
        if (dir[0] == '\0')
            dir = argv[(*used)++];
        const int code = options_directory(dir);
        if (code >= 0)
            return code;
    }
    return -1;
}

static int help(int argc, char **argv)
{
    if (argc < 2)
        return help_all();
    if (argc > 2)
        return message_usage(NULL, "help is about one subcommand at a time");
    if (is_help(argv[1]))
        return help_all();
    const struct command *command = commands_find(argv[1]);
    if (!command)
        return unknown_subcommand(argv[1]);
    options_help(command);
    return output_finish();
}

static int dispatch(int argc, char **argv)
{
    int used;
    const int code = take_directory(argc, argv, &used);
    if (code >= 0)
        return code;
    argc -= used;
    argv += used;
    if (argc < 1)
        return message_usage(NULL, "needs a subcommand");
    if (is_help(argv[0]))
        return help(argc, argv);
    if (strcmp(argv[0], "--version") == 0 || strcmp(argv[0], "-V") == 0) {
        output("memfs %s\n", MEMFS_VERSION);
        return output_finish();
    }
    const struct command *command = commands_find(argv[0]);
    if (command)
        return command->run(argc, argv);
    if (argv[0][0] == '-')
        return message_usage(NULL, "unknown option '%s'; a subcommand comes first", argv[0]);
    return unknown_subcommand(argv[0]);
}

/* If a standard descriptor is closed, the next file opened would take its place
 * and get what is meant for the terminal. A write to the stand-in fails. */
static int occupy_standard_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) >= 0)
            continue;
        int stand_in; /* gets the lowest number that is free: this one */
        do {
            stand_in = open("/dev/null", O_RDONLY);
        } while (stand_in < 0 && errno == EINTR);
        if (stand_in < 0)
            return message_error("/dev/null", NULL, -errno, NULL);
    }
    return EXIT_DONE;
}

int main(int argc, char **argv)
{
    static char line[4096];
    if (occupy_standard_descriptors() != EXIT_DONE)
        return EXIT_FAILED;
    interrupt_start();
    setlocale(LC_CTYPE, "");
    setvbuf(stderr, line, _IOLBF, sizeof line); /* a message is one write */
    int code = dispatch(argc - 1, argv + 1);
    if (code != EXIT_DONE)
        interrupt_die();
    return code;
}
