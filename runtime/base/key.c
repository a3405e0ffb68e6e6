/* key.c -- composite store keys. See the layout in millrace/store.h. */
#include "millrace/store.h"

void mr_key_begin(struct mr_key *key)
{
    key->len = 0;
    key->overflow = false;
}

void mr_key_text(struct mr_key *key, struct mr_slice text)
{
    if (text.len + 1 > sizeof(key->bytes) - key->len) {
        key->overflow = true;
        return;
    }
    if (text.len > 0) {
        memcpy(key->bytes + key->len, text.data, text.len);
    }
    key->len += text.len;
    key->bytes[key->len++] = 0;
}

void mr_key_i64(struct mr_key *key, int64_t value)
{
    const uint64_t ordered = (uint64_t)value ^ (UINT64_C(1) << 63);

    if (sizeof(ordered) > sizeof(key->bytes) - key->len) {
        key->overflow = true;
        return;
    }
    for (int shift = 56; shift >= 0; shift -= 8) {
        key->bytes[key->len++] = (uint8_t)(ordered >> shift);
    }
}

struct mr_slice mr_key_slice(const struct mr_key *key)
{
    MR_ASSERT(!key->overflow);
    return mr_slice_of(key->bytes, key->len);
}

void mr_key_prefix_end(const struct mr_key *prefix, struct mr_key *end)
{
    *end = *prefix;
    while (end->len > 0 && end->bytes[end->len - 1] == 0xff) {
        end->len--;
    }
    if (end->len > 0) {
        end->bytes[end->len - 1]++;
    }
}
