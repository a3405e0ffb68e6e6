/*
 * archive_paths.c -- which files an import reads, and what a manifest beside them says.
 *
 * A directory stands for the files of its manifest, so that one that is missing is missed; without
 * a manifest for all *.avro in it.
 */
#include "archive_import.h"
#include "millrace/arena.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void add_file(struct archive_import *import, const char *path)
{
    import->files = mr_xrealloc(import->files, (import->file_count + 1) * sizeof *import->files);
    import->files[import->file_count++] = (struct archive_import_file){.path = mr_xstrdup(path)};
}

/* *manifest NULL: there is none. */
static enum mr_status load_manifest(const char *directory, json_t **manifest, struct mr_err *err)
{
    char path[ARCHIVE_PATH_BYTES];
    json_error_t problem;

    *manifest = NULL;
    MR_TRY(archive_path(directory, ARCHIVE_MANIFEST, path, err));
    if (access(path, F_OK) != 0) {
        return MR_OK;
    }
    *manifest = json_load_file(path, 0, &problem);
    if (json_is_array(json_object_get(*manifest, "files"))) {
        return MR_OK;
    }
    json_decref(*manifest);
    *manifest = NULL;
    return mr_fail(err, MR_CORRUPT, "%s: is not the manifest of an export", path);
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text == NULL ? "" : text;
}

static bool of_several_topics(const json_t *files)
{
    for (size_t i = 1; i < json_array_size(files); i++) {
        if (strcmp(text_of(json_array_get(files, i), "topic"),
                   text_of(json_array_get(files, 0), "topic")) != 0) {
            return true;
        }
    }
    return false;
}

/* Of an export of several topics those files that --topic names. */
static enum mr_status add_listed(struct archive_import *import, const char *directory,
                                 const json_t *manifest, struct mr_err *err)
{
    const json_t *files = json_object_get(manifest, "files");
    const bool choose = import->options->topic[0] != '\0' && of_several_topics(files);

    for (size_t i = 0; i < json_array_size(files); i++) {
        const json_t *file = json_array_get(files, i);
        char path[ARCHIVE_PATH_BYTES];

        if (choose && strcmp(text_of(file, "topic"), import->options->topic) != 0) {
            continue;
        }
        MR_TRY(archive_path(directory, text_of(file, "file"), path, err));
        add_file(import, path);
    }
    return MR_OK;
}

static enum mr_status add_all(struct archive_import *import, const char *directory,
                              struct mr_err *err)
{
    DIR *open = opendir(directory);
    const struct dirent *entry;
    enum mr_status status = MR_OK;

    if (open == NULL) {
        return mr_fail(err, MR_CONFIG, "%s: %s", directory, strerror(errno));
    }
    while (status == MR_OK && (entry = readdir(open)) != NULL) {
        const size_t len = strlen(entry->d_name);
        char path[ARCHIVE_PATH_BYTES];

        if (len > 5 && strcmp(entry->d_name + len - 5, ".avro") == 0) {
            status = archive_path(directory, entry->d_name, path, err);
            if (status == MR_OK) {
                add_file(import, path);
            }
        }
    }
    (void)closedir(open);
    return status;
}

static enum mr_status add_path(struct archive_import *import, const char *path, struct mr_err *err)
{
    struct stat info;
    json_t *manifest = NULL;
    enum mr_status status;

    if (stat(path, &info) != 0) {
        return mr_fail(err, MR_CONFIG, "%s: %s", path, strerror(errno));
    }
    if (!S_ISDIR(info.st_mode)) {
        add_file(import, path);
        return MR_OK;
    }
    MR_TRY(load_manifest(path, &manifest, err));
    status =
        manifest == NULL ? add_all(import, path, err) : add_listed(import, path, manifest, err);
    json_decref(manifest);
    return status;
}

enum mr_status archive_paths_find(struct archive_import *import, struct mr_err *err)
{
    for (size_t i = 0; i < import->options->path_count; i++) {
        MR_TRY(add_path(import, import->options->paths[i], err));
    }
    return import->file_count > 0
               ? MR_OK
               : mr_fail(err, MR_CONFIG, "%s: has no archive files%s%s", import->options->paths[0],
                         import->options->topic[0] == '\0' ? "" : " of topic ",
                         import->options->topic);
}

static enum mr_status agree(const struct archive_import_file *file, const char *name,
                            const json_t *manifest, struct mr_err *err)
{
    const json_t *files = json_object_get(manifest, "files");

    for (size_t i = 0; i < json_array_size(files); i++) {
        const json_t *listed = json_array_get(files, i);
        const json_int_t records = json_integer_value(json_object_get(listed, "records"));

        if (strcmp(text_of(listed, "file"), name) != 0) {
            continue;
        }
        if (records != file->records) {
            return mr_fail(err, MR_CORRUPT,
                           "%s: has %" PRId64 " records, and its manifest says %" PRId64,
                           file->path, file->records, (int64_t)records);
        }
        if (strcmp(text_of(listed, "sha256"), file->sha256) != 0) {
            return mr_fail(err, MR_CORRUPT, "%s: is not the file of its manifest: SHA-256 %s",
                           file->path, file->sha256);
        }
    }
    return MR_OK;
}

enum mr_status archive_paths_agree(const struct archive_import_file *file, struct mr_err *err)
{
    const char *slash = strrchr(file->path, '/');
    char *directory = mr_xstrdup(slash == NULL ? "." : file->path);
    json_t *manifest = NULL;
    enum mr_status status;

    if (slash != NULL) {
        directory[slash - file->path] = '\0';
    }
    status = load_manifest(directory, &manifest, err);
    if (status == MR_OK && manifest != NULL) {
        status = agree(file, slash == NULL ? file->path : slash + 1, manifest, err);
    }
    json_decref(manifest);
    free(directory);
    return status;
}
