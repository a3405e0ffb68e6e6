/*
 * verify_book.c -- book deltas are gapless, and the last snapshot is empty as the run left it.
 */
#include "avro/book_delta.h"
#include "avro/book_snapshot.h"
#include "millrace/arena.h"
#include "verify.h"

#include <inttypes.h>
#include <stdlib.h>

struct symbol_book {
    int64_t last_seq; /* of the deltas; 0: none yet */
    int64_t snapshot_seq;
    size_t levels; /* of the last snapshot */
    bool has_snapshot;
};

struct verify_book {
    struct verify *verify;
    struct verify_map *books;
    struct verify_check *gapless, *same;
};

struct verify_book *verify_book_create(struct verify *verify)
{
    struct verify_book *b = mr_xcalloc(1, sizeof *b);

    b->verify = verify;
    b->books = verify_map_create(sizeof(struct symbol_book));
    b->gapless = verify_check_open(verify->report, "gaps in the books' deltas");
    b->same = verify_check_open(verify->report, "books empty and at their last delta");
    return b;
}

enum mr_status verify_book_on_delta(void *arg, const struct load_record *record, struct mr_err *err)
{
    struct verify_book *b = arg;
    const struct oms_book_delta *delta = record->value;
    struct symbol_book *book;

    (void)err;
    if (delta == NULL) {
        return MR_OK;
    }
    book = verify_map_put(b->books, delta->symbol);
    if ((book->last_seq != 0 && delta->first_seq != book->last_seq + 1) ||
        delta->last_seq < delta->first_seq) {
        verify_differ(b->gapless,
                      "%.*s: %" PRId64 "..%" PRId64 " after %" PRId64 " at book/%d@%" PRId64,
                      MR_SLICE_ARG(delta->symbol), delta->first_seq, delta->last_seq,
                      book->last_seq, record->partition, record->offset);
    }
    book->last_seq = delta->last_seq;
    return MR_OK;
}

enum mr_status verify_book_on_snapshot(void *arg, const struct load_record *record,
                                       struct mr_err *err)
{
    struct verify_book *b = arg;
    const struct oms_book_snapshot *snapshot = record->value;
    struct symbol_book *book;

    (void)err;
    if (snapshot == NULL) {
        return MR_OK;
    }
    book = verify_map_put(b->books, snapshot->symbol);
    book->has_snapshot = true;
    book->snapshot_seq = snapshot->last_seq;
    book->levels = snapshot->bids.count + snapshot->asks.count;
    return MR_OK;
}

void verify_book_end(struct verify_book **books)
{
    struct verify_book *b = *books;
    int64_t good = 0;

    for (size_t i = 0; i < verify_map_count(b->books); i++) {
        struct mr_slice symbol;
        const struct symbol_book *book = verify_map_at(b->books, i, &symbol);

        if (book->has_snapshot && book->levels == 0 && book->snapshot_seq == book->last_seq) {
            good++;
        } else {
            verify_differ(b->same,
                          "%.*s: last delta %" PRId64 ", last snapshot %" PRId64 " with %zu levels",
                          MR_SLICE_ARG(symbol), book->last_seq, book->snapshot_seq, book->levels);
        }
    }
    verify_check_close(b->gapless, 0, verify_check_differences(b->gapless));
    verify_check_close(b->same, (int64_t)verify_map_count(b->books), good);
    verify_map_destroy(&b->books);
    free(b);
    *books = NULL;
}
