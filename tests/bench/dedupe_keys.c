/*
 * dedupe_keys.c -- what a remembered request costs: bytes on disk for each key, and memory.
 *
 * Why: a day of requests at full rate is some fifty million keys, and the store must hold them in
 *      bounded memory.
 * How: writes COUNT entries as dedupe does (key: user, action, UUID; value: first sight,
 * fingerprint, order and command id) through the RocksDB backend with a memory bound of 64 MiB, in
 * batches of a transaction's size, then looks 100,000 of them up. Bytes are those of the directory
 * after it was closed; memory is the process's highest. Use: dedupe_keys DIRECTORY COUNT
 */
#include "avro/dedupe_entry.h"
#include "millrace/backend.h"
#include "millrace/codec.h"
#include "millrace/store.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#define BATCH 2000
#define MEMORY_BYTES (INT64_C(64) << 20)
#define USERS 100000
#define LOOKUPS 100000
#define FIRST_US INT64_C(1723075200000000)

static uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* A UUID version 7 as the gateway mints them: time first, then random. */
static void uuid(char out[37], uint64_t number, uint64_t salt)
{
    const uint64_t ms = (uint64_t)FIRST_US / 1000 + number / 600;
    const uint64_t a = mix(number * 4 + salt);
    const uint64_t b = mix(number * 4 + salt + 2);

    (void)snprintf(out, 37, "%08x-%04x-7%03x-%04x-%012" PRIx64, (unsigned)(ms >> 16),
                   (unsigned)(ms & 0xffff), (unsigned)(a & 0xfff),
                   (unsigned)(0x8000 | ((a >> 12) & 0x3fff)), b & UINT64_C(0xffffffffffff));
}

static void key_of(uint64_t number, struct mr_key *key)
{
    char user[24];
    char id[37];

    (void)snprintf(user, sizeof(user), "user-%05" PRIu64, mix(number) % USERS);
    uuid(id, number, 0);
    mr_key_begin(key);
    mr_key_text(key, mr_slice_str(user));
    mr_key_i64(key, 0);
    mr_key_text(key, mr_slice_str(id));
}

static size_t value_of(uint64_t number, uint8_t *buffer, size_t bytes)
{
    const struct mr_binding binding = {.schema = &oms_dedupe_entry_schema, .id = 1};
    char order[37];
    char command[37];
    struct oms_dedupe_entry entry = {.first_ts_us = FIRST_US + (int64_t)number * 1700};

    uuid(order, number, 1);
    uuid(command, number, 3);
    entry.order_id = mr_slice_str(order);
    entry.command_id = mr_slice_str(command);
    for (size_t i = 0; i < sizeof(entry.fingerprint); i += 8) {
        const uint64_t part = mix(number * 8 + i);

        memcpy(entry.fingerprint + i, &part, sizeof(part));
    }
    if (mr_codec_framed_bytes_max(&binding, &entry) > bytes) {
        abort();
    }
    return mr_codec_encode(&binding, &entry, buffer);
}

static int64_t directory_bytes(const char *path)
{
    DIR *directory = opendir(path);
    int64_t sum = 0;
    const struct dirent *entry = NULL;

    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        char name[4096];
        struct stat status;

        (void)snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
        if (entry->d_name[0] == '.' || stat(name, &status) != 0) {
            continue;
        }
        sum += S_ISDIR(status.st_mode) ? directory_bytes(name) : (int64_t)status.st_size;
    }
    if (directory != NULL) {
        (void)closedir(directory);
    }
    return sum;
}

static double now_s(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void must(enum mr_status status, const struct mr_err *err)
{
    if (status != MR_OK) {
        (void)fprintf(stderr, "dedupe_keys: %s\n", err->text);
        exit(EXIT_FAILURE);
    }
}

static void fill(struct mr_backend *backend, struct mr_space *space, uint64_t count)
{
    static struct mr_backend_write writes[BATCH];
    static struct mr_key keys[BATCH];
    static uint8_t values[BATCH][512];
    struct mr_err err;

    for (uint64_t at = 0; at < count; at += BATCH) {
        const uint64_t batch = count - at < BATCH ? count - at : BATCH;

        for (uint64_t i = 0; i < batch; i++) {
            key_of(at + i, &keys[i]);
            writes[i] = (struct mr_backend_write){
                .space = space,
                .key = mr_key_slice(&keys[i]),
                .value = mr_slice_of(values[i], value_of(at + i, values[i], sizeof(values[i]))),
                .has_value = true};
        }
        must(backend->ops->write(backend, writes, batch, NULL, 0, false, &err), &err);
    }
}

static void look_up(struct mr_backend *backend, struct mr_space *space, uint64_t count)
{
    struct mr_buffer value = {0};
    struct mr_err err;

    for (uint64_t i = 0; i < LOOKUPS; i++) {
        struct mr_key key;
        bool found = false;

        key_of(mix(i) % count, &key);
        must(backend->ops->get(backend, space, mr_key_slice(&key), &value, &found, &err), &err);
        if (!found) {
            (void)fprintf(stderr, "dedupe_keys: a key is gone\n");
            exit(EXIT_FAILURE);
        }
    }
    mr_buffer_fini(&value);
}

int main(int argc, char **argv)
{
    const uint64_t count = argc == 3 ? strtoull(argv[2], NULL, 10) : 0;
    struct mr_backend *backend = NULL;
    struct mr_space *space = NULL;
    struct mr_err err;
    struct rusage usage;
    double started = 0;
    double filled = 0;
    double looked = 0;

    if (count == 0) {
        (void)fprintf(stderr, "usage: dedupe_keys DIRECTORY COUNT\n");
        return 2;
    }
    must(mr_backend_rocksdb_open(argv[1], "bench.dedupe", MEMORY_BYTES, &backend, &err), &err);
    must(backend->ops->space_open(backend, "dedupe.seen", 0, &space, &err), &err);
    started = now_s();
    fill(backend, space, count);
    filled = now_s();
    look_up(backend, space, count);
    looked = now_s();
    must(backend->ops->space_close(backend, space, &err), &err);
    mr_backend_close(&backend);
    (void)getrusage(RUSAGE_SELF, &usage);
    (void)printf("%" PRIu64 " keys: %.1f bytes each on disk, %.0f MB highest memory, %.0f keys/s "
                 "written, %.1f us for a look-up\n",
                 count, (double)directory_bytes(argv[1]) / (double)count,
                 (double)usage.ru_maxrss / 1024.0, (double)count / (filled - started),
                 (looked - filled) / LOOKUPS * 1e6);
    return 0;
}
