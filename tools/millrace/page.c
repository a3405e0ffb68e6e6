/* page.c -- see page.h. The text comes from page.html at build time (page.cmake). */
#include "page.h"

#include "command.h"

extern const unsigned char page_html[];

/* Each @NAME@ of the text is replaced. Names of a topology hold nothing that HTML minds. */
void page_write(const char *application, struct mr_slice svg, struct mr_buffer *out)
{
    const struct {
        const char *mark;
        struct mr_slice text;
    } marks[] = {
        {"@APPLICATION@", mr_slice_str(application)},
        {"@VERSION@", mr_slice_str(MILLRACE_VERSION)},
        {"@GRAPH@", svg},
    };
    const char *at = (const char *)page_html;

    while (*at != '\0') {
        const size_t plain = strcspn(at, "@");
        bool replaced = false;

        mr_buffer_append(out, at, plain);
        at += plain;
        for (size_t i = 0; i < MR_COUNT(marks) && !replaced; i++) {
            const size_t len = strlen(marks[i].mark);

            replaced = strncmp(at, marks[i].mark, len) == 0;
            if (replaced) {
                mr_buffer_append(out, marks[i].text.data, marks[i].text.len);
                at += len;
            }
        }
        if (!replaced && *at != '\0') {
            mr_buffer_append(out, at++, 1);
        }
    }
}
