/*
 * load_run.c -- the phases of a load, in order. See load.h.
 */
#include "load.h"
#include "load_drain.h"
#include "millrace/arena.h"

#include <stdio.h>
#include <stdlib.h>

static enum mr_status note_starts(const struct load_env *env, struct load_manifest *manifest,
                                  struct mr_err *err)
{
    const struct mr_topology *topology = env->topology;

    for (size_t t = 0; t < topology->topic_count; t++) {
        const struct mr_topic *topic = &topology->topics[t];
        struct load_start *start = &manifest->starts[manifest->start_count];
        int64_t ends[LOAD_PARTITIONS_MAX];
        int32_t partitions = 0;

        if (!topic->in_log || topic->kind == MR_TOPIC_CHANGELOG ||
            topic->kind == MR_TOPIC_JOURNAL) {
            continue;
        }
        MR_TRY(load_ends(env, topic->name, ends, &partitions, err));
        if (partitions == 0) {
            return mr_fail(err, MR_CONFIG, "topic %s does not exist; run `millrace topology apply`",
                           topic->name);
        }
        if (manifest->start_count == LOAD_STARTS_MAX) {
            return mr_fail(err, MR_CONFIG, "the topology has more than %zu topics",
                           LOAD_STARTS_MAX);
        }
        start->topic = mr_xstrdup(topic->name);
        start->partitions = partitions;
        start->offsets = mr_xcalloc((size_t)partitions, sizeof *start->offsets);
        memcpy(start->offsets, ends, (size_t)partitions * sizeof *ends);
        manifest->start_count++;
    }
    return MR_OK;
}

static void copy_text(char *to, size_t bytes, const char *from)
{
    (void)snprintf(to, bytes, "%s", from == NULL ? "" : from);
}

static void describe(const struct load_session *session, struct load_manifest *manifest)
{
    const struct load_options *options = session->options;

    copy_text(manifest->run, sizeof manifest->run, session->run);
    copy_text(manifest->application, sizeof manifest->application,
              session->env->topology->application);
    copy_text(manifest->tape, sizeof manifest->tape, options->tape);
    copy_text(manifest->markets, sizeof manifest->markets,
              options->filter.markets == NULL ? "spot" : options->filter.markets);
    copy_text(manifest->symbols, sizeof manifest->symbols, options->filter.symbols);
    manifest->limit = options->filter.limit;
    for (size_t s = 0; s < session->tape.symbol_count; s++) {
        memcpy(manifest->symbol_names[s], session->tape.symbols[s].name, LOAD_SYMBOL_BYTES_MAX);
        manifest->symbol_trades[s] = (int64_t)session->tape.symbols[s].trades;
    }
    manifest->symbol_count = session->tape.symbol_count;
}

static enum mr_status phases(struct load_session *session, struct load_manifest *manifest,
                             int64_t *missing, struct mr_err *err)
{
    const struct load_env *env = session->env;
    const int64_t wait_us = session->options->wait_us;

    load_progress(env, "load: run %s, %zu trades of %zu symbols", session->run, session->tape.count,
                  session->tape.symbol_count);
    MR_TRY(load_drain(env, false, wait_us, err));
    load_progress(env, "load: publishing instruments and prices");
    MR_TRY(load_setup_desks(session, err));
    MR_TRY(load_fund(session, true, err));
    load_progress(env, "load: probing each symbol");
    MR_TRY(load_probe(session, err));
    MR_TRY(load_sweep(session, err));
    MR_TRY(load_drain(env, false, wait_us, err));
    MR_TRY(note_starts(env, manifest, err));
    load_progress(env, "load: deposits");
    MR_TRY(load_fund(session, false, err));
    return load_send(session, manifest, missing, err);
}

enum mr_status load_run(const struct load_env *env, const struct load_options *options,
                        struct load_manifest *manifest, int64_t *missing, struct mr_err *err)
{
    struct load_session *session = mr_xcalloc(1, sizeof *session);
    enum mr_status status;

    *missing = 0;
    memset(manifest, 0, sizeof *manifest);
    session->env = env;
    session->options = options;
    if (options->run != NULL) {
        copy_text(session->run, sizeof session->run, options->run);
    } else {
        (void)snprintf(session->run, sizeof session->run, "r%llx",
                       (unsigned long long)mr_clock_wall_us(env->clock) / 1000);
    }
    status = load_tape_read(options->tape, &options->filter, &session->tape, err);
    if (status == MR_OK) {
        session->first_ts_us = session->tape.trades[0].ts_us;
        describe(session, manifest);
        status = load_out_open(env, options->linger_us, &session->out, err);
    }
    if (status == MR_OK) {
        status = phases(session, manifest, missing, err);
    }
    load_out_close(&session->out);
    load_tape_fini(&session->tape);
    free(session);
    if (status != MR_OK) {
        load_manifest_fini(manifest);
    }
    return status;
}
