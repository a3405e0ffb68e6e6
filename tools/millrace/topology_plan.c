/*
 * topology_plan.c -- `millrace topology plan FILE` and `topology apply FILE`: what must happen so
 * that what runs becomes what the file says; and doing it.
 */
#include "args.h"
#include "command.h"
#include "connect.h"
#include "describe.h"
#include "plan/control.h"
#include "plan/plan.h"
#include "topology_file.h"

#include <stdlib.h>

#define LOSSES_MAX 32
#define REST_STEP_US (200 * MR_MS_US)

struct plan_command {
    const char *allow_loss;
    int64_t wait_us;
    int64_t stopped_us;
    bool break_lock;
    bool all;
    bool json;
};

#define ALLOW_LOSS_OPTION                                                                          \
    {                                                                                              \
        .name = "allow-loss", .type = MR_OPTION_STRING,                                            \
        .offset = offsetof(struct plan_command, allow_loss), .fallback = "",                       \
        .help = "what may be lost, as the plan names it; several with commas"                      \
    }
#define ALL_OPTION                                                                                 \
    {                                                                                              \
        .name = "all", .type = MR_OPTION_BOOL, .offset = offsetof(struct plan_command, all),       \
        .fallback = "false", .help = "tell what is kept too"                                       \
    }
#define JSON_OPTION                                                                                \
    {                                                                                              \
        .name = "json", .type = MR_OPTION_BOOL, .offset = offsetof(struct plan_command, json),     \
        .fallback = "false", .help = "the plan as one JSON document on stdout"                     \
    }

static const struct mr_option plan_options_table[] = {
    ALLOW_LOSS_OPTION,
    ALL_OPTION,
    JSON_OPTION,
    CONNECT_WAIT_OPTION(struct plan_command, wait_us),
};

static const struct mr_option apply_options_table[] = {
    ALLOW_LOSS_OPTION,
    {.name = "wait-stopped",
     .type = MR_OPTION_DURATION,
     .offset = offsetof(struct plan_command, stopped_us),
     .fallback = "60s",
     .min = 0,
     .max = MR_DAY_US,
     .help = "how long groups that must be stopped are waited for"},
    {.name = "break-lock",
     .type = MR_OPTION_BOOL,
     .offset = offsetof(struct plan_command, break_lock),
     .fallback = "false",
     .help = "take the lock although somebody has it, who can do nothing any more then"},
    ALL_OPTION,
    JSON_OPTION,
    CONNECT_WAIT_OPTION(struct plan_command, wait_us),
};

static const struct args_spec plan_spec = {
    .command = "topology plan",
    .summary = "Says what must happen so that topics, subjects, offsets and state become what the "
               "file says, and changes nothing. Exit code: 0 nothing to do, 1 changes, 2 refused.",
    .positionals = "FILE",
    .positional_min = 1,
    .positional_max = 1,
    .options = plan_options_table,
    .option_count = MR_COUNT(plan_options_table),
};

static const struct args_spec apply_spec = {
    .command = "topology apply",
    .summary = "Does what `topology plan` says: creates and changes topics, registers subjects "
               "(compatibility BACKWARD), moves offsets. When anything is refused, nothing is "
               "done. Interrupted, it is run again.",
    .positionals = "FILE",
    .positional_min = 1,
    .positional_max = 1,
    .options = apply_options_table,
    .option_count = MR_COUNT(apply_options_table),
};

/* What the parts of a command share. */
struct session {
    const struct mr_topology *topology;
    const struct plan_command *command;
    struct connection connection;
    struct control *control;
    char *losses; /* storage of the names */
    const char *loss_names[LOSSES_MAX];
    struct plan_options options;
};

static void split_losses(struct session *session)
{
    char *rest = session->losses;

    while (rest != NULL && *rest != '\0' && session->options.allow_loss_count < LOSSES_MAX) {
        char *comma = strchr(rest, ',');

        session->loss_names[session->options.allow_loss_count++] = rest;
        if (comma != NULL) {
            *comma = '\0';
        }
        rest = comma == NULL ? NULL : comma + 1;
    }
    session->options.allow_loss = session->loss_names;
}

static enum mr_status make(struct session *session, struct plan *plan, struct mr_err *err)
{
    struct control_state state;
    enum mr_status status = control_read(session->control, &state, err);
    const struct plan_world world = {
        .topology = session->topology,
        .log = session->connection.log,
        .registry = session->connection.registry,
        .before = mr_buffer_slice(&state.topology),
    };

    *plan = (struct plan){0};
    status = status == MR_OK ? plan_make(plan, &world, &session->options, err) : status;
    control_state_fini(&state);
    return status;
}

static void tell(const struct session *session, const struct plan *plan)
{
    if (session->command->json) {
        plan_json(plan, stdout);
    } else {
        plan_text(plan, session->command->all, stdout);
    }
}

/* ---- plan ------------------------------------------------------------------------------------ */

static enum mr_status plan_only(struct session *session, int *exit_code, struct mr_err *err)
{
    struct plan plan;
    const enum mr_status status = make(session, &plan, err);

    if (status == MR_OK) {
        tell(session, &plan);
        *exit_code = plan_exit_code(&plan);
    }
    plan_fini(&plan);
    return status;
}

/* ---- apply ----------------------------------------------------------------------------------- */

/* Groups come to rest: the plan is made anew, with the offsets that they have left. */
static enum mr_status await_rest(struct session *session, struct plan *plan, struct mr_err *err)
{
    const struct mr_clock *clock = mr_clock_system();
    const int64_t deadline_us = mr_clock_monotonic_us(clock) + session->command->stopped_us;
    bool said = false;

    while (plan_members(plan) > 0 && plan_count(plan, PLAN_REFUSE) == 0) {
        if (mr_clock_monotonic_us(clock) > deadline_us) {
            return mr_fail(err, MR_TIMEOUT,
                           "nothing changed: group %s still has members; stop it first",
                           plan_resting(plan));
        }
        if (!said) {
            (void)fprintf(stderr, "waiting for group %s to stop, at most %lld s\n",
                          plan_resting(plan),
                          (long long)(session->command->stopped_us / MR_SECOND_US));
            said = true;
        }
        mr_clock_wait_us(clock, REST_STEP_US);
        MR_TRY(control_renew(session->control, err));
        plan_fini(plan);
        MR_TRY(make(session, plan, err));
    }
    return MR_OK;
}

static enum mr_status publish(struct session *session, struct mr_err *err)
{
    struct mr_buffer json = MR_BUFFER_EMPTY;
    enum mr_status status;

    topology_describe_json(session->topology, &json);
    status = control_publish(session->control, mr_buffer_slice(&json), err);
    mr_buffer_fini(&json);
    return status;
}

static enum mr_status apply_locked(struct session *session, int *exit_code, struct mr_err *err)
{
    struct plan plan;
    enum mr_status status = make(session, &plan, err);

    status = status == MR_OK ? await_rest(session, &plan, err) : status;
    if (status == MR_OK) {
        tell(session, &plan);
        if (plan_count(&plan, PLAN_REFUSE) > 0) {
            status = mr_fail(err, MR_EXISTS, "nothing changed: %zu refused",
                             plan_count(&plan, PLAN_REFUSE));
            *exit_code = 2;
        }
    }
    status = status == MR_OK ? plan_do(&plan, session->connection.registry, err) : status;
    status = status == MR_OK ? publish(session, err) : status;
    plan_fini(&plan);
    return status;
}

static enum mr_status apply(struct session *session, int *exit_code, struct mr_err *err)
{
    struct mr_err unlocked;
    enum mr_status status;

    MR_TRY(control_lock(session->control, session->topology->defaults.replication,
                        session->command->break_lock, err));
    status = apply_locked(session, exit_code, err);
    if (control_unlock(session->control, &unlocked) != MR_OK && status == MR_OK) {
        *err = unlocked;
        return unlocked.status;
    }
    return status;
}

/* ---- both ------------------------------------------------------------------------------------ */

static int run(const struct args_spec *spec, int argc, char **argv,
               enum mr_status (*work)(struct session *session, int *exit_code, struct mr_err *err))
{
    struct plan_command command = {0};
    struct session session = {.command = &command};
    struct mr_topology *topology;
    struct args args;
    struct mr_err err = {0};
    int exit_code = 0;
    enum mr_status status;

    if (!args_parse(spec, argc, argv, &command, &args, &exit_code)) {
        return exit_code;
    }
    topology = topology_file_load(args.positionals[0]);
    if (topology == NULL) {
        return EXIT_MISUSE;
    }
    session.topology = topology;
    session.losses = mr_xstrdup(command.allow_loss);
    split_losses(&session);
    status = connection_reach(topology, command.wait_us, &session.connection, &err);
    if (status == MR_OK) {
        session.control =
            control_create(session.connection.log, mr_clock_system(), topology->application);
        status = work(&session, &exit_code, &err);
        control_destroy(&session.control);
    }
    if (status != MR_OK) {
        (void)fprintf(stderr, "millrace %s: %s\n", spec->command, err.text);
        exit_code = exit_code == 0 ? EXIT_NO : exit_code;
    }
    connection_close(&session.connection);
    free(session.losses);
    mr_topology_destroy(&topology);
    return exit_code;
}

static int run_plan(int argc, char **argv)
{
    return run(&plan_spec, argc, argv, plan_only);
}

static int run_apply(int argc, char **argv)
{
    return run(&apply_spec, argc, argv, apply);
}

const struct command command_topology_plan = {
    .name = "topology plan",
    .summary = "says what must happen so that what runs becomes what the file says",
    .run = run_plan,
};

const struct command command_topology_apply = {
    .name = "topology apply",
    .summary = "does it: topics, subjects, offsets",
    .run = run_apply,
};
