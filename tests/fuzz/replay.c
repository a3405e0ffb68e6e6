/*
 * replay.c -- feeds every file of the given folders to a fuzz target.
 *
 * Why: what the fuzzer has found once must stay right in every build and with every compiler.
 */
#include "fuzz.h"

#include <dirent.h>
#include <string.h>

#define FILE_MAX 65536

static void feed(const char *path)
{
    static uint8_t bytes[FILE_MAX];
    FILE *file = fopen(path, "rb");

    if (file == NULL) {
        (void)fprintf(stderr, "cannot read %s\n", path);
        exit(EXIT_FAILURE);
    }
    const size_t size = fread(bytes, 1, sizeof(bytes), file);
    (void)fclose(file);
    /* Memory of exactly that size, so that a sanitizer sees a step beyond its end. */
    uint8_t *exact = malloc(size == 0 ? 1 : size);
    if (exact == NULL) {
        exit(EXIT_FAILURE);
    }
    memcpy(exact, bytes, size);
    (void)LLVMFuzzerTestOneInput(exact, size);
    free(exact);
}

int main(int argc, char **argv)
{
    size_t files = 0;

    for (int i = 1; i < argc; i++) {
        DIR *folder = opendir(argv[i]);
        const struct dirent *entry = NULL;
        if (folder == NULL) {
            (void)fprintf(stderr, "no folder %s\n", argv[i]);
            return EXIT_FAILURE;
        }
        while ((entry = readdir(folder)) != NULL) {
            char path[4096];
            if (entry->d_name[0] != '.') {
                (void)snprintf(path, sizeof(path), "%s/%s", argv[i], entry->d_name);
                feed(path);
                files++;
            }
        }
        (void)closedir(folder);
    }
    printf("%zu inputs\n", files);
    return files > 0 ? EXIT_SUCCESS : EXIT_FAILURE; /* an empty corpus proves nothing */
}
