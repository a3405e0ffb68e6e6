/*
 * store_command.c -- `millrace store get|scan|stats`: state of a stage, running or stopped.
 *
 * A process that runs is asked over HTTP and answers from committed state. When none answers, the
 * state directory is read; it is at most what the last write before the end left there.
 */
#include "command.h"
#include "commands.h"
#include "store_source.h"
#include "suggest.h"
#include "topology_file.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX_HELP "\n\nKeys: text as it is; several parts are joined with ':'; 0x00ff is bytes."

struct store_command {
    const char *topology;
    const char *state_dir;
    const char *prefix;
    const char *from;
    int64_t partition;
    int64_t limit;
    bool json;
    struct args_texts addresses;
};

#define COMMON_OPTIONS                                                                             \
    {.name = "topology",                                                                           \
     .type = MR_OPTION_STRING,                                                                     \
     .offset = offsetof(struct store_command, topology),                                           \
     .fallback = "topology.yaml",                                                                  \
     .help = "which stages, stores and schemas"},                                                  \
        SEE_STATE_DIR_OPTION(struct store_command, state_dir),                                     \
    {                                                                                              \
        .name = "partition", .type = MR_OPTION_INT,                                                \
        .offset = offsetof(struct store_command, partition), .fallback = "-1", .min = -1,          \
        .max = INT32_MAX, .help = "only this one; -1: all"                                         \
    }

static const struct args_repeat repeats[] = {SEE_ADDRESS_REPEAT(struct store_command, addresses)};

/* What one run works with. */
struct session {
    const char *name; /* of the command, for messages */
    struct store_command command;
    struct args args;
    struct mr_topology *topology;
    struct store_source *source;
};

static int fail(const struct session *session, const char *text)
{
    (void)fprintf(stderr, "millrace %s: %s\n", session->name, text);
    return EXIT_NO;
}

/* ---- names ----------------------------------------------------------------------------------- */

static enum mr_status find_stage(const struct mr_topology *topology, const char *name,
                                 size_t *stage, struct mr_err *err)
{
    struct suggest suggest;

    *stage = mr_topology_find_stage(topology, name);
    if (*stage != SIZE_MAX) {
        return MR_OK;
    }
    suggest_init(&suggest, name);
    for (size_t i = 0; i < topology->stage_count; i++) {
        suggest_offer(&suggest, topology->stages[i].name);
    }
    return mr_fail(err, MR_CONFIG, "%s has no stage \"%.80s\"%s", topology->file, name,
                   suggest_text(&suggest));
}

static enum mr_status find_store(const struct mr_stage_node *stage, const char *name, size_t *store,
                                 struct mr_err *err)
{
    struct suggest suggest;

    *store = store_find(stage, name);
    if (*store != SIZE_MAX) {
        return MR_OK;
    }
    suggest_init(&suggest, name);
    for (size_t i = 0; i < stage->type->store_count; i++) {
        suggest_offer(&suggest, stage->type->stores[i].name);
    }
    return mr_fail(err, MR_CONFIG, "stage %s has no store \"%.80s\"%s", stage->name, name,
                   suggest_text(&suggest));
}

static enum mr_status find_subject(const struct session *session, struct store_subject *subject,
                                   struct mr_err *err)
{
    const struct args *args = &session->args;

    *subject = (struct store_subject){.topology = session->topology,
                                      .stage = SIZE_MAX,
                                      .store = SIZE_MAX,
                                      .partition = (int32_t)session->command.partition};
    if (args->positional_count > 0) {
        MR_TRY(find_stage(session->topology, args->positionals[0], &subject->stage, err));
    }
    if (args->positional_count > 1) {
        MR_TRY(find_store(&session->topology->stages[subject->stage], args->positionals[1],
                          &subject->store, err));
    }
    return MR_OK;
}

/* ---- what is missing ------------------------------------------------------------------------- */

/* "partition 3 is not here", on stderr; returns how many of those asked for are not. */
static int say_missing(const struct session *session)
{
    const struct store_source *source = session->source;
    int missing = 0;

    for (int32_t p = 0; p < source->partitions; p++) {
        if (session->command.partition >= 0 && session->command.partition != p) {
            continue;
        }
        if (!source->here[p]) {
            missing++;
            (void)fprintf(stderr, "millrace %s: partition %" PRId32 " is not here (%s)\n",
                          session->name, p, source->where);
        } else if (source->state[p] != NULL) {
            missing++;
            (void)fprintf(stderr, "millrace %s: partition %" PRId32 " is not ready: %s\n",
                          session->name, p, source->state[p]);
        }
    }
    return missing;
}

static bool print_line(void *arg, struct mr_slice line)
{
    (void)arg;
    return fwrite(line.data, 1, line.len, stdout) == line.len && putchar('\n') != EOF;
}

/* ---- get, scan, stats ------------------------------------------------------------------------ */

static int do_get(struct session *session)
{
    const char *text = session->args.positionals[2];
    struct mr_key forms[STORE_KEY_FORMS_MAX];
    const size_t count = store_key_forms(text, forms);
    struct mr_err err;
    size_t found = 0;

    if (count == 0) {
        (void)fprintf(stderr, "millrace store get: \"%s\" is no key: text, or 0x and hex\n", text);
        return EXIT_MISUSE;
    }
    for (size_t i = 0; i < count && found == 0; i++) {
        if (session->source->ops->get(session->source, &forms[i], print_line, NULL, &found, &err) !=
            MR_OK) {
            return fail(session, err.text);
        }
    }
    if (found == 0) {
        const int missing = say_missing(session);

        (void)fprintf(stderr, "millrace store get: %s %s has no key %s%s\n",
                      session->args.positionals[0], session->args.positionals[1], text,
                      missing > 0 ? " in the other partitions" : "");
    }
    return found > 0 ? 0 : EXIT_NO;
}

/* "3/KEY" or "KEY": where to begin. */
static bool parse_from(const char *text, int32_t *partition, struct mr_key *from)
{
    struct mr_key forms[STORE_KEY_FORMS_MAX];
    const size_t digits = strspn(text, "0123456789");

    *partition = -1;
    mr_key_begin(from);
    if (digits > 0 && digits < 10 && text[digits] == '/') {
        *partition = (int32_t)strtol(text, NULL, 10);
        text += digits + 1;
    }
    if (text[0] == '\0') {
        return true;
    }
    const size_t count = store_key_prefixes(text, forms);
    if (count > 0) {
        *from = forms[count - 1];
    }
    return count > 0;
}

struct scanning {
    struct session *session;
    struct mr_key from;
    int32_t from_partition; /* -1: from counts in every partition */
    size_t left;
    struct mr_buffer next; /* where to go on: "3/0x..."; empty: that was all */
};

static void note_next(struct scanning *scanning, int32_t partition, struct mr_slice key)
{
    mr_buffer_clear(&scanning->next);
    mr_buffer_printf(&scanning->next, "%" PRId32 "/", partition);
    for (size_t i = 0; i < key.len; i++) {
        mr_buffer_printf(&scanning->next, i == 0 ? "0x%02x" : "%02x", key.data[i]);
    }
}

static enum mr_status scan_range(struct scanning *scanning, int32_t partition,
                                 const struct mr_key *prefix, struct mr_err *err)
{
    struct store_source *source = scanning->session->source;
    const bool begins = scanning->from_partition < 0 || scanning->from_partition == partition;
    const struct mr_slice from = begins ? mr_key_slice(&scanning->from) : (struct mr_slice){0};
    const struct mr_slice low = mr_key_slice(prefix);
    struct mr_key end;
    struct store_range range = {.partition = partition,
                                .from = mr_slice_compare(from, low) > 0 ? from : low,
                                .limit = scanning->left,
                                .visit = print_line};
    enum mr_status status;

    mr_key_prefix_end(prefix, &end);
    range.to = mr_key_slice(&end);
    if (range.to.len > 0 && mr_slice_compare(range.from, range.to) >= 0) {
        return MR_OK;
    }
    status = source->ops->scan(source, &range, err);
    scanning->left -= range.rows;
    if (range.next.len > 0) {
        note_next(scanning, partition, mr_buffer_slice(&range.next));
    }
    mr_buffer_fini(&range.next);
    return status;
}

static enum mr_status scan_all(struct scanning *scanning, const struct mr_key *prefixes,
                               size_t prefix_count, struct mr_err *err)
{
    const struct store_source *source = scanning->session->source;
    const int64_t only = scanning->session->command.partition;

    for (int32_t p = 0; p < source->partitions; p++) {
        if ((only >= 0 && only != p) || p < scanning->from_partition || !source->here[p] ||
            source->state[p] != NULL) {
            continue;
        }
        if (scanning->left == 0) {
            note_next(scanning, p, (struct mr_slice){0});
            return MR_OK;
        }
        /* Ends of parts come before ':' in the order of keys. */
        for (size_t i = prefix_count; i-- > 0 && scanning->next.len == 0;) {
            MR_TRY(scan_range(scanning, p, &prefixes[i], err));
        }
        if (scanning->next.len > 0) {
            return MR_OK;
        }
    }
    return MR_OK;
}

static int do_scan(struct session *session)
{
    struct mr_key prefixes[STORE_KEY_FORMS_MAX];
    const size_t count = store_key_prefixes(session->command.prefix, prefixes);
    struct scanning scanning = {
        .session = session,
        .left = session->command.limit == 0 ? SIZE_MAX : (size_t)session->command.limit};
    struct mr_err err;
    enum mr_status status;
    int missing;

    if (count == 0 ||
        !parse_from(session->command.from, &scanning.from_partition, &scanning.from)) {
        (void)fprintf(stderr, "millrace store scan: --prefix and --from are text, or 0x and hex\n");
        return EXIT_MISUSE;
    }
    status = scan_all(&scanning, prefixes, count, &err);
    missing = say_missing(session);
    if (status == MR_OK && scanning.next.len > 0) {
        (void)fprintf(stderr, "millrace store scan: there is more: --from %.*s\n",
                      MR_SLICE_ARG(mr_buffer_slice(&scanning.next)));
    }
    mr_buffer_fini(&scanning.next);
    if (status != MR_OK) {
        return fail(session, err.text);
    }
    return missing > 0 ? EXIT_NO : 0;
}

static void print_number(const json_t *row, const char *name, int width)
{
    const json_t *value = json_object_get(row, name);

    if (json_is_integer(value)) {
        (void)printf(" %*" JSON_INTEGER_FORMAT, width, json_integer_value(value));
    } else {
        (void)printf(" %*s", width, "-");
    }
}

/* Reads of the stage that found their value in memory, in percent. */
static void print_hits(const json_t *row)
{
    const json_int_t reads = json_integer_value(json_object_get(row, "reads"));
    const json_int_t fetches = json_integer_value(json_object_get(row, "fetches"));

    if (reads > 0) {
        const json_int_t tenths = (reads - (fetches < reads ? fetches : reads)) * 1000 / reads;

        (void)printf(" %4" JSON_INTEGER_FORMAT ".%" JSON_INTEGER_FORMAT "%%", tenths / 10,
                     tenths % 10);
    } else {
        (void)printf(" %7s", "-");
    }
}

static int do_stats(struct session *session)
{
    json_t *rows;
    struct mr_err err;

    if (session->source->ops->stats(session->source, &rows, &err) != MR_OK) {
        return fail(session, err.text);
    }
    if (session->command.json) {
        json_t *root = json_pack("{s:s,s:s,s:O}", "source", session->source->kind, "where",
                                 session->source->where, "rows", rows);

        (void)json_dumpf(root, stdout, JSON_COMPACT);
        (void)putchar('\n');
        json_decref(root);
    } else {
        (void)printf("%-18s %-14s %4s %-11s %10s %12s %12s %10s %7s\n", "STAGE", "STORE", "PART",
                     "STATE", "ENTRIES", "BYTES", "CHANGELOG", "CACHED", "HITS");
        for (size_t i = 0; i < json_array_size(rows); i++) {
            const json_t *row = json_array_get(rows, i);

            (void)printf("%-18s %-14s", json_string_value(json_object_get(row, "stage")),
                         json_string_value(json_object_get(row, "store")));
            print_number(row, "partition", 4);
            (void)printf(" %-11s", json_string_value(json_object_get(row, "state")));
            print_number(row, "entries", 10);
            print_number(row, "bytes", 12);
            print_number(row, "changelogOffset", 12);
            print_number(row, "cachedEntries", 10);
            print_hits(row);
            (void)putchar('\n');
        }
        (void)printf("%s: %s; entries and bytes are estimates of the database\n",
                     session->source->kind, session->source->where);
    }
    json_decref(rows);
    return 0;
}

/* ---- commands -------------------------------------------------------------------------------- */

static int run_store(const struct args_spec *spec, int (*action)(struct session *), int argc,
                     char **argv)
{
    struct session session = {.name = spec->command};
    struct store_subject subject;
    struct mr_err err = {0};
    int exit_code = 0;

    if (!args_parse(spec, argc, argv, &session.command, &session.args, &exit_code)) {
        return exit_code;
    }
    session.topology = topology_file_load(session.command.topology);
    if (session.topology == NULL) {
        return EXIT_MISUSE;
    }
    if (find_subject(&session, &subject, &err) != MR_OK) {
        (void)fprintf(stderr, "millrace %s: %s\n", session.name, err.text);
        exit_code = EXIT_MISUSE;
    } else if (store_source_open(&subject, &session.command.addresses, session.command.state_dir,
                                 &session.source, &err) != MR_OK) {
        exit_code = fail(&session, err.text);
    } else {
        exit_code = action(&session);
    }
    if (fflush(stdout) != 0) {
        exit_code = fail(&session, "cannot write to stdout");
    }
    store_source_close(&session.source);
    mr_topology_destroy(&session.topology);
    return exit_code;
}

static const struct mr_option get_options[] = {COMMON_OPTIONS};

static const struct args_spec get_spec = {
    .command = "store get",
    .summary = "Prints the committed value of a key, from running processes or a state "
               "directory." PREFIX_HELP,
    .positionals = "STAGE STORE KEY",
    .positional_min = 3,
    .positional_max = 3,
    .options = get_options,
    .option_count = MR_COUNT(get_options),
    .repeats = repeats,
    .repeat_count = MR_COUNT(repeats),
};

static int run_get(int argc, char **argv)
{
    return run_store(&get_spec, do_get, argc, argv);
}

const struct command command_store_get = {
    .name = "store get", .summary = "one value of a stage's state", .run = run_get};

static const struct mr_option scan_options[] = {
    COMMON_OPTIONS,
    {.name = "prefix",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct store_command, prefix),
     .fallback = "",
     .help = "only keys that begin so"},
    {.name = "from",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct store_command, from),
     .fallback = "",
     .help = "first key, or PARTITION/KEY, as the end of a page tells it"},
    {.name = "limit",
     .type = MR_OPTION_INT,
     .offset = offsetof(struct store_command, limit),
     .fallback = "100",
     .min = 0,
     .max = INT64_MAX,
     .help = "at most so many lines; 0: all"},
};

static const struct args_spec scan_spec = {
    .command = "store scan",
    .summary = "Prints committed entries of a store as JSON lines, partition by partition in the "
               "order of keys." PREFIX_HELP,
    .positionals = "STAGE STORE",
    .positional_min = 2,
    .positional_max = 2,
    .options = scan_options,
    .option_count = MR_COUNT(scan_options),
    .repeats = repeats,
    .repeat_count = MR_COUNT(repeats),
};

static int run_scan(int argc, char **argv)
{
    return run_store(&scan_spec, do_scan, argc, argv);
}

const struct command command_store_scan = {
    .name = "store scan", .summary = "a stage's state as JSON lines", .run = run_scan};

static const struct mr_option stats_options[] = {
    COMMON_OPTIONS,
    {.name = "json",
     .type = MR_OPTION_BOOL,
     .offset = offsetof(struct store_command, json),
     .fallback = "false",
     .help = "one JSON document"},
};

static const struct args_spec stats_spec = {
    .command = "store stats",
    .summary = "Tells of each store and partition: entries, bytes, changelog offset, cache.",
    .positionals = "[STAGE [STORE]]",
    .positional_min = 0,
    .positional_max = 2,
    .options = stats_options,
    .option_count = MR_COUNT(stats_options),
    .repeats = repeats,
    .repeat_count = MR_COUNT(repeats),
};

static int run_stats(int argc, char **argv)
{
    return run_store(&stats_spec, do_stats, argc, argv);
}

const struct command command_store_stats = {
    .name = "store stats", .summary = "how much state there is, and where", .run = run_stats};
