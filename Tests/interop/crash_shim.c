// Loaded into the command with LD_PRELOAD: notes its calls that change files below SHIM_ROOT in SHIM_LOG, and ends the process
// like a kill at call number SHIM_STOP: before it (SHIM_MOMENT=0), half-way through (1: half of the bytes of a write), or
// after (2). Linux only.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static atomic_int calls;
static int stop_at = -1, moment, log_file = -1;
static const char *root;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void begin(void) {
    const char *stop = getenv("SHIM_STOP"), *when = getenv("SHIM_MOMENT"), *log = getenv("SHIM_LOG");
    root = getenv("SHIM_ROOT");
    if (stop) stop_at = atoi(stop);
    if (when) moment = atoi(when);
    if (log) log_file = REAL(open)(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static int is_ours(const char *path) { return root && path && strncmp(path, root, strlen(root)) == 0; }

static const char *path_of(int descriptor, char *buffer, size_t size) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t count = readlink(link, buffer, size - 1);
    buffer[count < 0 ? 0 : count] = 0;
    return buffer;
}

// Counts and notes a call; true when the process is to end in it.
static int reached(const char *call, const char *path, const char *other) {
    int number = atomic_fetch_add(&calls, 1);
    if (log_file >= 0) {
        char line[9000];
        int count = snprintf(line, sizeof line, "%s\t%s\t%s\n", call, path, other ? other : "");
        (void)!REAL(write)(log_file, line, count);
    }
    if (number != stop_at) return 0;
    if (moment == 0) _exit(137);
    return 1;
}

#define STOP(dies) do { if (dies) _exit(137); } while (0)

static int open_as(__typeof__(&open) real, const char *path, int flags, mode_t mode) {
    int dies = (flags & O_CREAT) && is_ours(path) && reached("create", path, NULL);
    int result = real(path, flags, mode);
    STOP(dies);
    return result;
}

int open(const char *path, int flags, ...) {
    va_list list;
    va_start(list, flags);
    mode_t mode = (flags & O_CREAT) ? va_arg(list, mode_t) : 0;
    va_end(list);
    return open_as(REAL(open), path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    va_list list;
    va_start(list, flags);
    mode_t mode = (flags & O_CREAT) ? va_arg(list, mode_t) : 0;
    va_end(list);
    return open_as(REAL(open64), path, flags, mode);
}

ssize_t write(int descriptor, const void *bytes, size_t size) {
    char path[4096];
    int dies = root && is_ours(path_of(descriptor, path, sizeof path)) && reached("write", path, NULL);
    ssize_t result = REAL(write)(descriptor, bytes, dies && moment == 1 ? size / 2 : size);
    STOP(dies);
    return result;
}

int fsync(int descriptor) {
    char path[4096];
    int dies = root && is_ours(path_of(descriptor, path, sizeof path)) && reached("fsync", path, NULL);
    int result = REAL(fsync)(descriptor);
    STOP(dies);
    return result;
}

int rename(const char *from, const char *to) {
    int dies = is_ours(to) && reached("rename", from, to);
    int result = REAL(rename)(from, to);
    STOP(dies);
    return result;
}

int link(const char *from, const char *to) {
    int dies = is_ours(to) && reached("link", from, to);
    int result = REAL(link)(from, to);
    STOP(dies);
    return result;
}

int unlink(const char *path) {
    int dies = is_ours(path) && reached("unlink", path, NULL);
    int result = REAL(unlink)(path);
    STOP(dies);
    return result;
}

int mkdir(const char *path, mode_t mode) {
    int dies = is_ours(path) && reached("mkdir", path, NULL);
    int result = REAL(mkdir)(path, mode);
    STOP(dies);
    return result;
}

int rmdir(const char *path) {
    int dies = is_ours(path) && reached("rmdir", path, NULL);
    int result = REAL(rmdir)(path);
    STOP(dies);
    return result;
}
