/* changelog.c -- keys of a stage's changelog. See millrace/changelog.h. */
#include "millrace/changelog.h"

size_t mr_changelog_key(const struct mr_store_spec *store, struct mr_slice key,
                        uint8_t out[MR_CHANGELOG_KEY_BYTES_MAX])
{
    const size_t name_len = strlen(store->name);

    MR_ASSERT(name_len <= MR_STORE_NAME_BYTES_MAX && key.len <= MR_STORE_KEY_BYTES_MAX);
    memcpy(out, store->name, name_len + 1);
    if (key.len > 0) {
        memcpy(out + name_len + 1, key.data, key.len);
    }
    return name_len + 1 + key.len;
}

size_t mr_changelog_store(const struct mr_stage *type, struct mr_slice record_key,
                          struct mr_slice *key)
{
    const uint8_t *end = record_key.len > 0 ? memchr(record_key.data, 0, record_key.len) : NULL;

    for (size_t i = 0; end != NULL && i < type->store_count; i++) {
        if (strcmp((const char *)record_key.data, type->stores[i].name) == 0) {
            *key = mr_slice_of(end + 1, (size_t)(record_key.data + record_key.len - (end + 1)));
            return i;
        }
    }
    return SIZE_MAX;
}
