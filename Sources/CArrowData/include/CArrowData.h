/* The Arrow C data and C stream interfaces: three structures by which columns cross library borders in one process.
   Spec: https://arrow.apache.org/docs/format/CDataInterface.html and CStreamInterface.html
   The layouts are fixed by the specification; the Swift names carry a C so as not to clash with LancerArrow's types. */
#ifndef LANCER_ARROW_DATA_H
#define LANCER_ARROW_DATA_H

#include <stdint.h>

#if defined(__clang__)
#define LANCER_SWIFT_NAME(name) __attribute__((swift_name(name)))
#else
#define LANCER_SWIFT_NAME(name)
#endif

/* The guards are the specification's, so that another header with the same structures may come before or after. */
#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4

struct LANCER_SWIFT_NAME("CArrowSchema") ArrowSchema {
    const char *format;
    const char *name;
    const char *metadata;
    int64_t flags;
    int64_t n_children;
    struct ArrowSchema **children;
    struct ArrowSchema *dictionary;
    void (*release)(struct ArrowSchema *);
    void *private_data;
};

struct LANCER_SWIFT_NAME("CArrowArray") ArrowArray {
    int64_t length;
    int64_t null_count;
    int64_t offset;
    int64_t n_buffers;
    int64_t n_children;
    const void **buffers;
    struct ArrowArray **children;
    struct ArrowArray *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};

#endif

#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE

struct LANCER_SWIFT_NAME("CArrowArrayStream") ArrowArrayStream {
    int (*get_schema)(struct ArrowArrayStream *, struct ArrowSchema *out);
    int (*get_next)(struct ArrowArrayStream *, struct ArrowArray *out);
    const char *(*get_last_error)(struct ArrowArrayStream *);
    void (*release)(struct ArrowArrayStream *);
    void *private_data;
};

#endif
#endif
