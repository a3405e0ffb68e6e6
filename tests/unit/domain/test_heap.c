/*
 * test_heap.c
 *
 * Goal:   the first is the lowest key and, of equal keys, the earliest; any entry can leave.
 * Method: a table of who comes after whom; memory at its edges and refused; broken heaps that the
 *         self-check must name; random pushes, removals and clears beside an array that is kept
 *         sorted.
 */
#include "allocations.h"
#include "domain/heap.h"
#include "domain_test.h"

#define ENTRIES 200

struct entry {
    dec_t key;
    int64_t sequence;
    size_t place;
};

static bool push(struct heap *heap, struct entry *entry)
{
    return heap_push(heap, &(struct heap_entry){.key = entry->key,
                                                .sequence = entry->sequence,
                                                .item = entry,
                                                .place = &entry->place});
}

/* --- order --- */

static const struct {
    int keys[8];      /* by arrival; 0: no more */
    int gone;         /* the one, counted from 1, that leaves before the others come; 0: none */
    const char *left; /* the others as they come, counted from 1 */
    const char *why;
} order_rows[] = {
    {{5}, 0, "1", "one"},
    {{5}, 1, "", "the only one leaves"},
    {{5, 4}, 0, "21", "the lower first, though it came later"},
    {{4, 5}, 0, "12", "the lower first"},
    {{5, 5, 5, 5}, 0, "1234", "equal keys by arrival"},
    {{7, 5, 6, 5, 7, 5}, 0, "246315", "by key, then by arrival"},
    {{-1, 1, -2}, 0, "312", "keys below zero"},
    {{3, 2, 1}, 3, "21", "the first leaves"},
    {{1, 2, 3}, 3, "12", "the one in the last place leaves"},
    {{1, 2, 3, 4, 5, 6, 7}, 2, "134567", "the last takes its place and sinks"},
    {{1, 10, 2, 11, 12, 3, 4}, 4, "136725", "the last takes its place and rises"},
    {{1, 3, 2, 4}, 1, "324", "sinks to the right, where the lower one is"},
    {{1, 2, 3, 4}, 1, "234", "sinks to the left, where the lower one is"},
    {{1, 2, 3}, 1, "23", "one is left below"},
};

START_TEST(entries_come_by_key_and_arrival)
{
    struct heap heap = {0};
    struct entry entries[8] = {{0}};
    char left[9] = "";
    size_t count = 0;

    for (; count < 8 && order_rows[_i].keys[count] != 0; count++) {
        entries[count].key = order_rows[_i].keys[count];
        entries[count].sequence = (int64_t)count;
        ck_assert(push(&heap, &entries[count]));
    }
    if (order_rows[_i].gone > 0) {
        heap_remove(&heap, &entries[order_rows[_i].gone - 1].place);
        ck_assert_uint_eq(entries[order_rows[_i].gone - 1].place, 0);
        ck_assert_ptr_null(heap_defect(&heap));
    }
    for (size_t i = 0; heap_first(&heap) != NULL; i++) {
        struct entry *first = heap_first(&heap)->item;

        ck_assert_uint_eq(first->place, 1);
        left[i] = (char)('1' + (first - entries));
        heap_remove(&heap, &first->place);
        ck_assert_ptr_null(heap_defect(&heap));
    }
    ck_assert_msg(strcmp(left, order_rows[_i].left) == 0, "%s: %s", order_rows[_i].why, left);
    heap_fini(&heap);
}
END_TEST

/* --- memory --- */

START_TEST(memory_is_reserved_once_and_kept)
{
    static struct entry entries[ENTRIES];
    struct heap heap = {0};

    ck_assert(heap_reserve(&heap, 0));
    ck_assert_msg(heap.entries == NULL, "nothing for nothing");
    for (size_t count = 1; count <= ENTRIES; count++) {
        ck_assert(heap_reserve(&heap, count));
        ck_assert_uint_ge(heap.capacity, count);
        ck_assert_msg(count < 64 || heap.capacity < 2 * count, "doubles, and only when it must");
    }
    heap_fini(&heap);
    ck_assert(heap_reserve(&heap, 256));
    ck_assert_msg(heap.capacity == 256, "a power of two is just enough");
    const long before = calls;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < ENTRIES; i++) {
            entries[i] = (struct entry){.key = i % 7, .sequence = i};
            ck_assert(push(&heap, &entries[i]));
        }
        ck_assert_ptr_null(heap_defect(&heap));
        heap_clear(&heap);
        ck_assert_ptr_null(heap_first(&heap));
        ck_assert_msg(entries[0].place != 0, "places may be gone: they are not written");
    }
    ck_assert_msg(calls == before, "what was reserved is enough, and a clear keeps it");
    heap_fini(&heap);
    ck_assert(heap.entries == NULL && heap.count == 0 && heap.capacity == 0);
}
END_TEST

START_TEST(a_push_without_memory_changes_nothing)
{
    struct heap heap = {0};
    static struct entry entries[ENTRIES];
    size_t count = 0;

    refuse_from = calls + 1;
    const bool first = push(&heap, &entries[0]);
    refuse_from = -1;
    ck_assert(!first && heap_first(&heap) == NULL && entries[0].place == 0);

    ck_assert(heap_reserve(&heap, 1));
    for (; count < heap.capacity; count++) {
        entries[count] = (struct entry){.key = -(dec_t)count, .sequence = (int64_t)count};
        ck_assert(push(&heap, &entries[count]));
    }
    refuse_from = calls + 1;
    const bool full = push(&heap, &entries[count]);
    refuse_from = -1;
    ck_assert(!full && heap.count == count && entries[count].place == 0);
    ck_assert_ptr_null(heap_defect(&heap));
    ck_assert_msg(push(&heap, &entries[count]), "with memory again");
    ck_assert_ptr_null(heap_defect(&heap));
    heap_fini(&heap);
}
END_TEST

/* --- self-check --- */

START_TEST(the_self_check_names_what_is_broken)
{
    struct entry entries[3] = {{.key = 1}, {.key = 2, .sequence = 1}, {.key = 2, .sequence = 2}};
    struct heap heap = {0};

    for (int i = 0; i < 3; i++) {
        ck_assert(push(&heap, &entries[i]));
    }
    ck_assert_ptr_null(heap_defect(&heap));
    for (int i = 0; i < 3; i++) {
        entries[i].place++;
        ck_assert_msg(heap_defect(&heap) != NULL, "place of %d", i);
        entries[i].place--;
    }
    for (int i = 1; i < 3; i++) {
        const struct heap_entry good = heap.entries[i];

        heap.entries[i].key = 0;
        ck_assert_msg(heap_defect(&heap) != NULL, "key of %d", i);
        heap.entries[i].key = 1;
        heap.entries[i].sequence = 0;
        ck_assert_msg(heap_defect(&heap) != NULL, "%d came when the first did", i);
        heap.entries[i] = good;
    }
    ck_assert_ptr_null(heap_defect(&heap));
    heap_fini(&heap);
}
END_TEST

/* --- beside a sorted array --- */

static struct entry *sorted[ENTRIES];
static size_t sorted_count;

static bool comes_before(const struct entry *a, const struct entry *b)
{
    return a->key < b->key || (a->key == b->key && a->sequence < b->sequence);
}

static void sorted_insert(struct entry *entry)
{
    size_t at = sorted_count++;

    for (; at > 0 && comes_before(entry, sorted[at - 1]); at--) {
        sorted[at] = sorted[at - 1];
    }
    sorted[at] = entry;
}

static void sorted_remove(const struct entry *entry)
{
    size_t at = 0;

    while (sorted[at] != entry) {
        at++;
    }
    for (sorted_count--; at < sorted_count; at++) {
        sorted[at] = sorted[at + 1];
    }
}

START_TEST(a_heap_is_what_a_sorted_array_says)
{
    static struct entry entries[ENTRIES];
    struct heap heap = {0};
    uint64_t seed = (uint64_t)_i + 1;

    memset(entries, 0, sizeof(entries));
    sorted_count = 0;
    for (int step = 0; step < 20000; step++) {
        struct entry *entry = &entries[random_below(&seed, ENTRIES)];

        if (entry->place == 0) {
            entry->key = (dec_t)random_below(&seed, step % 4000 < 2000 ? 9 : 1000) - 4;
            entry->sequence = (int64_t)(random_below(&seed, 3) << 32) + step;
            ck_assert(push(&heap, entry));
            sorted_insert(entry);
        } else {
            heap_remove(&heap, &entry->place);
            heap_remove(&heap, &entry->place); /* of what is not there: nothing */
            sorted_remove(entry);
        }
        if (heap_defect(&heap) != NULL || heap.count != sorted_count ||
            (sorted_count == 0 ? heap_first(&heap) != NULL
                               : heap_first(&heap)->item != sorted[0])) {
            ck_abort_msg("seed %d, step %d", _i, step);
        }
        if (random_below(&seed, 3000) == 0) {
            heap_clear(&heap);
            memset(entries, 0, sizeof(entries));
            sorted_count = 0;
        }
    }
    for (size_t i = 0; i < sorted_count; i++) {
        struct entry *first = heap_first(&heap)->item;

        ck_assert_ptr_eq(first, sorted[i]);
        heap_remove(&heap, &first->place);
    }
    ck_assert_ptr_null(heap_first(&heap));
    heap_fini(&heap);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("heap");
    TCase *tcase = tcase_create("heap");

    tcase_add_loop_test(tcase, entries_come_by_key_and_arrival, 0,
                        (int)(sizeof(order_rows) / sizeof(order_rows[0])));
    tcase_add_test(tcase, memory_is_reserved_once_and_kept);
    tcase_add_test(tcase, a_push_without_memory_changes_nothing);
    tcase_add_test(tcase, the_self_check_names_what_is_broken);
    tcase_add_loop_test(tcase, a_heap_is_what_a_sorted_array_says, 0, 4);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
