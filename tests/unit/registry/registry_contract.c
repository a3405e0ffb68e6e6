/* registry_contract.c -- the tests of registry_contract.h. */
#include "registry_contract.h"

#include "millrace/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORD(fields)                                                                             \
    "{\"type\":\"record\",\"name\":\"R\",\"namespace\":\"contract\",\"fields\":[" fields "]}"
#define FIELD_A "{\"name\":\"a\",\"type\":\"string\"}"
#define ONE RECORD(FIELD_A)
#define COMPATIBLE                                                                                 \
    RECORD(FIELD_A ",{\"name\":\"b\",\"type\":[\"null\",\"string\"],\"default\":null}")
#define INCOMPATIBLE RECORD(FIELD_A ",{\"name\":\"b\",\"type\":\"string\"}")

static registry_opener open_registry;
static const char *subject_prefix;
static struct mr_registry *registry;
static struct mr_err err;

static void set_up(void)
{
    registry = open_registry();
    err = (struct mr_err){0};
}

static void tear_down(void)
{
    mr_registry_destroy(&registry);
}

/* One subject for each test, named so that escaping is needed. */
static const char *subject(const char *test)
{
    static char name[160];

    (void)snprintf(name, sizeof(name), "%s-%s-value", subject_prefix, test);
    return name;
}

static int32_t must_register(const char *name, const char *json)
{
    int32_t id = 0;

    ck_assert_msg(registry->ops->register_schema(registry, name, json, &id, &err) == MR_OK, "%s",
                  err.text);
    ck_assert_int_gt(id, 0);
    return id;
}

START_TEST(registering_twice_gives_one_id)
{
    const int32_t id = must_register(subject("twice"), ONE);

    ck_assert_int_eq(must_register(subject("twice"), ONE), id);
}
END_TEST

START_TEST(white_space_does_not_make_another_schema)
{
    const int32_t id = must_register(subject("space"), ONE);

    ck_assert_int_eq(must_register(subject("space"),
                                   "{ \"type\": \"record\", \"name\": \"R\",\n"
                                   "\"namespace\": \"contract\", \"fields\": [\n" FIELD_A "\n]}"),
                     id);
}
END_TEST

START_TEST(one_schema_has_one_id_under_all_subjects)
{
    const int32_t id = must_register(subject("here"), ONE);

    ck_assert_int_eq(must_register(subject("there"), ONE), id);
}
END_TEST

START_TEST(an_id_leads_to_the_text)
{
    const int32_t id = must_register(subject("text"), ONE);
    char *json = NULL;

    ck_assert_int_eq(registry->ops->schema_by_id(registry, id, &json, &err), MR_OK);
    ck_assert_ptr_nonnull(strstr(json, "contract"));
    free(json);
}
END_TEST

START_TEST(an_unknown_id_is_unknown)
{
    char *json = NULL;

    ck_assert_int_eq(registry->ops->schema_by_id(registry, 2000000000, &json, &err),
                     MR_SCHEMA_UNKNOWN);
    ck_assert_ptr_null(json);
    ck_assert(err.text[0] != '\0');
}
END_TEST

START_TEST(looking_up_does_not_register)
{
    const char *name = subject("lookup");
    int32_t id = 0;
    int32_t found = 0;

    ck_assert_int_eq(registry->ops->lookup(registry, name, INCOMPATIBLE, &id, &err),
                     MR_SCHEMA_UNKNOWN);
    id = must_register(name, ONE);
    ck_assert_int_eq(registry->ops->lookup(registry, name, ONE, &found, &err), MR_OK);
    ck_assert_int_eq(found, id);
    ck_assert_int_eq(registry->ops->lookup(registry, name, COMPATIBLE, &found, &err),
                     MR_SCHEMA_UNKNOWN);
}
END_TEST

START_TEST(an_incompatible_version_is_refused_under_backward)
{
    const char *name = subject("backward");
    int32_t id = 0;
    bool compatible = false;

    must_register(name, ONE);
    ck_assert_msg(registry->ops->set_compatibility(registry, name, "BACKWARD", &err) == MR_OK, "%s",
                  err.text);
    ck_assert_int_eq(registry->ops->compatible(registry, name, INCOMPATIBLE, &compatible, &err),
                     MR_OK);
    ck_assert(!compatible);
    ck_assert_int_eq(registry->ops->register_schema(registry, name, INCOMPATIBLE, &id, &err),
                     MR_EXISTS);
    ck_assert_int_eq(registry->ops->compatible(registry, name, COMPATIBLE, &compatible, &err),
                     MR_OK);
    ck_assert(compatible);
    ck_assert_int_ne(must_register(name, COMPATIBLE), must_register(name, ONE));
}
END_TEST

START_TEST(a_level_can_be_set_before_there_is_a_version)
{
    const char *name = subject("early");
    int32_t id = 0;

    ck_assert_msg(registry->ops->set_compatibility(registry, name, "BACKWARD", &err) == MR_OK, "%s",
                  err.text);
    must_register(name, ONE);
    ck_assert_int_eq(registry->ops->register_schema(registry, name, INCOMPATIBLE, &id, &err),
                     MR_EXISTS);
}
END_TEST

START_TEST(a_new_subject_takes_anything)
{
    bool compatible = false;

    ck_assert_msg(registry->ops->compatible(registry, subject("new"), ONE, &compatible, &err) ==
                      MR_OK,
                  "%s", err.text);
    ck_assert(compatible);
}
END_TEST

START_TEST(versions_are_listed_in_order_with_their_texts)
{
    const char *name = subject("versions");
    int32_t *versions = NULL;
    size_t count = 7;
    char *json = NULL;

    ck_assert_msg(registry->ops->versions(registry, name, &versions, &count, &err) == MR_OK, "%s",
                  err.text);
    ck_assert_uint_eq(count, 0);
    free(versions);
    must_register(name, ONE);
    must_register(name, COMPATIBLE);
    ck_assert_int_eq(registry->ops->versions(registry, name, &versions, &count, &err), MR_OK);
    ck_assert_uint_eq(count, 2);
    ck_assert_int_lt(versions[0], versions[1]);
    for (size_t i = 0; i < count; i++) {
        ck_assert_int_eq(registry->ops->schema_of_version(registry, name, versions[i], &json, &err),
                         MR_OK);
        ck_assert_int_eq(strstr(json, "\"b\"") != NULL, i == 1);
        free(json);
    }
    ck_assert_int_eq(registry->ops->schema_of_version(registry, name, versions[1] + 1, &json, &err),
                     MR_SCHEMA_UNKNOWN);
    ck_assert_ptr_null(json);
    free(versions);
}
END_TEST

START_TEST(what_is_no_schema_is_refused)
{
    int32_t id = 0;

    ck_assert_int_eq(registry->ops->register_schema(registry, subject("bad"),
                                                    "{\"type\":\"no such type\"}", &id, &err),
                     MR_CONFIG);
}
END_TEST

START_TEST(an_unknown_level_is_refused)
{
    must_register(subject("level"), ONE);
    ck_assert_int_eq(registry->ops->set_compatibility(registry, subject("level"), "SIDEWAYS", &err),
                     MR_CONFIG);
}
END_TEST

TCase *registry_contract_tcase(registry_opener opener, const char *prefix)
{
    TCase *tcase = tcase_create("contract");

    open_registry = opener;
    subject_prefix = prefix;
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, registering_twice_gives_one_id);
    tcase_add_test(tcase, white_space_does_not_make_another_schema);
    tcase_add_test(tcase, one_schema_has_one_id_under_all_subjects);
    tcase_add_test(tcase, an_id_leads_to_the_text);
    tcase_add_test(tcase, an_unknown_id_is_unknown);
    tcase_add_test(tcase, looking_up_does_not_register);
    tcase_add_test(tcase, an_incompatible_version_is_refused_under_backward);
    tcase_add_test(tcase, a_level_can_be_set_before_there_is_a_version);
    tcase_add_test(tcase, a_new_subject_takes_anything);
    tcase_add_test(tcase, versions_are_listed_in_order_with_their_texts);
    tcase_add_test(tcase, what_is_no_schema_is_refused);
    tcase_add_test(tcase, an_unknown_level_is_refused);
    return tcase;
}
