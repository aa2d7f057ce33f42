#include "output/color.h"

#include "options.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int color_is_on(void)
{
    const char *no = getenv("NO_COLOR"), *terminal = getenv("TERM");
    if (common.color != WHEN_AUTO)
        return common.color == WHEN_ALWAYS;
    return isatty(STDOUT_FILENO) && !(no && no[0]) && terminal && strcmp(terminal, "dumb") != 0;
}
