/* see_processes.c -- see see_processes.h. */
#include "see_processes.h"

#include "millrace/buffer.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SUFFIX ".http"
#define PATH_BYTES_MAX 1024

static bool path_of(const char *state_dir, struct see_process process, char path[PATH_BYTES_MAX])
{
    return snprintf(path, PATH_BYTES_MAX, "%s/%s.%s.%s" SUFFIX, state_dir, process.application,
                    process.part, process.instance) < PATH_BYTES_MAX;
}

enum mr_status see_process_announce(const char *state_dir, struct see_process process,
                                    const char *address, unsigned port, struct mr_err *err)
{
    /* Listening everywhere is listening here. */
    const char *host = strcmp(address, "0.0.0.0") == 0 ? "127.0.0.1" : address;
    char path[PATH_BYTES_MAX];
    FILE *file;

    if (!path_of(state_dir, process, path)) {
        return mr_fail(err, MR_CONFIG, "the name of the state directory is too long");
    }
    file = fopen(path, "w");
    if (file == NULL) {
        return mr_fail(err, MR_RESOURCE, "cannot write %s: %s", path, strerror(errno));
    }
    (void)fprintf(file, "%s:%u\n", host, port);
    return fclose(file) == 0
               ? MR_OK
               : mr_fail(err, MR_RESOURCE, "cannot write %s: %s", path, strerror(errno));
}

void see_process_forget(const char *state_dir, struct see_process process)
{
    char path[PATH_BYTES_MAX];

    if (path_of(state_dir, process, path)) {
        (void)unlink(path);
    }
}

/* <application>.<anything>.http */
static bool is_announcement(const char *name, const char *application)
{
    const size_t len = strlen(name);
    const size_t prefix = strlen(application);

    return len > prefix + sizeof(SUFFIX) && strncmp(name, application, prefix) == 0 &&
           name[prefix] == '.' && strcmp(name + len - (sizeof(SUFFIX) - 1), SUFFIX) == 0;
}

static void read_address(const char *state_dir, const char *name, struct see_processes *processes)
{
    char *address = processes->addresses[processes->count];
    char path[PATH_BYTES_MAX];
    FILE *file;

    if (snprintf(path, sizeof(path), "%s/%s", state_dir, name) >= (int)sizeof(path)) {
        return;
    }
    file = fopen(path, "r");
    if (file == NULL) {
        return;
    }
    if (fgets(address, SEE_ADDRESS_BYTES, file) != NULL) {
        address[strcspn(address, "\n")] = '\0';
        processes->count += address[0] != '\0';
    }
    (void)fclose(file);
}

void see_processes_find(const struct args_texts *given, const char *state_dir,
                        const char *application, struct see_processes *processes)
{
    struct dirent **names = NULL;
    int found;

    *processes = (struct see_processes){0};
    for (size_t i = 0; i < given->count; i++) {
        (void)snprintf(processes->addresses[processes->count++], SEE_ADDRESS_BYTES, "%s",
                       given->items[i]);
    }
    if (given->count > 0) {
        return;
    }
    found = scandir(state_dir, &names, NULL, alphasort);
    for (int i = 0; i < found; i++) {
        if (processes->count < SEE_PROCESSES_MAX &&
            is_announcement(names[i]->d_name, application)) {
            read_address(state_dir, names[i]->d_name, processes);
        }
        free(names[i]);
    }
    free(names);
}

const char *see_processes_text(const struct see_processes *processes, char *text, size_t bytes)
{
    struct mr_buffer list = MR_BUFFER_EMPTY;
    size_t len;

    for (size_t i = 0; i < processes->count; i++) {
        mr_buffer_printf(&list, "%s%s", i == 0 ? "" : ", ", processes->addresses[i]);
    }
    len = list.len < bytes ? list.len : bytes - 1;
    if (len > 0) {
        memcpy(text, list.data, len);
    }
    text[len] = '\0';
    mr_buffer_fini(&list);
    return text;
}
