/* see_status.c -- see see_status.h. */
#include "see_status.h"

#include "ask_http.h"

#include <string.h>

static void ask(const char *address, struct see_document *document)
{
    struct mr_buffer body = MR_BUFFER_EMPTY;
    struct mr_err err = {0};

    *document = (struct see_document){0};
    (void)snprintf(document->address, sizeof(document->address), "%s", address);
    if (ask_http(address, "/status", &body, &err) == MR_OK) {
        document->root = json_loadb((const char *)body.data, body.len, 0, NULL);
        (void)snprintf(err.text, sizeof(err.text), "%s: its /status is none", address);
    }
    if (document->root == NULL) {
        (void)snprintf(document->error, sizeof(document->error), "%.250s", err.text);
    }
    mr_buffer_fini(&body);
}

size_t see_status_ask(const struct see_processes *processes, struct see_status *status)
{
    size_t answered = 0;

    status->count = processes->count;
    for (size_t i = 0; i < processes->count; i++) {
        ask(processes->addresses[i], &status->documents[i]);
        answered += status->documents[i].root != NULL;
    }
    return answered;
}

void see_status_fini(struct see_status *status)
{
    for (size_t i = 0; i < status->count; i++) {
        json_decref(status->documents[i].root);
    }
    status->count = 0;
}

const json_t *see_status_before(const struct see_status *before, const struct see_document *now)
{
    for (size_t i = 0; before != NULL && i < before->count; i++) {
        const struct see_document *document = &before->documents[i];

        if (document->root != NULL && strcmp(document->address, now->address) == 0 &&
            see_number(document->root, "pid") == see_number(now->root, "pid")) {
            return document->root;
        }
    }
    return NULL;
}

int64_t see_number(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);

    return json_is_integer(value) ? json_integer_value(value) : -1;
}

const char *see_text(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text == NULL ? "" : text;
}

const json_t *see_find(const json_t *array, const char *member, const char *text)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *element = json_array_get(array, i);

        if (strcmp(see_text(element, member), text) == 0) {
            return element;
        }
    }
    return NULL;
}

int64_t see_rate_milli(const json_t *before, const json_t *now, int64_t was, int64_t is)
{
    const int64_t us = see_number(now, "timeUs") - see_number(before, "timeUs");

    if (before == NULL || us <= 0 || was < 0 || is < was) {
        return -1;
    }
    return (int64_t)((mr_i128)(is - was) * 1000000000 / us);
}

int64_t see_lag(const struct see_document *documents, size_t count, const char *topic,
                const char *consumer)
{
    int64_t largest = -1;

    for (size_t i = 0; i < count; i++) {
        const json_t *lags = json_object_get(documents[i].root, "lags");

        for (size_t l = 0; l < json_array_size(lags); l++) {
            const json_t *lag = json_array_get(lags, l);

            if (strcmp(see_text(lag, "topic"), topic) == 0 &&
                strcmp(see_text(lag, "consumer"), consumer) == 0 &&
                see_number(lag, "lag") > largest) {
                largest = see_number(lag, "lag");
            }
        }
    }
    return largest;
}
