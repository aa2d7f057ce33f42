#include "values/rules.h"

#include "output/message.h"
#include "system/text.h"

#include <string.h>

#define BYTES_MAX ((size_t)64 << 20)

static int read_rules(const char *file, struct ignore *ignore)
{
    struct buffer text = {0};
    int result = text_read(file, '\n', BYTES_MAX, &text);
    if (result == 0)
        result = ignore_add_lines(ignore, text.data, text.length);
    buffer_free(&text);
    return result != 0 ? text_error(file, result, BYTES_MAX, "rules") : EXIT_DONE;
}

int rules_take(const struct command *command, const struct option_list *rules, const struct option_list *files,
               int input_taken, struct ignore *out)
{
    int code = EXIT_DONE, inputs = input_taken != 0;
    for (size_t i = 0; i < files->count; i++)
        inputs += strcmp(files->texts[i], "-") == 0;
    if (inputs > 1)
        return message_usage(command->name, "standard input can be read only once: name a file for all but one '-'");
    for (size_t i = 0; code == EXIT_DONE && i < files->count; i++)
        code = read_rules(files->texts[i], out);
    for (size_t i = 0; code == EXIT_DONE && i < rules->count; i++) {
        const char *text = rules->texts[i];
        if (text[0] == '\0')
            return message_usage(command->name, "--exclude '': matches nothing; give a name or a pattern");
        const int result = ignore_add(out, text, strlen(text));
        if (result != 0)
            code = message_error(command->name, NULL, result, NULL);
    }
    return code;
}
