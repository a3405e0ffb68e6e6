/*
 * sha256.h -- SHA-256 (FIPS 180-4), because the domain includes nothing but libc.
 *
 * Not: not hardened against side channels; it names requests, it guards no secret.
 */
#ifndef DOMAIN_SHA256_H
#define DOMAIN_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_BYTES 32

struct sha256 {
    uint32_t state[8];
    uint64_t bytes;
    uint8_t block[64];
};

void sha256_init(struct sha256 *sha);
void sha256_add(struct sha256 *sha, const void *data, size_t len);
/* Writes the digest; the state is used up. */
void sha256_finish(struct sha256 *sha, uint8_t digest[SHA256_BYTES]);

#endif
