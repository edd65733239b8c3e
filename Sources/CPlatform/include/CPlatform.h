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

#endif
