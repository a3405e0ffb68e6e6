/*
 * Goal:   a container is read back as it was written, and no other file is taken for a whole one:
 *         one that is cut anywhere, or wrong in any of its parts, is refused with the byte.
 * Method: files in memory; every prefix and every changed byte of a good one; a table of files made
 *         by hand.
 */
#include "millrace/arena.h"
#include "ocf.h"

#include <check.h>
#include <stdlib.h>
#include <unistd.h>

#define SCHEMA "\"bytes\""
#define RECORDS 40
#define FILE_BYTES_MAX ((size_t)1 << 20)

static struct mr_err err;
static char path[64];
static uint8_t bytes[FILE_BYTES_MAX];
static size_t len;

static void set_up(void)
{
    int fd;

    (void)snprintf(path, sizeof path, "/tmp/millrace-ocf-XXXXXX");
    fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    (void)close(fd);
}

static void tear_down(void)
{
    (void)unlink(path);
}

static void load(void)
{
    FILE *file = fopen(path, "rb");

    ck_assert_ptr_nonnull(file);
    len = fread(bytes, 1, sizeof bytes, file);
    (void)fclose(file);
}

static struct mr_slice record_of(int i, char text[32])
{
    (void)snprintf(text, 32, "record %d of some", i);
    return mr_slice_str(text);
}

/* Blocks: three, each of the same records. */
static void write_file(enum ocf_codec codec)
{
    const struct ocf_meta meta[] = {{"millrace.topic", {(const uint8_t *)"orders", 6}},
                                    {"millrace.records", {(const uint8_t *)"000", 3}}};
    struct ocf_writer *writer = NULL;
    char text[32];
    const struct ocf_write_options options = {
        .codec = codec, .schema = SCHEMA, .meta = meta, .meta_count = MR_COUNT(meta)};

    ck_assert_int_eq(ocf_write_open(fopen(path, "w+b"), path, &options, &writer, &err), MR_OK);
    for (int block = 0; block < 3; block++) {
        for (int i = 0; i < RECORDS; i++) {
            ck_assert_int_eq(ocf_write_add(writer, record_of(i, text), &err), MR_OK);
        }
        ck_assert_int_eq(ocf_write_finish(writer, &err), MR_OK); /* ends a block */
    }
    ck_assert_int_eq(ocf_write_meta(writer, "millrace.records", mr_slice_str("120"), &err), MR_OK);
    ck_assert_int_eq(ocf_write_finish(writer, &err), MR_OK);
    ocf_write_close(&writer);
    load();
}

/* Reads what is in bytes; *blocks: whole ones before the end or what is wrong. */
static enum mr_status read_all(size_t size, int64_t *records, int *blocks)
{
    struct ocf_reader *reader = NULL;
    bool end = false;
    enum mr_status status;

    *records = 0;
    *blocks = 0;
    status = ocf_read_open(fmemopen(bytes, size, "rb"), "file", &reader, &err);
    while (status == MR_OK && !end) {
        struct ocf_block block;

        status = ocf_read_block(reader, &block, &end, &err);
        if (status == MR_OK && !end) {
            *records += block.count;
            *blocks += 1;
        }
    }
    ocf_read_close(&reader);
    return status;
}

START_TEST(what_was_written_is_read)
{
    struct ocf_reader *reader = NULL;
    struct ocf_block block;
    struct mr_slice value;
    bool end = false;

    write_file((enum ocf_codec)_i);
    ck_assert_int_eq(ocf_read_open(fopen(path, "rb"), path, &reader, &err), MR_OK);
    ck_assert(ocf_read_meta(reader, "millrace.topic", &value));
    ck_assert(mr_slice_equal(value, mr_slice_str("orders")));
    ck_assert(ocf_read_meta(reader, "millrace.records", &value));
    ck_assert(mr_slice_equal(value, mr_slice_str("120")));
    ck_assert(ocf_read_meta(reader, "avro.schema", &value));
    ck_assert(mr_slice_equal(value, mr_slice_str(SCHEMA)));
    ck_assert(!ocf_read_meta(reader, "millrace.nothing", &value));
    for (int i = 0; i < 3; i++) {
        size_t at = 0;

        ck_assert_int_eq(ocf_read_block(reader, &block, &end, &err), MR_OK);
        ck_assert(!end);
        ck_assert_int_eq(block.count, RECORDS);
        for (int r = 0; r < RECORDS; r++) {
            char text[32];
            const struct mr_slice record = record_of(r, text);

            ck_assert_uint_le(at + record.len, block.data.len);
            ck_assert_mem_eq(block.data.data + at, record.data, record.len);
            at += record.len;
        }
        ck_assert_uint_eq(at, block.data.len);
    }
    ck_assert_int_eq(ocf_read_block(reader, &block, &end, &err), MR_OK);
    ck_assert(end);
    ocf_read_close(&reader);
}
END_TEST

START_TEST(a_file_that_is_cut_anywhere_is_refused)
{
    int64_t records = 0;
    int blocks = 0;
    int whole = 0;

    write_file((enum ocf_codec)_i);
    ck_assert_int_eq(read_all(len, &records, &blocks), MR_OK);
    ck_assert_int_eq(records, 3 * RECORDS);
    for (size_t size = 1; size < len; size++) {
        if (read_all(size, &records, &blocks) == MR_OK) {
            /* Between blocks the container is whole; the number of records tells. */
            ck_assert_int_eq(records, blocks * RECORDS);
            ck_assert_int_eq(blocks, whole);
            whole++;
        } else {
            ck_assert_int_eq(err.status, MR_CORRUPT);
            ck_assert_msg(strncmp(err.text, "file: byte ", 11) == 0, "%s", err.text);
        }
    }
    ck_assert_int_eq(whole, 3);
}
END_TEST

START_TEST(a_changed_byte_never_does_more_than_change_the_content)
{
    int refused = 0;

    write_file((enum ocf_codec)_i);
    for (size_t at = 0; at < len; at++) {
        for (int bit = 0; bit < 8; bit++) {
            int64_t records = 0;
            int blocks = 0;
            enum mr_status status;

            bytes[at] ^= (uint8_t)(1U << bit);
            status = read_all(len, &records, &blocks);
            ck_assert(status == MR_OK || status == MR_CORRUPT);
            refused += status == MR_CORRUPT ? 1 : 0;
            bytes[at] ^= (uint8_t)(1U << bit);
        }
    }
    ck_assert_int_gt(refused, 8 * (4 + 4 * 16)); /* magic and sync markers at the least */
}
END_TEST

#define HEAD                                                                                       \
    "Obj\x01\x02\x16"                                                                              \
    "avro.schema"                                                                                  \
    "\x0e" SCHEMA "\x00"
#define SYNC "0123456789abcdef"

static const struct {
    const char *why;
    const char *bytes;
    size_t len;
    const char *text; /* NULL: good */
} files[] = {
#define ROW(why, bytes, text)                                                                      \
    {                                                                                              \
        why, bytes, sizeof(bytes) - 1, text                                                        \
    }
    ROW("no blocks", HEAD SYNC, NULL),
    ROW("an empty block", HEAD SYNC "\x00\x00" SYNC, NULL),
    ROW("metadata in a sized block",
        "Obj\x01\x01\x28\x16"
        "avro.schema"
        "\x0e" SCHEMA "\x00" SYNC,
        NULL),
    ROW("another file", "PAR1" SYNC, "byte 0: not an Avro object container"),
    ROW("an older format", "Obj\x00" SYNC, "byte 0: not an Avro"),
    ROW("no schema",
        "Obj\x01\x02\x02"
        "a"
        "\x02"
        "b"
        "\x00" SYNC,
        "no avro.schema"),
    ROW("metadata of a negative length", "Obj\x01\x02\x01" SYNC SYNC, "byte 5: a negative length"),
    ROW("metadata beyond the end", "Obj\x01\x02\x7e" SYNC, "should follow"),
    ROW("endless metadata", "Obj\x01\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01" SYNC,
        "more metadata"),
    ROW("metadata of the least count there is",
        "Obj\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00" SYNC, "more metadata"),
    ROW("a number without an end", "Obj\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff" SYNC,
        "byte 4: not an Avro long"),
    ROW("a codec nobody has",
        "Obj\x01\x04\x16"
        "avro.schema"
        "\x0e" SCHEMA "\x14"
        "avro.codec"
        "\x0c"
        "snappy"
        "\x00" SYNC,
        "codec snappy"),
    ROW("a block of less than nothing", HEAD SYNC "\x01\x00" SYNC, "negative number of records"),
    ROW("a block of a negative size", HEAD SYNC "\x02\x01" SYNC, "a negative length"),
    ROW("a block beyond the end", HEAD SYNC "\x02\xfe\xff\xff\x0f" SYNC, "should follow"),
    ROW("another sync marker",
        HEAD SYNC "\x02\x02"
                  "a"
                  "0123456789abcdeF",
        "does not end with the file's sync marker"),
    ROW("no sync marker",
        HEAD SYNC "\x02\x02"
                  "a",
        "the file ends too early"),
    ROW("deflate that is none",
        "Obj\x01\x04\x16"
        "avro.schema"
        "\x0e" SCHEMA "\x14"
        "avro.codec"
        "\x0e"
        "deflate"
        "\x00" SYNC "\x02\x06"
        "\xff\xff\xff" SYNC,
        "cannot be inflated"),
};

START_TEST(each_part_is_checked)
{
    int64_t records = 0;
    int blocks = 0;
    enum mr_status status;

    memcpy(bytes, files[_i].bytes, files[_i].len);
    status = read_all(files[_i].len, &records, &blocks);
    if (files[_i].text == NULL) {
        ck_assert_msg(status == MR_OK, "%s: %s", files[_i].why, err.text);
        return;
    }
    ck_assert_msg(status == MR_CORRUPT, "%s", files[_i].why);
    ck_assert_msg(strstr(err.text, files[_i].text) != NULL, "%s: %s", files[_i].why, err.text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ocf");
    TCase *tcase = tcase_create("ocf");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, what_was_written_is_read, OCF_NULL, OCF_DEFLATE + 1);
    tcase_add_loop_test(tcase, a_file_that_is_cut_anywhere_is_refused, OCF_NULL, OCF_DEFLATE + 1);
    tcase_add_loop_test(tcase, a_changed_byte_never_does_more_than_change_the_content, OCF_NULL,
                        OCF_DEFLATE + 1);
    tcase_add_loop_test(tcase, each_part_is_checked, 0, (int)MR_COUNT(files));
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
