/*
 * top.c -- `millrace top`: what running processes do, again and again.
 *
 * On a terminal it stays and listens to keys; elsewhere, or with --once or --json, it asks twice,
 * an interval apart (a rate is a difference), prints and ends.
 */
#include "command.h"
#include "commands.h"
#include "millrace/arena.h"
#include "millrace/clock.h"
#include "top_view.h"
#include "topology_file.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define SCREEN_BEGIN "\033[?1049h\033[?25l"
#define SCREEN_END "\033[?25h\033[?1049l"
#define SCREEN_HOME "\033[H"
#define SCREEN_CLEAR_BELOW "\033[J"
#define KEYS "q quit   n name  l lag  i input  p P99  r restore   t tasks   + - interval"
#define INTERVAL_MIN_US (200 * MR_MS_US)

struct top_command {
    const char *topology;
    const char *state_dir;
    int64_t interval_us;
    int sort;
    bool once;
    bool json;
    bool tasks;
    struct args_texts addresses;
};

static const char *const sorts[] = {"name", "lag", "in", "p99", "restore", NULL};

static const struct mr_option options[] = {
    {.name = "topology",
     .type = MR_OPTION_STRING,
     .offset = offsetof(struct top_command, topology),
     .fallback = "topology.yaml",
     .help = "whose processes; not read when there is an --address"},
    SEE_STATE_DIR_OPTION(struct top_command, state_dir),
    {.name = "interval",
     .type = MR_OPTION_DURATION,
     .offset = offsetof(struct top_command, interval_us),
     .fallback = "1s",
     .min = INTERVAL_MIN_US,
     .max = MR_HOUR_US,
     .help = "between two askings"},
    {.name = "sort",
     .type = MR_OPTION_ENUM,
     .offset = offsetof(struct top_command, sort),
     .fallback = "name",
     .symbols = sorts,
     .help = "order of workers, and of tasks in them"},
    {.name = "tasks",
     .type = MR_OPTION_BOOL,
     .offset = offsetof(struct top_command, tasks),
     .fallback = "true",
     .help = "a row for each task; --tasks=false: workers alone"},
    {.name = "once",
     .type = MR_OPTION_BOOL,
     .offset = offsetof(struct top_command, once),
     .fallback = "false",
     .help = "one table"},
    {.name = "json",
     .type = MR_OPTION_BOOL,
     .offset = offsetof(struct top_command, json),
     .fallback = "false",
     .help = "one table, as JSON"},
};

static const struct args_repeat repeats[] = {SEE_ADDRESS_REPEAT(struct top_command, addresses)};

static const struct args_spec spec = {
    .command = "top",
    .summary =
        "Shows workers, tasks and connectors of running processes: lag, rates, commit times, "
        "restores.",
    .positionals = "",
    .options = options,
    .option_count = MR_COUNT(options),
    .repeats = repeats,
    .repeat_count = MR_COUNT(repeats),
};

/* ---- once ------------------------------------------------------------------------------------ */

static bool print(const struct mr_buffer *text)
{
    return fwrite(text->data, 1, text->len, stdout) == text->len && fflush(stdout) == 0;
}

static int show_once(const struct top_command *command, const struct see_processes *processes)
{
    struct see_status *before = mr_xcalloc(2, sizeof(*before));
    struct see_status *now;
    const struct top_view view = {.tasks = command->tasks};
    struct mr_buffer text = MR_BUFFER_EMPTY;
    struct top_table table;
    bool done;

    now = before + 1;
    (void)see_status_ask(processes, before);
    mr_clock_wait_us(mr_clock_system(), command->interval_us);
    done = see_status_ask(processes, now) == processes->count;
    top_rows_make(before, now, (enum top_sort)command->sort, &table);
    if (command->json) {
        top_json_write(&table, now, &text);
    } else {
        top_view_write(&view, &table, now, &text);
    }
    for (size_t i = 0; i < now->count; i++) {
        if (now->documents[i].root == NULL) {
            (void)fprintf(stderr, "millrace top: %s\n", now->documents[i].error);
        }
    }
    done = print(&text) && done;
    mr_buffer_fini(&text);
    top_rows_fini(&table);
    see_status_fini(before);
    see_status_fini(now);
    free(before);
    return done ? 0 : EXIT_NO;
}

/* ---- on a terminal --------------------------------------------------------------------------- */

static volatile sig_atomic_t ended;

static void on_end(int signal_number)
{
    (void)signal_number;
    ended = 1;
}

struct screen {
    struct termios before;
    struct top_command *command;
    const struct see_processes *processes;
    struct see_status *statuses; /* two, in turn: the one before, and the last */
    bool quit;
};

static void begin_screen(struct screen *screen)
{
    struct sigaction action = {.sa_handler = on_end};
    struct termios raw;

    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)tcgetattr(STDIN_FILENO, &screen->before);
    raw = screen->before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    (void)tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    (void)fputs(SCREEN_BEGIN, stdout);
}

static void end_screen(const struct screen *screen)
{
    (void)fputs(SCREEN_END, stdout);
    (void)fflush(stdout);
    (void)tcsetattr(STDIN_FILENO, TCSANOW, &screen->before);
}

/* Some terminals do not know how large they are. */
static struct winsize terminal_size(void)
{
    struct winsize size = {0};

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) {
        return (struct winsize){.ws_col = 120, .ws_row = 40};
    }
    return size;
}

static void draw(const struct screen *screen, const struct see_status *before,
                 const struct see_status *now)
{
    const struct winsize size = terminal_size();
    struct top_view view = {.colour = true, .tasks = screen->command->tasks};
    struct mr_buffer text = MR_BUFFER_EMPTY;
    struct top_table table;

    view.width = size.ws_col;
    view.height = size.ws_row - 1; /* the keys */
    view.sort = (enum top_sort)screen->command->sort;
    top_rows_make(before, now, view.sort, &table);
    mr_buffer_printf(&text, SCREEN_HOME);
    top_view_write(&view, &table, now, &text);
    mr_buffer_printf(&text, SCREEN_CLEAR_BELOW "\033[%d;1H\033[2m%.*s\033[0m", size.ws_row,
                     size.ws_col, KEYS);
    ended = print(&text) ? ended : 1;
    mr_buffer_fini(&text);
    top_rows_fini(&table);
}

static void on_key(struct screen *screen, char key)
{
    static const char sort_keys[] = "nlipr"; /* in the order of enum top_sort */
    const char *sort = key != '\0' ? strchr(sort_keys, key) : NULL;
    struct top_command *command = screen->command;

    if (sort != NULL) {
        command->sort = (int)(sort - sort_keys);
    } else if (key == 't') {
        command->tasks = !command->tasks;
    } else if (key == '+' && command->interval_us < MR_MINUTE_US) {
        command->interval_us *= 2;
    } else if (key == '-' && command->interval_us / 2 >= INTERVAL_MIN_US) {
        command->interval_us /= 2;
    } else if (key == 'q') {
        screen->quit = true;
    }
}

/* Until the next asking is due; keys redraw at once. */
static void await_keys(struct screen *screen, const struct see_status *before,
                       const struct see_status *now)
{
    const struct mr_clock *clock = mr_clock_system();
    const int64_t began_us = mr_clock_monotonic_us(clock);

    while (!screen->quit && !ended) {
        const int64_t left_us =
            began_us + screen->command->interval_us - mr_clock_monotonic_us(clock);
        struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
        char key;

        if (left_us <= 0) {
            return;
        }
        if (poll(&input, 1, (int)(left_us / MR_MS_US) + 1) <= 0) {
            continue;
        }
        if (read(STDIN_FILENO, &key, 1) != 1) {
            screen->quit = true;
            return;
        }
        on_key(screen, key);
        draw(screen, before, now);
    }
}

static int show_screen(struct top_command *command, const struct see_processes *processes)
{
    struct screen screen = {.command = command,
                            .processes = processes,
                            .statuses = mr_xcalloc(2, sizeof(struct see_status))};
    size_t turn = 0;

    begin_screen(&screen);
    while (!screen.quit && !ended) {
        struct see_status *now = &screen.statuses[turn % 2];
        struct see_status *before = &screen.statuses[(turn + 1) % 2];

        see_status_fini(now);
        (void)see_status_ask(processes, now);
        draw(&screen, before, now);
        await_keys(&screen, before, now);
        turn++;
    }
    end_screen(&screen);
    see_status_fini(&screen.statuses[0]);
    see_status_fini(&screen.statuses[1]);
    free(screen.statuses);
    return 0;
}

static bool find(const struct top_command *command, struct see_processes *processes, int *exit_code)
{
    struct mr_topology *topology = NULL;

    if (command->addresses.count == 0) {
        topology = topology_file_load(command->topology);
        if (topology == NULL) {
            *exit_code = EXIT_MISUSE;
            return false;
        }
    }
    see_processes_find(&command->addresses, command->state_dir,
                       topology == NULL ? "" : topology->application, processes);
    if (processes->count == 0) {
        (void)fprintf(stderr,
                      "millrace top: no process of %s has left its address in %s: start one, or "
                      "give --address HOST:PORT\n",
                      topology->application, command->state_dir);
        *exit_code = EXIT_NO;
    }
    mr_topology_destroy(&topology);
    return processes->count > 0;
}

static int run(int argc, char **argv)
{
    struct top_command command = {0};
    struct see_processes *processes;
    struct args args;
    int exit_code = 0;

    if (!args_parse(&spec, argc, argv, &command, &args, &exit_code)) {
        return exit_code;
    }
    processes = mr_xcalloc(1, sizeof(*processes));
    if (find(&command, processes, &exit_code)) {
        exit_code =
            command.once || command.json || isatty(STDOUT_FILENO) == 0 || isatty(STDIN_FILENO) == 0
                ? show_once(&command, processes)
                : show_screen(&command, processes);
    }
    free(processes);
    return exit_code;
}

const struct command command_top = {
    .name = "top", .summary = "what running processes do, live", .run = run};
