/*
 * store_key.h -- keys of stores as text, and back.
 *
 * Keys are bytes (millrace/store.h): a text as it is, or parts, each a text that a zero byte ends
 * or an integer of 8 bytes. As text, parts are joined with ':' and integers are decimal; what is
 * neither is hex, 0x00ff. A store does not say which form its keys have, so one text may mean
 * several keys: all of them are looked for.
 */
#ifndef MILLRACE_TOOLS_STORE_KEY_H
#define MILLRACE_TOOLS_STORE_KEY_H

#include "millrace/buffer.h"
#include "millrace/store.h"

#define STORE_KEY_FORMS_MAX 12

/* Keys that text may mean, the likeliest first. 0: it is no key (bad hex, or too long). */
size_t store_key_forms(const char *text, struct mr_key forms[STORE_KEY_FORMS_MAX]);
/*
 * Beginnings that text may mean: as it is, and with its ':' as ends of parts. 0: as above; an empty
 * text is one empty beginning.
 */
size_t store_key_prefixes(const char *text, struct mr_key forms[STORE_KEY_FORMS_MAX]);
/* Appends the text of a key, unquoted; false: it is not all text, so that hex says more. */
bool store_key_text(struct mr_slice key, struct mr_buffer *out);
/* ,"key":"...", and "keyHex" where the text does not say it all. Begins without a comma. */
void store_key_json(struct mr_slice key, struct mr_buffer *out);

#endif
