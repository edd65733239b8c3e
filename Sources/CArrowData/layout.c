#include "CArrowData.h"

/* Offsets that every other library relies on (64-bit platforms). */
#if UINTPTR_MAX == UINT64_MAX
#include <stddef.h>
_Static_assert(sizeof(struct ArrowSchema) == 72, "layout of ArrowSchema");
_Static_assert(offsetof(struct ArrowSchema, flags) == 24, "layout of ArrowSchema");
_Static_assert(offsetof(struct ArrowSchema, release) == 56, "layout of ArrowSchema");
_Static_assert(sizeof(struct ArrowArray) == 80, "layout of ArrowArray");
_Static_assert(offsetof(struct ArrowArray, buffers) == 40, "layout of ArrowArray");
_Static_assert(offsetof(struct ArrowArray, release) == 64, "layout of ArrowArray");
_Static_assert(sizeof(struct ArrowArrayStream) == 40, "layout of ArrowArrayStream");
#endif
