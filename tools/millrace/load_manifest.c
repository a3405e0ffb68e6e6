/*
 * load_manifest.c -- the manifest as a JSON file.
 */
#include "load_manifest.h"

#include "millrace/arena.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

uint64_t load_hash(struct mr_slice bytes)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < bytes.len; i++) {
        hash = (hash ^ bytes.data[i]) * UINT64_C(0x100000001b3);
    }
    return hash;
}

void load_manifest_reject(struct load_manifest *manifest, int code)
{
    size_t i = 0;

    while (i < manifest->rejected_count && manifest->rejected[i].code != code) {
        i++;
    }
    MR_ASSERT(i < LOAD_CODES_MAX);
    if (i == manifest->rejected_count) {
        manifest->rejected[i] = (struct load_code_count){.code = code};
        manifest->rejected_count++;
    }
    manifest->rejected[i].count++;
}

const struct load_start *load_manifest_start(const struct load_manifest *manifest,
                                             const char *topic)
{
    for (size_t i = 0; i < manifest->start_count; i++) {
        if (strcmp(manifest->starts[i].topic, topic) == 0) {
            return &manifest->starts[i];
        }
    }
    return NULL;
}

enum mr_status load_make_parents(const char *path, struct mr_err *err)
{
    char directory[LOAD_PATH_BYTES_MAX];
    const size_t len = strlen(path);

    if (len >= sizeof directory) {
        return mr_fail(err, MR_CONFIG, "path is too long: %s", path);
    }
    memcpy(directory, path, len + 1);
    for (size_t i = 1; i < len; i++) {
        if (directory[i] != '/') {
            continue;
        }
        directory[i] = '\0';
        if (mkdir(directory, 0777) != 0 && errno != EEXIST) {
            return mr_fail(err, MR_CONFIG, "cannot create %s: %s", directory, strerror(errno));
        }
        directory[i] = '/';
    }
    return MR_OK;
}

static json_t *starts_json(const struct load_manifest *manifest)
{
    json_t *starts = json_object();

    for (size_t i = 0; i < manifest->start_count; i++) {
        json_t *offsets = json_array();

        for (int32_t p = 0; p < manifest->starts[i].partitions; p++) {
            (void)json_array_append_new(offsets, json_integer(manifest->starts[i].offsets[p]));
        }
        (void)json_object_set_new(starts, manifest->starts[i].topic, offsets);
    }
    return starts;
}

static json_t *expected_json(const struct load_manifest *manifest)
{
    json_t *rejected = json_object();

    for (size_t i = 0; i < manifest->rejected_count; i++) {
        char code[16];

        (void)snprintf(code, sizeof code, "%d", manifest->rejected[i].code);
        (void)json_object_set_new(rejected, code, json_integer(manifest->rejected[i].count));
    }
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:o}", "accepted", (json_int_t)manifest->accepted,
                     "duplicates", (json_int_t)manifest->duplicates, "conflicts",
                     (json_int_t)manifest->conflicts, "cancelled", (json_int_t)manifest->cancelled,
                     "deadLetters", (json_int_t)manifest->dead_letters, "rejected", rejected);
}

enum mr_status load_manifest_write(const struct load_manifest *manifest, const char *path,
                                   struct mr_err *err)
{
    json_t *symbols = json_object();
    json_t *root;
    char digest[24];
    int failed;

    MR_TRY(load_make_parents(path, err));
    for (size_t i = 0; i < manifest->symbol_count; i++) {
        (void)json_object_set_new(symbols, manifest->symbol_names[i],
                                  json_integer(manifest->symbol_trades[i]));
    }
    (void)snprintf(digest, sizeof digest, "%016" PRIx64, manifest->dead_letter_digest);
    root = json_pack(
        "{s:s, s:s, s:{s:s, s:s, s:s, s:I}, s:o, s:o, s:s, s:o, s:{s:I, s:I, s:I, s:I, s:I, s:I, "
        "s:I}}",
        "run", manifest->run, "application", manifest->application, "tape", "file", manifest->tape,
        "markets", manifest->markets, "symbols", manifest->symbols, "limit",
        (json_int_t)manifest->limit, "trades", symbols, "expected", expected_json(manifest),
        "deadLetterDigest", digest, "start", starts_json(manifest), "load", "sent",
        (json_int_t)manifest->sent, "elapsedUs", (json_int_t)manifest->elapsed_us, "sendUs",
        (json_int_t)manifest->send_us, "latencySamples", (json_int_t)manifest->latency_samples,
        "p50Us", (json_int_t)manifest->p50_us, "p99Us", (json_int_t)manifest->p99_us, "maxUs",
        (json_int_t)manifest->max_us);
    MR_ASSERT(root != NULL);
    failed = json_dump_file(root, path, JSON_INDENT(2));
    json_decref(root);
    if (failed != 0) {
        return mr_fail(err, MR_CONFIG, "cannot write %s: %s", path, strerror(errno));
    }
    return MR_OK;
}

static void copy_text(char *to, size_t bytes, const char *from)
{
    (void)snprintf(to, bytes, "%s", from == NULL ? "" : from);
}

static bool read_maps(struct load_manifest *manifest, json_t *trades, json_t *rejected,
                      json_t *starts)
{
    const char *name;
    json_t *value;

    json_object_foreach(trades, name, value)
    {
        if (manifest->symbol_count == LOAD_SYMBOLS_MAX) {
            return false;
        }
        copy_text(manifest->symbol_names[manifest->symbol_count], LOAD_SYMBOL_BYTES_MAX, name);
        manifest->symbol_trades[manifest->symbol_count] = json_integer_value(value);
        manifest->symbol_count++;
    }
    json_object_foreach(rejected, name, value)
    {
        if (manifest->rejected_count == LOAD_CODES_MAX) {
            return false;
        }
        manifest->rejected[manifest->rejected_count] = (struct load_code_count){
            .code = (int)strtol(name, NULL, 10), .count = json_integer_value(value)};
        manifest->rejected_count++;
    }
    json_object_foreach(starts, name, value)
    {
        struct load_start *start = &manifest->starts[manifest->start_count];

        if (manifest->start_count == LOAD_STARTS_MAX || json_array_size(value) == 0) {
            return false;
        }
        start->topic = mr_xstrdup(name);
        start->partitions = (int32_t)json_array_size(value);
        start->offsets = mr_xcalloc(json_array_size(value), sizeof *start->offsets);
        for (size_t p = 0; p < json_array_size(value); p++) {
            start->offsets[p] = json_integer_value(json_array_get(value, p));
        }
        manifest->start_count++;
    }
    return true;
}

static bool read_root(struct load_manifest *manifest, json_t *root)
{
    const char *run = NULL, *application = NULL, *tape = NULL, *markets = NULL, *symbols = NULL;
    const char *digest = NULL;
    json_t *trades = NULL, *rejected = NULL, *starts = NULL;
    json_int_t limit = 0, accepted = 0, duplicates = 0, conflicts = 0, cancelled = 0, dead = 0;
    json_int_t sent = 0, elapsed = 0, send = 0, samples = 0, p50 = 0, p99 = 0, max = 0;

    if (json_unpack(root,
                    "{s:s, s:s, s:{s:s, s:s, s:s, s:I}, s:o, s:{s:I, s:I, s:I, s:I, s:I, s:o}, "
                    "s:s, s:o, s:{s:I, s:I, s:I, s:I, s:I, s:I, s:I}}",
                    "run", &run, "application", &application, "tape", "file", &tape, "markets",
                    &markets, "symbols", &symbols, "limit", &limit, "trades", &trades, "expected",
                    "accepted", &accepted, "duplicates", &duplicates, "conflicts", &conflicts,
                    "cancelled", &cancelled, "deadLetters", &dead, "rejected", &rejected,
                    "deadLetterDigest", &digest, "start", &starts, "load", "sent", &sent,
                    "elapsedUs", &elapsed, "sendUs", &send, "latencySamples", &samples, "p50Us",
                    &p50, "p99Us", &p99, "maxUs", &max) != 0) {
        return false;
    }
    copy_text(manifest->run, sizeof manifest->run, run);
    copy_text(manifest->application, sizeof manifest->application, application);
    copy_text(manifest->tape, sizeof manifest->tape, tape);
    copy_text(manifest->markets, sizeof manifest->markets, markets);
    copy_text(manifest->symbols, sizeof manifest->symbols, symbols);
    manifest->limit = limit;
    manifest->accepted = accepted;
    manifest->duplicates = duplicates;
    manifest->conflicts = conflicts;
    manifest->cancelled = cancelled;
    manifest->dead_letters = dead;
    manifest->dead_letter_digest = strtoull(digest, NULL, 16);
    manifest->sent = sent;
    manifest->elapsed_us = elapsed;
    manifest->send_us = send;
    manifest->latency_samples = samples;
    manifest->p50_us = p50;
    manifest->p99_us = p99;
    manifest->max_us = max;
    return read_maps(manifest, trades, rejected, starts);
}

enum mr_status load_manifest_read(const char *path, struct load_manifest *manifest,
                                  struct mr_err *err)
{
    json_error_t problem;
    json_t *root = json_load_file(path, 0, &problem);
    bool good;

    *manifest = (struct load_manifest){0};
    if (root == NULL) {
        return mr_fail(err, MR_CONFIG, "%s: %s; `millrace load` writes it", path, problem.text);
    }
    good = read_root(manifest, root);
    json_decref(root);
    if (!good) {
        load_manifest_fini(manifest);
        return mr_fail(err, MR_CONFIG, "%s is not a manifest of `millrace load`", path);
    }
    return MR_OK;
}

void load_manifest_fini(struct load_manifest *manifest)
{
    for (size_t i = 0; i < manifest->start_count; i++) {
        free(manifest->starts[i].topic);
        free(manifest->starts[i].offsets);
    }
    manifest->start_count = 0;
}
