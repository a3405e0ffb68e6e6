/*
 * fake_documents.h -- a document store that says what the test wants.
 *
 * Speaks as much of the wire protocol as a client's handshake and write commands need, in a thread
 * of the test, on a free loopback port.
 */
#ifndef TESTS_FAKE_DOCUMENTS_H
#define TESTS_FAKE_DOCUMENTS_H

#include <stddef.h>

#define FAKE_COMMANDS_MAX 32

/* A write command that came in. */
struct fake_command {
    char name[16]; /* insert | update | delete */
    char collection[32];
    size_t count; /* of its documents or statements */
    int upserts;  /* update: statements that insert when nothing matches */
};

struct fake_documents;

/*
 * answers  for the write commands in their order, as JSON; "" : everything was written;
 *          "cut": the connection is cut instead
 * Commands beyond count are answered as written.
 */
struct fake_documents *fake_documents_start(const char *const *answers, size_t count);
void fake_documents_stop(struct fake_documents **fake);
const char *fake_documents_uri(const struct fake_documents *fake);
/* The write commands so far. */
size_t fake_documents_commands(struct fake_documents *fake,
                               struct fake_command commands[FAKE_COMMANDS_MAX]);

#endif
