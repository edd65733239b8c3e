#ifndef LANCER_PLATFORM_H
#define LANCER_PLATFORM_H

#include <stddef.h>

/// Brings a file's content to the device. Returns 0, or an errno value.
int lancer_sync_file(int descriptor);

/// Writes what an errno value means into `text`, always zero terminated.
void lancer_error_text(int error, char *text, size_t size);

/// Makes the C library give big blocks back to the system as soon as they are freed. For a whole process: call it from a
/// program's start, not from a library.
void lancer_return_freed_memory(void);

/// Has the system move memory that is in use to pages of megabytes, where it can, so that reads at random seldom have to look
/// up where theirs is. Takes at least as long as copying the memory, which may be read and written meanwhile.
void lancer_move_to_large_pages(const void *start, size_t size);

#endif
