/*
 * load_setup.c -- desks: who trades a symbol and by which instrument; instruments and prices
 * published.
 */
#include "avro/price_tick.h"
#include "load.h"
#include "millrace/arena.h"
#include "millrace/buffer.h"

#include <errno.h>
#include <stdio.h>

#define ARENA_BYTES ((size_t)16 * 1024)
#define LINE_BYTES_MAX 8192

static void copy_name(char *to, struct mr_slice from)
{
    const size_t len = from.len < LOAD_SYMBOL_BYTES_MAX ? from.len : LOAD_SYMBOL_BYTES_MAX - 1;

    if (len > 0) {
        memcpy(to, from.data, len);
    }
    to[len] = '\0';
}

static enum mr_status open_desk(struct load_session *session, size_t symbol,
                                const struct oms_instrument *instrument, struct mr_err *err)
{
    struct load_desk *desk = &session->desks[symbol];

    if (instrument->tick_size <= 0 || instrument->lot_size <= 0) {
        return mr_fail(err, MR_CONFIG, "%s: instrument without tick or lot", desk->symbol);
    }
    desk->tick = instrument->tick_size;
    desk->lot = instrument->lot_size;
    desk->max_price = instrument->max_price;
    desk->max_qty = instrument->max_qty;
    copy_name(desk->base, instrument->base_asset);
    copy_name(desk->quote, instrument->quote_asset);
    return load_desk_reference(desk, &session->tape.symbols[symbol], session->options->collar_ppm,
                               err);
}

static enum mr_status publish_price(struct load_session *session, const struct load_desk *desk,
                                    struct mr_err *err)
{
    struct oms_price_tick tick = {0};

    tick.symbol = mr_slice_str(desk->symbol);
    tick.ts_us = session->first_ts_us;
    tick.kind = OMS_PRICE_KIND_LAST;
    tick.price = desk->reference;
    tick.source = mr_slice_str("load");
    return load_out_send(&session->out, LOAD_PRICES, tick.symbol, &tick, err);
}

static enum mr_status take_line(struct load_session *session, struct mr_slice line,
                                struct mr_arena *arena, struct mr_err *err)
{
    struct oms_instrument instrument = {0};

    MR_TRY(mr_json_read_record(&oms_instrument_schema, line, arena, &instrument, err));
    for (size_t s = 0; s < session->tape.symbol_count; s++) {
        struct load_desk *desk = &session->desks[s];

        if (mr_slice_equal(instrument.symbol, mr_slice_str(session->tape.symbols[s].name))) {
            copy_name(desk->symbol, instrument.symbol);
            MR_TRY(open_desk(session, s, &instrument, err));
            MR_TRY(load_out_send(&session->out, LOAD_INSTRUMENTS, instrument.symbol, &instrument,
                                 err));
            MR_TRY(publish_price(session, desk, err));
        }
    }
    return MR_OK;
}

static enum mr_status read_instruments(struct load_session *session, FILE *file,
                                       struct mr_arena *arena, struct mr_err *err)
{
    char line[LINE_BYTES_MAX];
    int number = 0;

    while (fgets(line, sizeof line, file) != NULL) {
        const size_t len = strcspn(line, "\r\n");

        number++;
        if (len == 0) {
            continue;
        }
        mr_arena_reset(arena);
        if (take_line(session, mr_slice_of(line, len), arena, err) != MR_OK) {
            char text[sizeof err->text];

            memcpy(text, err->text, sizeof text);
            return mr_fail(err, err->status, "%s:%d: %.300s", session->options->instruments, number,
                           text);
        }
    }
    return MR_OK;
}

enum mr_status load_setup_desks(struct load_session *session, struct mr_err *err)
{
    const int32_t partitions = session->out.ports[LOAD_ORDERS].partitions;
    FILE *file = fopen(session->options->instruments, "r");
    struct mr_arena *arena;
    enum mr_status status;

    if (file == NULL) {
        return mr_fail(err, MR_CONFIG, "%s: %s", session->options->instruments, strerror(errno));
    }
    arena = mr_arena_create(ARENA_BYTES);
    status = read_instruments(session, file, arena, err);
    mr_arena_destroy(&arena);
    (void)fclose(file);
    MR_TRY(status);
    for (size_t s = 0; s < session->tape.symbol_count; s++) {
        if (session->desks[s].symbol[0] == '\0') {
            return mr_fail(err, MR_CONFIG, "%s has no instrument %s", session->options->instruments,
                           session->tape.symbols[s].name);
        }
        load_desk_users(&session->desks[s], session->run, s, (size_t)session->options->users_each,
                        partitions);
    }
    return load_out_flush(&session->out, err);
}
