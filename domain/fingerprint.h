/*
 * fingerprint.h -- what makes two requests "the same content".
 *
 * Why: a key reused with other content is a conflict, a retry is not. Retries differ in time,
 *      trace, event id and order id (the gateway mints a new one), so these stay out; "1.0" and
 *      "1.00" are one number.
 * How: SHA-256 over the business fields in a fixed order, each with its presence and length, after
 *      a version byte. Never over a raw struct: padding is not content.
 *      In: action, symbol, clientOrderId, targetOrderId, side, type, tif, stp, postOnly,
 *      reduceOnly, qty, quoteQty, price, stopPrice, displayQty, expireTs.
 *      A CANCEL has only the texts: side and the rest of it are defaults without a meaning.
 */
#ifndef DOMAIN_FINGERPRINT_H
#define DOMAIN_FINGERPRINT_H

#include "domain/order.h"
#include "domain/sha256.h"

#define FINGERPRINT_BYTES SHA256_BYTES

void fingerprint_order(const struct ord_command *cmd, uint8_t out[FINGERPRINT_BYTES]);

#endif
