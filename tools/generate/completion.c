#include "completion.h"

#include "output/output.h"

#include <stdio.h>
#include <string.h>

#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

static const struct {
    const char *name;
    enum completion_kind kind;
} kinds[] = {{"FILE", COMPLETION_FILE}, {"SOURCE", COMPLETION_FILE},   {"A", COMPLETION_FILE},
             {"B", COMPLETION_FILE},    {"DIR", COMPLETION_DIRECTORY}, {"IMAGE", COMPLETION_IMAGE},
             {"PATH", COMPLETION_PATH}};

static enum completion_kind kind_of(const char *name, size_t length)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strlen(kinds[i].name) == length && memcmp(kinds[i].name, name, length) == 0)
            return kinds[i].kind;
    }
    return COMPLETION_NONE;
}

/* Its first word decides: of "PATH/GLOB" that is PATH. */
enum completion_kind completion_argument(const struct option_row *row)
{
    if (row->kind == OPTION_CHOICE)
        return COMPLETION_WORDS;
    return kind_of(row->argument, strspn(row->argument, UPPER));
}

int completion_operands(const struct command *command, struct completion_operand operands[COMPLETION_OPERANDS_MAX])
{
    int count = 0;
    /* Of "DIR | SOURCE... IMAGE" the last: it takes most. */
    const char *alternative = strrchr(command->operands, '|');
    for (const char *at = strpbrk(alternative ? alternative : command->operands, UPPER);
         at && count < COMPLETION_OPERANDS_MAX; at = strpbrk(at, UPPER)) {
        size_t length = strspn(at, UPPER);
        struct completion_operand *operand = &operands[count++];
        operand->kind = kind_of(at, length);
        snprintf(operand->name, sizeof operand->name, "%.*s", (int)length, at);
        at += length;
        size_t word = strcspn(at, " ");
        operand->repeated = word >= 3 && memcmp(at + word - 3, "...", 3) == 0;
        if (operand->repeated)
            break;
    }
    return count;
}

void completion_quote(const char *text, const char *special, const char *quote)
{
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            output("%s", quote);
        else
            output(strchr(special, *text) ? "\\%c" : "%c", *text);
    }
}
