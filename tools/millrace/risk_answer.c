/* risk_answer.c -- see risk_answer.h. */
#include "risk_answer.h"

#include <inttypes.h>

static const char *number(const struct risk_limit *limit, char text[DEC_TEXT_MAX])
{
    if (!limit->has) {
        return "-";
    }
    if (limit->value >= DEC_MAX || limit->value <= -DEC_MAX) {
        return "unbounded";
    }
    dec_format(limit->value, text);
    return text;
}

static void table_row(const struct risk_result *check, struct mr_buffer *out)
{
    char limit[DEC_TEXT_MAX];
    char current[DEC_TEXT_MAX];
    char projected[DEC_TEXT_MAX];

    mr_buffer_printf(out, "%-19s %-6s %18s %18s %18s", check->name, check->passed ? "yes" : "NO",
                     number(&check->limit, limit), number(&check->current, current),
                     number(&check->projected, projected));
    if (!check->passed) {
        mr_buffer_printf(out, "  %d %s", (int)check->code, code_name((int32_t)check->code));
    }
    mr_buffer_printf(out, "\n");
}

void risk_answer_table(const struct risk_dry_result *result, struct mr_buffer *out)
{
    if (result->invalid.count > 0) {
        char text[CODE_LIST_TEXT_MAX];

        (void)code_list_text(&result->invalid, text, sizeof(text));
        mr_buffer_printf(out, "not valid, before any check of risk: %s\n", text);
        return;
    }
    mr_buffer_printf(out, "%-19s %-6s %18s %18s %18s  %s\n", "check", "passed", "limit", "current",
                     "projected", "code");
    for (size_t i = 0; i < RISK_CHECK_COUNT; i++) {
        table_row(&result->checks[i], out);
    }
    mr_buffer_printf(out, "%s\n", result->allowed ? "allowed" : "not allowed");
}

static void json_number(const char *name, const struct risk_limit *limit, struct mr_buffer *out)
{
    char text[DEC_TEXT_MAX];

    if (limit->has) {
        dec_format(limit->value, text);
        mr_buffer_printf(out, ",\"%s\":\"%s\"", name, text);
    } else {
        mr_buffer_printf(out, ",\"%s\":null", name);
    }
}

void risk_answer_json(const struct risk_dry_result *result, int64_t as_of_us, struct mr_buffer *out)
{
    const bool ran = result->invalid.count == 0;

    mr_buffer_printf(out, "{\"allowed\":%s,\"asOf\":%" PRId64 ",\"invalid\":[",
                     result->allowed ? "true" : "false", as_of_us);
    for (size_t i = 0; i < result->invalid.count; i++) {
        const int32_t code = (int32_t)result->invalid.items[i];

        mr_buffer_printf(out, "%s{\"code\":%d,\"text\":\"%s\"}", i == 0 ? "" : ",", (int)code,
                         code_text(code));
    }
    mr_buffer_printf(out, "],\"checks\":[");
    for (size_t i = 0; ran && i < RISK_CHECK_COUNT; i++) {
        const struct risk_result *check = &result->checks[i];

        mr_buffer_printf(out, "%s{\"name\":\"%s\",\"passed\":%s", i == 0 ? "" : ",", check->name,
                         check->passed ? "true" : "false");
        json_number("limit", &check->limit, out);
        json_number("current", &check->current, out);
        json_number("projected", &check->projected, out);
        mr_buffer_printf(out, ",\"code\":%d}", (int)check->code);
    }
    mr_buffer_printf(out, "]}\n");
}
