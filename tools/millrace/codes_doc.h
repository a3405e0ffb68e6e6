/*
 * codes_doc.h -- the registry of reject codes and cancel reasons (domain/codes.h) as text: a table
 * to read, docs/CODES.md, or JSON.
 */
#ifndef MILLRACE_TOOLS_CODES_DOC_H
#define MILLRACE_TOOLS_CODES_DOC_H

#include "domain/codes.h"
#include "millrace/buffer.h"

/* What of the registry is meant: all of it, or one row. */
struct codes_choice {
    const struct code_row *codes;
    size_t code_count;
    const struct reason_row *reasons;
    size_t reason_count;
};

struct codes_choice codes_all(void);
/* "1103", "PRICE_TICK" or "price_tick", or a reason's name. False: there is none. */
bool codes_find(const char *wanted, struct codes_choice *choice);

void codes_write_table(const struct codes_choice *choice, struct mr_buffer *out);
void codes_write_json(const struct codes_choice *choice, struct mr_buffer *out);
/* docs/CODES.md: all of it. */
void codes_write_markdown(struct mr_buffer *out);

#endif
