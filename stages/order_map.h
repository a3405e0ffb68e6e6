/*
 * order_map.h -- records of the wire in the words of the domain, for the stages of the account
 * group.
 *
 * Why: the domain knows neither slices nor generated structs; the field-by-field way from one to
 *      the other exists once.
 * How: ordinals of enums are equal on both sides, so enums are cast. Texts stay borrowed from the
 *      record. Instruments are converted once per version and kept in a cache without malloc.
 */
#ifndef MILLRACE_STAGES_ORDER_MAP_H
#define MILLRACE_STAGES_ORDER_MAP_H

#include "avro/instrument.h"
#include "avro/order_command.h"
#include "domain/instrument.h"
#include "domain/order.h"

static inline struct dom_text text_of(struct mr_slice slice)
{
    return dom_text_of(slice.data, slice.len);
}

static inline struct mr_slice slice_of(struct dom_text text)
{
    return mr_slice_of(text.data, text.len);
}

/* Texts borrow from the record. An absent optional text becomes empty. */
void order_map_command(const struct oms_order_command *record, struct ord_command *command);

#define INSTRUMENT_TEXT_MAX 32
#define INSTRUMENT_SLOTS 64

/* One converted instrument. */
struct instrument_facts {
    struct instr instr; /* its texts point to the buffers below */
    const char *defect; /* NULL, or why no order may use it; static text */
    int64_t version;    /* of the table's value */
    bool used;
    char symbol[INSTRUMENT_TEXT_MAX];
    char base[INSTRUMENT_TEXT_MAX];
    char quote[INSTRUMENT_TEXT_MAX];
};

/* Direct-mapped: two symbols in one slot replace each other and stay right. Zero-initialised. */
struct instrument_cache {
    struct instrument_facts slots[INSTRUMENT_SLOTS];
};

/*
 * The instrument of a table value, converted unless this version is there already. Valid until the
 * next call.
 */
const struct instrument_facts *instrument_cache_get(struct instrument_cache *cache,
                                                    const struct oms_instrument *record,
                                                    int64_t version);

#endif
