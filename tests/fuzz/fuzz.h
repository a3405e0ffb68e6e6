/*
 * fuzz.h -- what fuzz targets share: the entry, a reader of bytes, a check that is always on.
 *
 * How: a target is one file with LLVMFuzzerTestOneInput. With clang's fuzzer (preset `fuzz`) the
 *      input is searched for; in all other builds replay.c feeds it the files of its corpus.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include "domain/decimal.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_CHECK(condition)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            (void)fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);          \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

struct fuzz_input {
    const uint8_t *at;
    size_t left;
};

/* The next byte; 0 behind the end. */
static inline uint8_t fuzz_byte(struct fuzz_input *in)
{
    if (in->left == 0) {
        return 0;
    }
    in->left--;
    return *in->at++;
}

/* Little-endian, of so many bytes. */
static inline uint64_t fuzz_bytes(struct fuzz_input *in, int count)
{
    uint64_t value = 0;

    for (int i = 0; i < count; i++) {
        value |= (uint64_t)fuzz_byte(in) << (8 * i);
    }
    return value;
}

/* An amount: small, of a market's size, close to a bound, or any; its sign too. */
static inline dec_t fuzz_amount(struct fuzz_input *in)
{
    const uint8_t kind = fuzz_byte(in);
    dec_t value = 0;

    switch (kind % 6) {
    case 0:
        value = fuzz_byte(in);
        break;
    case 1:
        value = (dec_t)fuzz_bytes(in, 4) * (DEC_ONE / 100);
        break;
    case 2:
        value = (dec_t)fuzz_bytes(in, 8);
        break;
    case 3:
        value = DEC_MAX - fuzz_byte(in);
        break;
    case 4:
        value = DEC_BUSINESS_LIMIT - 2 + fuzz_byte(in) % 4;
        break;
    default:
        value = (dec_t)(((dec_u)fuzz_bytes(in, 8) << 64 | fuzz_bytes(in, 8)) % (dec_u)DEC_MAX);
        break;
    }
    return (kind & 0x80) != 0 ? -value : value;
}

#endif
