#include "commands.h"

#include <string.h>

const struct command *const commands[] = {
    &command_pack, &command_unpack, &command_ls,   &command_tree, &command_cat,    &command_find,
    &command_du,   &command_hash,   &command_diff, &command_info, &command_verify, NULL,
};

const struct command *commands_find(const char *name)
{
    for (size_t i = 0; commands[i]; i++) {
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    }
    return NULL;
}
