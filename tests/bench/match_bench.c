/*
 * match_bench -- how many commands a second the order book works, and how long one takes.
 *
 *   match_bench [FLOW.commands.csv]...
 *
 * Why: matching is the one step that cannot be spread over cores: one book, one thread.
 * How: the mix of exchange-core's own benchmark: 9 % GTC, 3 % IOC, 6 % cancels and 82 % moves on
 *      about a thousand resting orders, drawn with a seed before the clock starts; and recorded
 *      flows, where given. A move is a cancel and a new order with the same id. Every command is
 *      worked as in the conformance tests, reports included. Throughput is of a pass that reads no
 *      clock, the best of several, in processor time: what else runs on the machine does not
 *      count. Latencies are of passes between them that read the clock after each command, its
 *      cost included.
 * Not: a test, and not the pipeline: nothing is decoded, stored or sent.
 */
#include "flow.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#define COMMANDS ((size_t)400000)
#define RESTING ((size_t)1000)
#define USERS 1000
#define ROUNDS 11
#define TARGET_PER_S INT64_C(5000000)
#define TARGET_P99_NS INT64_C(42000)
#define MIDDLE 100000

struct subject {
    const char *name;
    struct flow_command *commands; /* the first `warm` of them fill the book, outside the clock */
    size_t warm;
    size_t count;
};

static int64_t clock_ns(clockid_t clock)
{
    struct timespec now;

    (void)clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Ends the program where there is no memory or no file. */
static void *must(void *memory)
{
    if (memory == NULL) {
        abort();
    }
    return memory;
}

/* splitmix64 */
static uint64_t draw(uint64_t *state, uint64_t bound)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (z ^ (z >> 31)) % bound;
}

/* --- the mix --- */

/* Which ids rest while the flow is drawn, so that cancels and moves meet orders. */
struct live {
    int64_t ids[2 * RESTING];
    size_t count;
};

/* A price near the middle, the nearer the likelier; now and then one that crosses. */
static int64_t near_middle(uint64_t *state, enum ord_side side)
{
    const int64_t away = (int64_t)(draw(state, 40) * draw(state, 40) / 8) - 2;

    return side == ORD_BUY ? MIDDLE - away : MIDDLE + 1 + away;
}

static struct flow_command make(uint64_t *state, enum flow_msg msg, int64_t id)
{
    struct flow_command command = {
        .msg = msg,
        .side = draw(state, 2) == 0 ? ORD_BUY : ORD_SELL,
        .stp = ORD_STP_EXPIRE_TAKER,
        .id = id,
        .user = (int64_t)draw(state, USERS),
        .qty = 1 + (int64_t)draw(state, 50),
    };

    command.price = near_middle(state, command.side);
    return command;
}

static struct flow_command next_command(uint64_t *state, const struct live *live, int64_t id)
{
    const uint64_t kind = draw(state, 100);
    struct flow_command command;

    if (live->count == 0 || (kind < 9 && live->count < RESTING + RESTING / 10)) {
        return make(state, FLOW_NEW, id);
    }
    if (kind < 12) {
        command = make(state, FLOW_NEW, id);
        command.ioc = true;
        command.price += command.side == ORD_BUY ? 2 : -2;
        return command;
    }
    const int64_t old = live->ids[draw(state, live->count)];
    if (kind < 18 && live->count > RESTING - RESTING / 10) {
        return make(state, FLOW_CANCEL, old);
    }
    return make(state, kind < 18 ? FLOW_NEW : FLOW_MODIFY, kind < 18 ? id : old);
}

/* The ids that rest now: read from the book, which is small. */
static void look(const struct book *book, struct live *live)
{
    live->count = 0;
    for (int side = ORD_BUY; side <= ORD_SELL; side++) {
        for (size_t i = 0; i < book_levels(book, (enum ord_side)side); i++) {
            for (const struct book_order *order = book_level_orders(book, (enum ord_side)side, i);
                 order != NULL && live->count < 2 * RESTING; order = order->newer) {
                live->ids[live->count++] = *(const int64_t *)order->data;
            }
        }
    }
}

static struct subject mix(uint64_t seed)
{
    static struct live live;
    struct subject subject = {.name = "exchange-core's mix",
                              .commands =
                                  must(calloc(COMMANDS + RESTING, sizeof(struct flow_command))),
                              .warm = RESTING,
                              .count = COMMANDS + RESTING};
    struct flow_reports reports = {0};
    struct book *book = flow_book();

    live.count = 0;
    for (size_t i = 0; i < subject.count; i++) {
        struct flow_command command;
        if (i < RESTING) {
            command = make(&seed, FLOW_NEW, (int64_t)i);
            command.price += command.side == ORD_BUY ? -3 : 3; /* none crosses */
        } else {
            if (i % 16 == 0) { /* often enough for moves to meet their orders */
                look(book, &live);
            }
            command = next_command(&seed, &live, (int64_t)i);
        }
        command.seq = (int64_t)i;
        flow_texts(&command);
        subject.commands[i] = command;
        reports.count = 0;
        flow_apply(book, &command, &reports);
    }
    free(reports.items);
    book_destroy(&book);
    return subject;
}

/* --- a recorded flow --- */

static struct subject recorded(const char *path)
{
    struct subject subject = {.name = path};
    size_t capacity = 1024;
    char line[FLOW_LINE_MAX];
    FILE *in = must(fopen(path, "r"));

    subject.commands = must(malloc(capacity * sizeof(*subject.commands)));
    while (fgets(line, sizeof(line), in) != NULL) {
        if (subject.count == capacity) {
            capacity *= 2;
            subject.commands =
                must(realloc(subject.commands, capacity * sizeof(*subject.commands)));
        }
        subject.count += flow_parse(line, &subject.commands[subject.count]) ? 1 : 0;
    }
    (void)fclose(in);
    const char *name = strrchr(path, '/');
    subject.name = name == NULL ? path : name + 1;
    return subject;
}

/* --- the passes --- */

static struct book *warm_book(const struct subject *subject, struct flow_reports *reports)
{
    struct book *book =
        must(book_create(&(struct book_options){.data_bytes = 2 * sizeof(int64_t)}));

    reports->count = 0;
    for (size_t i = 0; i < subject->warm; i++) {
        flow_apply(book, &subject->commands[i], reports);
    }
    return book;
}

/* What a stage does after each command: the deltas are taken, the reports have been sent. */
static inline void work(struct book *book, const struct flow_command *command,
                        struct flow_reports *reports)
{
    reports->count = 0;
    flow_apply(book, command, reports);
    book_changes_clear(book);
}

static int64_t pass_ns(const struct subject *subject, struct flow_reports *reports)
{
    struct book *book = warm_book(subject, reports);
    const int64_t start = clock_ns(CLOCK_PROCESS_CPUTIME_ID);

    for (size_t i = subject->warm; i < subject->count; i++) {
        work(book, &subject->commands[i], reports);
    }
    const int64_t took = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - start;
    book_destroy(&book);
    return took;
}

static void latencies(const struct subject *subject, struct flow_reports *reports, int64_t *each)
{
    struct book *book = warm_book(subject, reports);
    int64_t before = clock_ns(CLOCK_MONOTONIC);

    for (size_t i = subject->warm; i < subject->count; i++) {
        work(book, &subject->commands[i], reports);
        const int64_t after = clock_ns(CLOCK_MONOTONIC);
        each[i - subject->warm] = after - before;
        before = after;
    }
    book_destroy(&book);
}

static int by_value(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a;
    const int64_t y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

static void run(const struct subject *subject)
{
    const size_t count = subject->count - subject->warm;
    int64_t *each = must(malloc(count * ROUNDS * sizeof(*each)));
    struct flow_reports reports = {0};
    int64_t best = INT64_MAX;

    for (size_t round = 0; round < ROUNDS; round++) {
        const int64_t took = pass_ns(subject, &reports);
        best = took < best ? took : best;
        latencies(subject, &reports, each + round * count);
    }
    qsort(each, count * ROUNDS, sizeof(*each), by_value);
    const int64_t per_s = (int64_t)count * 1000000000 / best;
    const int64_t p99 = each[count * ROUNDS * 99 / 100];
    printf("%-34s %5" PRId64 ".%02" PRId64 " M ops/s   P50 %5" PRId64 " ns   P99 %6" PRId64
           " ns   P99.9 %7" PRId64 " ns%s%s\n",
           subject->name, per_s / 1000000, per_s / 10000 % 100, each[count * ROUNDS / 2], p99,
           each[count * ROUNDS * 999 / 1000], per_s >= TARGET_PER_S ? "" : "  (target: 5 M ops/s)",
           p99 <= TARGET_P99_NS ? "" : "  (target: P99 42 us)");
    free(each);
    free(reports.items);
}

int main(int argc, char **argv)
{
    struct subject subject = mix(1);

    run(&subject);
    free(subject.commands);
    for (int i = 1; i < argc; i++) {
        subject = recorded(argv[i]);
        run(&subject);
        free(subject.commands);
    }
    return EXIT_SUCCESS;
}
