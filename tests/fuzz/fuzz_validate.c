/*
 * fuzz_validate -- any command against any usable instrument.
 *
 * How: the answer is the first of the codes, each of them told once and known to the registry; the
 *      same question has the same answer; and what is accepted keeps the instrument's rules.
 */
#include "domain/validate.h"
#include "fuzz.h"

#include <string.h>

static struct dom_text text_from(struct fuzz_input *in)
{
    static const char good[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:-xy";
    const uint8_t kind = fuzz_byte(in);

    if ((kind & 0x80) != 0) { /* whatever comes */
        const size_t len = kind % 80 < in->left ? kind % 80 : in->left;
        const struct dom_text text = dom_text_of(in->at, len);
        in->at += len;
        in->left -= len;
        return text;
    }
    return dom_text_of(good, kind % sizeof(good));
}

static struct ord_command command_from(struct fuzz_input *in)
{
    const uint64_t flags = fuzz_bytes(in, 2);
    struct ord_command cmd = {
        .action = (enum ord_action)(fuzz_byte(in) % 5), /* one more than there are, in each */
        .side = (enum ord_side)(fuzz_byte(in) % 3),
        .type = (enum ord_type)(fuzz_byte(in) % 5),
        .tif = (enum ord_tif)(fuzz_byte(in) % 5),
        .stp = (enum ord_stp)(fuzz_byte(in) % 6),
        .post_only = (flags & 1) != 0,
        .reduce_only = (flags & 2) != 0,
        .has_qty = (flags & 4) == 0,
        .has_quote_qty = (flags & 8) != 0,
        .has_price = (flags & 16) == 0,
        .has_stop_price = (flags & 32) != 0,
        .has_display_qty = (flags & 64) != 0,
        .has_expire = (flags & 128) != 0,
        .has_client_ts = (flags & 256) != 0,
    };

    cmd.ts_us = (int64_t)fuzz_bytes(in, 8);
    cmd.expire_us = (int64_t)fuzz_bytes(in, 8);
    cmd.client_us = (int64_t)fuzz_bytes(in, 8);
    cmd.qty = fuzz_amount(in);
    cmd.quote_qty = fuzz_amount(in);
    cmd.price = fuzz_amount(in);
    cmd.stop_price = fuzz_amount(in);
    cmd.display_qty = fuzz_amount(in);
    cmd.order_id = text_from(in);
    cmd.user_id = text_from(in);
    cmd.client_order_id = text_from(in);
    cmd.idempotency_key = text_from(in);
    cmd.symbol = (flags & 512) != 0 ? text_from(in) : dom_text_str("BTCUSDT");
    cmd.target_order_id = text_from(in);
    return cmd;
}

static struct instr instrument_from(struct fuzz_input *in)
{
    struct instr instr = {.symbol = dom_text_str("BTCUSDT"),
                          .base_asset = dom_text_str("BTC"),
                          .quote_asset = dom_text_str("USDT")};

    instr.state = (enum instr_state)(fuzz_byte(in) % 6);
    instr.tick_size = fuzz_amount(in);
    instr.lot_size = fuzz_amount(in);
    instr.min_price = fuzz_amount(in);
    instr.max_price = fuzz_amount(in);
    instr.min_qty = fuzz_amount(in);
    instr.max_qty = fuzz_amount(in);
    instr.min_notional = fuzz_amount(in);
    instr.max_notional = fuzz_amount(in);
    instr.taker_fee = DEC_ONE / 1000;
    if (instr_defect(&instr) != NULL) { /* validate asks only about instruments that are usable */
        instr.tick_size = DEC_ONE / 100;
        instr.lot_size = DEC_ONE / 1000;
        instr.min_price = instr.max_price = instr.min_qty = instr.max_qty = 0;
        instr.min_notional = instr.max_notional = 0;
    }
    return instr;
}

static void check_accepted(const struct ord_command *cmd, const struct instr *instr)
{
    FUZZ_CHECK(ord_id_valid(cmd->order_id) && ord_id_valid(cmd->user_id));
    if (cmd->action != ORD_ACTION_NEW || cmd->type != ORD_LIMIT) {
        return;
    }
    dec_t notional = 0;
    FUZZ_CHECK(instr != NULL && cmd->has_price && cmd->has_qty);
    FUZZ_CHECK(cmd->price > 0 && cmd->price < DEC_BUSINESS_LIMIT);
    FUZZ_CHECK(cmd->qty > 0 && cmd->qty < DEC_BUSINESS_LIMIT);
    FUZZ_CHECK(cmd->price % instr->tick_size == 0 && cmd->qty % instr->lot_size == 0);
    FUZZ_CHECK(instr->min_price == 0 || cmd->price >= instr->min_price);
    FUZZ_CHECK(instr->max_price == 0 || cmd->price <= instr->max_price);
    FUZZ_CHECK(dec_mul_exact(cmd->price, cmd->qty, &notional)); /* tick x lot is whole atoms */
    FUZZ_CHECK(instr->min_notional == 0 || notional >= instr->min_notional);
    FUZZ_CHECK(instr->max_notional == 0 || notional <= instr->max_notional);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {.at = data, .left = size};
    const struct ord_command cmd = command_from(&in);
    const struct instr instr = instrument_from(&in);
    struct validate_env env = {.recv_window_us = (int64_t)fuzz_bytes(&in, 5)};
    struct code_list codes;
    struct code_list again;
    char text[CODE_LIST_TEXT_MAX];

    env.now_us = (int64_t)fuzz_bytes(&in, 8);
    env.reference = fuzz_amount(&in);
    env.has_reference = env.reference > 0;
    const struct instr *known = fuzz_byte(&in) == 1 ? NULL : &instr;
    const enum dom_code code = validate_order(&cmd, known, &env, &codes);
    FUZZ_CHECK(code == code_list_first(&codes) && codes.count <= CODE_LIST_MAX);
    FUZZ_CHECK((code == CODE_OK) == (codes.count == 0));
    for (size_t i = 0; i < codes.count; i++) {
        FUZZ_CHECK(code_name((int32_t)codes.items[i]) != NULL);
        for (size_t j = 0; j < i; j++) {
            FUZZ_CHECK(codes.items[i] != codes.items[j]);
        }
    }
    FUZZ_CHECK(code_list_text(&codes, text, sizeof(text)) == strlen(text));
    FUZZ_CHECK(validate_order(&cmd, known, &env, &again) == code && again.count == codes.count);
    if (code == CODE_OK) {
        check_accepted(&cmd, known);
    }
    return 0;
}
