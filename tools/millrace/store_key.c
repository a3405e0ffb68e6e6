/* store_key.c -- see store_key.h. */
#include "store_key.h"

#include "line_text.h"
#include "millrace/option.h"

#include <inttypes.h>

#define PARTS_MAX 8
#define INTEGER_BYTES 8
#define INTEGERS_MAX 3 /* of one key that are tried both ways */

struct part {
    struct mr_slice text;
    int64_t number;
    bool is_number;
};

/* ---- from text ------------------------------------------------------------------------------- */

static bool parse_number(struct mr_slice text, int64_t *value)
{
    struct mr_err ignored;
    char digits[24];

    if (text.len == 0 || text.len >= sizeof(digits)) {
        return false;
    }
    memcpy(digits, text.data, text.len);
    digits[text.len] = '\0';
    return mr_parse_int(digits, value, &ignored) == MR_OK;
}

static size_t split(const char *text, struct part parts[PARTS_MAX])
{
    size_t count = 0;

    for (const char *at = text; count < PARTS_MAX; at++) {
        const size_t len = strcspn(at, ":");
        struct part *part = &parts[count++];

        part->text = mr_slice_of(at, len);
        part->is_number = parse_number(part->text, &part->number);
        at += len;
        if (*at == '\0') {
            return count;
        }
    }
    return 0; /* more parts than any key has */
}

static void add_raw(const char *text, struct mr_key *key)
{
    mr_key_begin(key);
    key->len = strlen(text);
    memcpy(key->bytes, text, key->len);
}

/* mask: which of the numbers, counted from the left, are integers. */
static bool add_parts(const struct part *parts, size_t count, unsigned mask, struct mr_key *key)
{
    unsigned number = 0;

    mr_key_begin(key);
    for (size_t i = 0; i < count; i++) {
        if (parts[i].is_number && (mask >> number++ & 1) != 0) {
            mr_key_i64(key, parts[i].number);
        } else {
            mr_key_text(key, parts[i].text);
        }
    }
    return !key->overflow;
}

/* False: text is not meant so. */
static bool from_hex(const char *text, struct mr_key *key, size_t *count)
{
    if (strncmp(text, "0x", 2) != 0) {
        return false;
    }
    mr_key_begin(key);
    *count = line_hex_parse(text + 2, key->bytes, sizeof(key->bytes), &key->len) ? 1 : 0;
    return true;
}

size_t store_key_forms(const char *text, struct mr_key forms[STORE_KEY_FORMS_MAX])
{
    struct part parts[PARTS_MAX];
    size_t part_count;
    size_t count = 0;
    unsigned numbers = 0;

    if (text[0] == '\0' || strlen(text) >= MR_KEY_BYTES_MAX) {
        return 0;
    }
    if (from_hex(text, &forms[0], &count)) {
        return count;
    }
    add_raw(text, &forms[count++]);
    part_count = split(text, parts);
    for (size_t i = 0; i < part_count; i++) {
        numbers += parts[i].is_number;
    }
    numbers = numbers > INTEGERS_MAX ? INTEGERS_MAX : numbers;
    for (unsigned mask = 0; part_count > 0 && mask < 1u << numbers; mask++) {
        count += add_parts(parts, part_count, mask, &forms[count]);
    }
    /* One text that has colons of its own. */
    if (part_count != 1) {
        const struct part whole = {.text = mr_slice_str(text)};

        count += add_parts(&whole, 1, 0, &forms[count]);
    }
    return count;
}

size_t store_key_prefixes(const char *text, struct mr_key forms[STORE_KEY_FORMS_MAX])
{
    size_t count = 0;

    if (strlen(text) >= MR_KEY_BYTES_MAX) {
        return 0;
    }
    if (from_hex(text, &forms[0], &count)) {
        return count;
    }
    add_raw(text, &forms[0]);
    if (strchr(text, ':') == NULL) {
        return 1;
    }
    add_raw(text, &forms[1]);
    for (size_t i = 0; i < forms[1].len; i++) {
        forms[1].bytes[i] = forms[1].bytes[i] == ':' ? 0 : forms[1].bytes[i];
    }
    return 2;
}

/* ---- to text --------------------------------------------------------------------------------- */

static size_t text_run(struct mr_slice key, size_t at)
{
    size_t len = 0;

    while (at + len < key.len && key.data[at + len] >= 0x20) {
        len++;
    }
    return len;
}

/* Small integers begin so, and no text does: 0x80 begins no character, 0x7f is not printed. */
static bool is_integer(struct mr_slice key, size_t at)
{
    return key.len - at >= INTEGER_BYTES && (key.data[at] == 0x80 || key.data[at] == 0x7f);
}

static int64_t integer_at(struct mr_slice key, size_t at)
{
    uint64_t ordered = 0;

    for (size_t i = 0; i < INTEGER_BYTES; i++) {
        ordered = ordered << 8 | key.data[at + i];
    }
    return (int64_t)(ordered ^ (UINT64_C(1) << 63));
}

static bool write_parts(struct mr_slice key, struct mr_buffer *out)
{
    size_t at = 0;

    while (at < key.len) {
        const size_t run = text_run(key, at);

        if (at > 0) {
            mr_buffer_append(out, ":", 1);
        }
        if (is_integer(key, at)) {
            mr_buffer_printf(out, "%" PRId64, integer_at(key, at));
            at += INTEGER_BYTES;
        } else if (at + run < key.len && key.data[at + run] == 0) {
            mr_buffer_append(out, key.data + at, run);
            at += run + 1;
        } else {
            return false;
        }
    }
    return true;
}

bool store_key_text(struct mr_slice key, struct mr_buffer *out)
{
    const size_t before = out->len;

    if (text_run(key, 0) == key.len && !is_integer(key, 0)) {
        mr_buffer_append(out, key.data, key.len);
        return true;
    }
    if (!write_parts(key, out)) {
        out->len = before;
        mr_buffer_printf(out, "0x");
        for (size_t i = 0; i < key.len; i++) {
            mr_buffer_printf(out, "%02x", key.data[i]);
        }
    }
    return false;
}

void store_key_json(struct mr_slice key, struct mr_buffer *out)
{
    struct mr_buffer text = MR_BUFFER_EMPTY;
    const bool all = store_key_text(key, &text);

    mr_buffer_printf(out, "\"key\":");
    line_text_append(out, mr_buffer_slice(&text));
    if (!all) {
        mr_buffer_printf(out, ",\"keyHex\":");
        line_hex_append(out, key);
    }
    mr_buffer_fini(&text);
}
