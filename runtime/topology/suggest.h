/*
 * suggest.h -- "did you mean": the nearest of the names that would have been right.
 *
 * Offer every candidate, then ask for the text that ends the message: the nearest name when one is
 * near, else the first few candidates.
 */
#ifndef MILLRACE_TOPOLOGY_SUGGEST_H
#define MILLRACE_TOPOLOGY_SUGGEST_H

#include <stdbool.h>
#include <stddef.h>

struct suggest {
    const char *wanted;
    const char *nearest;
    size_t distance;
    char known[160]; /* "a, b, c" */
    size_t known_len;
    bool more;
    char text[256];
};

void suggest_init(struct suggest *suggest, const char *wanted);
void suggest_offer(struct suggest *suggest, const char *candidate);
/* The nearest candidate when one is near, else NULL. */
const char *suggest_near(const struct suggest *suggest);
/* ", did you mean "x"?", or "; known: a, b, c", or "" without candidates. Lives in suggest. */
const char *suggest_text(struct suggest *suggest);

#endif
