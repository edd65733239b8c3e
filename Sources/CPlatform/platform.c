#define _DEFAULT_SOURCE
#include "CPlatform.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif
#ifdef __linux__
#include <sys/mman.h>
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif
#endif

int lancer_sync_file(int descriptor) {
    int result;
    do {
#ifdef __APPLE__
        // fsync leaves the bytes in the drive's cache there; not every file system knows the stronger call.
        result = fcntl(descriptor, F_FULLFSYNC);
        if (result != 0 && errno != EINTR) result = fsync(descriptor);
#else
        result = fsync(descriptor);
#endif
    } while (result != 0 && errno == EINTR);
    return result == 0 ? 0 : errno;
}

void lancer_error_text(int error, char *text, size_t size) {
    if (size == 0) return;
    // The POSIX and the GNU strerror_r differ in what they return; both are covered by starting from a number.
    snprintf(text, size, "error %d", error);
#if defined(__GLIBC__) && defined(_GNU_SOURCE)
    const char *words = strerror_r(error, text, size);
    if (words != text) snprintf(text, size, "%s", words);
#else
    char words[256];
    if (strerror_r(error, words, sizeof words) == 0) snprintf(text, size, "%s", words);
#endif
}

void lancer_return_freed_memory(void) {
#ifdef __GLIBC__
    // Left alone, glibc raises this limit to 32 MiB as big blocks are freed and keeps buffers of that size in its heaps,
    // in pieces: converting 1 GB of CSV then peaked at 539 MiB instead of 266, in the same time.
    mallopt(M_MMAP_THRESHOLD, 256 * 1024);
#endif
}

void lancer_move_to_large_pages(const void *start, size_t size) {
#ifdef __linux__
    const uintptr_t page = 2 << 20;
    uintptr_t begin = ((uintptr_t)start + page - 1) & ~(page - 1), end = ((uintptr_t)start + size) & ~(page - 1);
    if (end <= begin) return;
    int error = errno;
    // Linux before 6.1 knows only the first, and moves the memory in its own time.
    if (madvise((void *)begin, end - begin, MADV_HUGEPAGE) == 0) madvise((void *)begin, end - begin, MADV_COLLAPSE);
    errno = error;
#else
    (void)start;
    (void)size;
#endif
}
