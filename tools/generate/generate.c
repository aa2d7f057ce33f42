/*
 * Writes what is made from the tables of subcommands and options, on standard output:
 *
 *   generate page SUBCOMMAND DATE     its man page
 *   generate bash | zsh | fish        the table for that shell's completion
 */
#include "commands.h"
#include "completion.h"
#include "manual.h"
#include "output/message.h"
#include "output/output.h"

#include <string.h>

static int generate_page(int argc, char **argv)
{
    const struct command *command = argc == 4 ? commands_find(argv[2]) : NULL;
    if (!command)
        return message_usage(NULL, "generate page takes a subcommand and a date");
    manual_write(command, argv[3]);
    return output_finish();
}

int main(int argc, char **argv)
{
    static const struct {
        const char *shell;
        void (*write)(void);
    } shells[] = {{"bash", completion_bash}, {"zsh", completion_zsh}, {"fish", completion_fish}};
    const char *what = argc > 1 ? argv[1] : "";
    if (strcmp(what, "page") == 0)
        return generate_page(argc, argv);
    for (size_t i = 0; i < sizeof shells / sizeof *shells; i++) {
        if (argc == 2 && strcmp(what, shells[i].shell) == 0) {
            shells[i].write();
            return output_finish();
        }
    }
    return message_usage(NULL, "generate page, bash, zsh or fish");
}
