/*
 * The command memfs: finds the subcommand and leaves the rest to it.
 */
#include "commands.h"
#include "memfs.h"
#include "output/message.h"
#include "output/output.h"
#include "system/interrupt.h"

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
        return message_usage(NULL, "unknown subcommand '%s'", argv[1]);
    options_help(command);
    return output_finish();
}

static int dispatch(int argc, char **argv)
{
    if (argc < 1)
        return message_usage(NULL, "needs a subcommand");
    if (is_help(argv[0]))
        return help(argc, argv);
    if (strcmp(argv[0], "--version") == 0) {
        output("memfs %s\n", MEMFS_VERSION);
        return output_finish();
    }
    const struct command *command = commands_find(argv[0]);
    if (command)
        return command->run(argc, argv);
    if (argv[0][0] == '-')
        return message_usage(NULL, "unknown option '%s'; a subcommand comes first", argv[0]);
    return message_usage(NULL, "unknown subcommand '%s'", argv[0]);
}

/* If a standard descriptor is closed, the next file opened would take its place
 * and get what is meant for the terminal. A write to the stand-in fails. */
static int occupy_standard_descriptors(void)
{
    int fd;
    do {
        fd = open("/dev/null", O_RDONLY);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd < 0)
        return EXIT_FAILED;
    close(fd);
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
