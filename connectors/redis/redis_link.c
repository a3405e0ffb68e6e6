/* redis_link.c -- see redis_link.h. */
#include "redis_link.h"

#include "millrace/option.h"

#include <stdio.h>
#include <string.h>
#include <sys/time.h>

static const struct {
    const char *word;
    enum redis_fault fault;
} WORDS[] = {
    {"NOSCRIPT", REDIS_NO_SCRIPT},
    {"WRONGTYPE", REDIS_DATA}, /* the key is somebody else's */
    {"NOAUTH", REDIS_FATAL},
    {"WRONGPASS", REDIS_FATAL},
    {"NOPERM", REDIS_FATAL},
    {"MOVED", REDIS_FATAL}, /* cluster mode: needs a client that follows slots */
    {"ASK", REDIS_FATAL},
    {"ERR AUTH", REDIS_FATAL}, /* a password for a server without one */
    {"ERR invalid password", REDIS_FATAL},
    {"ERR invalid username", REDIS_FATAL},
    {"ERR DB index", REDIS_FATAL},
    {"ERR unknown command", REDIS_FATAL},
};

/*
 * Redis 7 hands the code of a command inside a script through; before that it stood behind
 * "ERR Error running script (...): @user_script:3:".
 */
enum redis_fault redis_fault_of(const char *text)
{
    static const char SCRIPT[] = "@user_script:";
    const char *inside =
        strncmp(text, "ERR Error running script", 24) == 0 ? strstr(text, SCRIPT) : NULL;

    if (inside != NULL) {
        inside += strlen(SCRIPT);
        inside += strcspn(inside, " ");
        inside += strspn(inside, " ");
    }
    for (size_t i = 0; i < MR_COUNT(WORDS); i++) {
        const size_t len = strlen(WORDS[i].word);

        if (strncmp(text, WORDS[i].word, len) == 0 ||
            (inside != NULL && strncmp(inside, WORDS[i].word, len) == 0)) {
            return WORDS[i].fault;
        }
    }
    return REDIS_RETRY;
}

enum mr_status redis_refusal(const char *text, const char *address, struct mr_err *err)
{
    switch (redis_fault_of(text)) {
    case REDIS_DATA:
        return mr_fail(err, MR_MALFORMED, "redis %s refuses the record: %.250s", address, text);
    case REDIS_FATAL:
        return mr_fail(err, MR_CONFIG, "redis %s refuses: %.250s", address, text);
    case REDIS_NO_SCRIPT:
    case REDIS_RETRY:
    default:
        return mr_fail(err, MR_UNAVAILABLE, "redis %s: %.250s", address, text);
    }
}

enum mr_status redis_link_fail(const redisContext *link, const char *address, struct mr_err *err)
{
    return mr_fail(err, MR_UNAVAILABLE, "redis %s does not answer: %.250s", address,
                   link == NULL ? "out of memory" : link->errstr);
}

void redis_link_close(redisContext **link)
{
    if (*link != NULL) {
        redisFree(*link);
        *link = NULL;
    }
}

static enum mr_status call(redisContext *link, const char *address, int argc, const char **argv,
                           struct mr_err *err)
{
    redisReply *reply = redisCommandArgv(link, argc, argv, NULL);
    enum mr_status status = MR_OK;

    if (reply == NULL) {
        return redis_link_fail(link, address, err);
    }
    if (reply->type == REDIS_REPLY_ERROR) {
        status = redis_refusal(reply->str, address, err);
    }
    freeReplyObject(reply);
    return status;
}

static enum mr_status log_in(redisContext *link, const struct redis_url *url, struct mr_err *err)
{
    const char *with_user[] = {"AUTH", url->user, url->password};
    const char *alone[] = {"AUTH", url->password};

    if (url->password[0] == '\0') {
        return MR_OK;
    }
    return url->user[0] == '\0'
               ? call(link, url->address, (int)MR_COUNT(alone), alone, err)
               : call(link, url->address, (int)MR_COUNT(with_user), with_user, err);
}

static enum mr_status select_database(redisContext *link, const struct redis_url *url,
                                      struct mr_err *err)
{
    char number[16];
    const char *command[] = {"SELECT", number};

    snprintf(number, sizeof(number), "%d", url->database);
    return url->database == 0 ? MR_OK
                              : call(link, url->address, (int)MR_COUNT(command), command, err);
}

enum mr_status redis_link_open(const struct redis_url *url, int64_t timeout_us, redisContext **link,
                               struct mr_err *err)
{
    const char *ping[] = {"PING"};
    const struct timeval timeout = {.tv_sec = (time_t)(timeout_us / MR_SECOND_US),
                                    .tv_usec = (suseconds_t)(timeout_us % MR_SECOND_US)};
    enum mr_status status = MR_OK;

    *link = redisConnectWithTimeout(url->host, url->port, timeout);
    if (*link == NULL || (*link)->err != 0 || redisSetTimeout(*link, timeout) != REDIS_OK) {
        status = redis_link_fail(*link, url->address, err);
    }
    if (status == MR_OK) {
        status = log_in(*link, url, err);
    }
    if (status == MR_OK) {
        status = select_database(*link, url, err);
    }
    if (status == MR_OK) {
        status = call(*link, url->address, 1, ping, err);
    }
    if (status != MR_OK) {
        redis_link_close(link);
    }
    return status;
}
