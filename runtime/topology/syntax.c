/*
 * syntax.c -- see syntax.h.
 *
 * Directives are refused although YAML has them: libyaml compares every %TAG with all before it, so
 * a file of nothing else takes minutes.
 */
#include "syntax.h"

#include "millrace/utf8.h"

#define BYTE_ORDER_MARK "\xef\xbb\xbf"

static const struct hint {
    const char *words; /* in libyaml's sentence */
    uint8_t at;        /* the byte it stopped at; 0: any */
    const char *text;
} hints[] = {
    {"cannot start any token", '\t', "a tab: indent with spaces"},
    {"tab character", 0, "indent with spaces"},
    {"cannot start any token", 0, "put the value in quotes"},
    {"mapping values are not allowed", 0,
     "one \": \" too many: put the value in quotes, or check the indentation"},
    {"could not find expected ':'", 0, "a key needs \": \" and its value"},
    {"expected ',' or ']'", 0, "a list opened with [ is not closed"},
    {"expected ',' or '}'", 0, "a map opened with { is not closed"},
    {"expected node content", 0, "a value is missing, or a [ or { before it is not closed"},
    {"unexpected end of stream", 0, "a quote is not closed"},
    {"expected '-' indicator", 0, "each item of a list begins with \"- \" in the same column"},
    {"block sequence entries are not allowed", 0, "begin the list in a line of its own"},
    {"unknown escape character", 0, "in double quotes \\ escapes: use single quotes"},
    {"tag", 0, "leave the tag (!name) out"},
    {"expected key", 0, "check the indentation of this line and of those before"},
    {"expected <document start>", 0, "check the indentation of this line and of those before"},
    {"", 0, "check this line and the one before"},
};

const char *syntax_hint(const char *sentence, uint8_t at)
{
    size_t i = 0;

    /* The last row fits everything. */
    while (strstr(sentence, hints[i].words) == NULL || (hints[i].at != 0 && hints[i].at != at)) {
        i++;
    }
    return hints[i].text;
}

/* What is wrong with the character that text starts with, NULL when nothing is. */
static const char *defect(struct mr_slice text, size_t step, const struct mr_position *at)
{
    const uint8_t c = text.data[0];
    const bool first = at->line == 1 && at->column == 1;

    if (first && text.len > 1 && (c == 0xff || c == 0xfe) && (text.data[1] == 0xff - (c == 0xff))) {
        return "UTF-16: save the file as UTF-8";
    }
    if (step == 0) {
        return "a byte that is no UTF-8: save the file as UTF-8";
    }
    if (c == '\0') {
        return "a NUL byte: remove it";
    }
    if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f) {
        return "a control character: remove it";
    }
    if (at->column == 1 && c == '%') {
        return "a directive (%) is not accepted: remove the line";
    }
    return NULL;
}

bool syntax_check(struct mr_slice *text, struct problem_list *problems)
{
    struct mr_position at = {.line = 1, .column = 1};
    const size_t mark = sizeof(BYTE_ORDER_MARK) - 1;

    if (text->len >= mark && memcmp(text->data, BYTE_ORDER_MARK, mark) == 0) {
        *text = mr_slice_of(text->data + mark, text->len - mark);
    }
    for (size_t i = 0; i < text->len;) {
        const struct mr_slice rest = mr_slice_of(text->data + i, text->len - i);
        const size_t step = mr_utf8_step(rest);
        const char *words = defect(rest, step, &at);
        const bool crlf = rest.data[0] == '\r' && rest.len > 1 && rest.data[1] == '\n';

        if (words != NULL) {
            problem_add(problems, at, "%s", words);
            return false;
        }
        at.column++;
        if ((rest.data[0] == '\n' || rest.data[0] == '\r') && !crlf) {
            at.line++;
            at.column = 1;
        }
        i += step;
    }
    return true;
}
