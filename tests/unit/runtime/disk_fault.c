/* disk_fault.c -- see disk_fault.h. */
#define _GNU_SOURCE /* syscall, RTLD_NEXT, statvfs64 */
#include "disk_fault.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

static atomic_bool armed;
static atomic_long countdown;
static int error_number;
static bool every_one;

void disk_fault_arm(long n, int error, bool for_good)
{
    error_number = error;
    every_one = for_good;
    atomic_store(&countdown, n);
    atomic_store(&armed, true);
}

bool disk_fault_disarm(void)
{
    atomic_store(&armed, false);
    return atomic_load(&countdown) <= 0;
}

static bool due(void)
{
    long left;

    if (!atomic_load(&armed)) {
        return false;
    }
    left = atomic_fetch_sub(&countdown, 1) - 1;
    if (left == 0 || (left < 0 && every_one)) {
        errno = error_number;
        return true;
    }
    return false;
}

/* Seen by the libraries; the headers declare them, some under two names. */
#define SEEN __attribute__((visibility("default")))

SEEN ssize_t write(int file, const void *bytes, size_t count)
{
    return file > STDERR_FILENO && due() ? -1 : (ssize_t)syscall(SYS_write, file, bytes, count);
}

SEEN ssize_t pwrite(int file, const void *bytes, size_t count, off_t offset)
{
    return due() ? -1 : (ssize_t)syscall(SYS_pwrite64, file, bytes, count, offset);
}

SEEN ssize_t pwrite64(int file, const void *bytes, size_t count, off_t offset)
{
    return pwrite(file, bytes, count, offset);
}

SEEN int fsync(int file)
{
    return due() ? -1 : (int)syscall(SYS_fsync, file);
}

SEEN int fdatasync(int file)
{
    return due() ? -1 : (int)syscall(SYS_fdatasync, file);
}

SEEN int ftruncate(int file, off_t length)
{
    return due() ? -1 : (int)syscall(SYS_ftruncate, file, length);
}

SEEN int ftruncate64(int file, off_t length)
{
    return ftruncate(file, length);
}

SEEN int rename(const char *from, const char *to)
{
    return due() ? -1 : (int)syscall(SYS_rename, from, to);
}

/* A full disk says so when asked; RocksDB would otherwise think that there is room again. */
SEEN int statvfs64(const char *path, struct statvfs64 *told)
{
    int (*real)(const char *, struct statvfs64 *) = NULL;
    int code;

    *(void **)&real = dlsym(RTLD_NEXT, "statvfs64");
    code = real(path, told);
    if (atomic_load(&armed) && every_one && atomic_load(&countdown) <= 0) {
        told->f_bfree = told->f_bavail = 0;
    }
    return code;
}

static int open_file(const char *path, int flags, va_list arguments)
{
    const int mode = (flags & O_CREAT) != 0 ? va_arg(arguments, int) : 0;
    const bool changes = (flags & (O_CREAT | O_WRONLY | O_RDWR)) != 0;

    return changes && due() ? -1 : (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

SEEN int open(const char *path, int flags, ...)
{
    va_list arguments;
    int file;

    va_start(arguments, flags);
    file = open_file(path, flags, arguments);
    va_end(arguments);
    return file;
}

SEEN int open64(const char *path, int flags, ...)
{
    va_list arguments;
    int file;

    va_start(arguments, flags);
    file = open_file(path, flags, arguments);
    va_end(arguments);
    return file;
}
