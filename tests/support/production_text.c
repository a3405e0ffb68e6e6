/* production_text.c -- see production_text.h. */
#include "production_text.h"

#include "millrace/arena.h"
#include "millrace/buffer.h"

#include <stdio.h>

char *production_text(void)
{
    FILE *file = fopen(MR_TOPOLOGY_FILE, "rb");
    struct mr_buffer text = MR_BUFFER_EMPTY;
    size_t got;

    MR_ASSERT(file != NULL);
    do {
        got = fread(mr_buffer_reserve(&text, 4096), 1, 4096, file);
        text.len += got;
    } while (got > 0);
    fclose(file);
    mr_buffer_append(&text, "", 1);
    return (char *)text.data;
}

void production_drop_section(char *text, const char *section)
{
    char *from = strstr(text, section);
    char *to;

    if (from == NULL) {
        return;
    }
    MR_ASSERT(from == text || from[-1] == '\n');
    /* The next line that begins at the margin, or the end. */
    for (to = strchr(from, '\n'); to != NULL && (to[1] == ' ' || to[1] == '\n' || to[1] == '#');
         to = strchr(to + 1, '\n')) {
    }
    if (to == NULL) {
        *from = '\0';
    } else {
        memmove(from, to + 1, strlen(to + 1) + 1);
    }
}
