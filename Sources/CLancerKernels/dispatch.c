// Chooses the instruction set once and forwards each public call to it.
#include "table.h"

#include <stdlib.h>
#include <string.h>

static const lk_table *table_of(lk_level level) {
    switch (level) {
    case LK_LEVEL_SCALAR:
        return &lk_table_scalar;
#if defined(__x86_64__)
    case LK_LEVEL_AVX2:
        __builtin_cpu_init();
        if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c"))
            return &lk_table_avx2;
        return NULL;
    case LK_LEVEL_AVX512:
        __builtin_cpu_init();
        if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
            __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c"))
            return __builtin_cpu_supports("avx512vbmi") ? &lk_table_avx512_vbmi : &lk_table_avx512;
        return NULL;
#elif defined(__aarch64__)
    case LK_LEVEL_NEON:
        return &lk_table_neon;
#endif
    default:
        return NULL;
    }
}

// The whole process's level, and one that the calling thread asked for instead.
static const lk_table *current;
static _Thread_local const lk_table *forced;

static lk_level level_of(const lk_table *table) {
    for (int level = LK_LEVEL_AVX512; level > 0; level--)
        if (table_of((lk_level)level) == table) return (lk_level)level;
    return LK_LEVEL_SCALAR;
}

static __attribute__((noinline)) const lk_table *first(void) {
    static const char *const names[] = {"scalar", "neon", "avx2", "avx512"};
    const char *wish = getenv("LANCER_SIMD");
    const lk_table *chosen = NULL;
    for (int level = LK_LEVEL_AVX512; wish && !chosen && level >= 0; level--)
        if (!strcmp(wish, names[level])) chosen = table_of((lk_level)level);
    for (int level = LK_LEVEL_AVX512; !chosen && level >= 0; level--) chosen = table_of((lk_level)level);
    __atomic_store_n(&current, chosen, __ATOMIC_RELEASE);
    return chosen;
}

static inline const lk_table *table(void) {
    if (forced) return forced;
    const lk_table *chosen = __atomic_load_n(&current, __ATOMIC_ACQUIRE);
    return chosen ? chosen : first();
}

lk_level lk_current_level(void) { return level_of(table()); }

bool lk_use_level(lk_level level) {
    const lk_table *found = table_of(level);
    if (found) forced = found;
    return found != NULL;
}

bool lk_has_fast_filter8(void) { return table()->fast_filter8; }

#define MANY(name)                                                                                                     \
    void lk_##name(const float *q, const void *rows, size_t stride, size_t count, size_t n, float *out) {              \
        table()->name(q, rows, stride, count, n, out);                                                                 \
    }
#define MANY_NORM(name)                                                                                                \
    void lk_##name(const float *q, float norm, const void *rows, size_t stride, size_t count, size_t n, float *out) {  \
        table()->name(q, norm, rows, stride, count, n, out);                                                           \
    }
#define CHOSEN(name)                                                                                                   \
    void lk_##name(const float *q, const void *rows, size_t stride, const uint32_t *ids, size_t count, size_t n,       \
                   float *out) {                                                                                       \
        table()->name(q, rows, stride, ids, count, n, out);                                                            \
    }
MANY(l2_f32)
MANY(dot_f32)
MANY(l2_f16)
MANY(dot_f16)
MANY(dot_u8)
MANY_NORM(cosine_f32)
MANY_NORM(cosine_f16)
CHOSEN(gather_l2_f32)
CHOSEN(gather_dot_f32)
CHOSEN(gather_l2_f16)
CHOSEN(gather_dot_f16)
CHOSEN(gather_dot_u8)

void lk_l2_u8(const uint8_t *q, const void *rows, size_t stride, size_t count, size_t n, float *out) {
    table()->l2_u8(q, rows, stride, count, n, out);
}

void lk_gather_l2_u8(const uint8_t *q, const void *rows, size_t stride, const uint32_t *ids, size_t count, size_t n,
                     float *out) {
    table()->gather_l2_u8(q, rows, stride, ids, count, n, out);
}

void lk_widen_f16(const void *halves, size_t count, float *out) { table()->widen_f16(halves, count, out); }

void lk_narrow_f32(const float *values, size_t count, void *halves) { table()->narrow_f32(values, count, halves); }

void lk_add_f32(float *out, const void *row, size_t count) { table()->add_f32(out, row, count); }

void lk_assign_f32(const void *rows, size_t stride, size_t count, const float *packed, const float *bias, size_t k,
                   size_t dimension, uint32_t *index, float *score) {
    table()->assign_f32(rows, stride, count, packed, bias, k, dimension, index, score);
}

void lk_pq_table_l2(const float *q, const float *transposed, size_t m, size_t codewords, size_t d, float *out) {
    table()->pq_table_l2(q, transposed, m, codewords, d, out);
}

void lk_pq_table_dot(const float *q, const float *transposed, size_t m, size_t codewords, size_t d, float *out) {
    table()->pq_table_dot(q, transposed, m, codewords, d, out);
}

void lk_axpy(float *out, const float *a, float scale, const float *b, size_t count) {
    table()->axpy(out, a, scale, b, count);
}

void lk_row_bounds(const float *t, size_t m, size_t codewords, float *least, float *greatest) {
    table()->row_bounds(t, m, codewords, least, greatest);
}

void lk_pq_quantize(const float *t, size_t m, size_t codewords, const float *least, float scale, uint8_t *out) {
    table()->pq_quantize(t, m, codewords, least, scale, out);
}

void lk_pq_scan8(const uint8_t *codes, size_t stride, size_t count, size_t m, const float *t, float base, const float *bias,
                 float *out) {
    table()->pq_scan8(codes, stride, count, m, t, base, bias, out);
}

void lk_pq_scan4(const uint8_t *codes, size_t stride, size_t count, size_t m, const float *t, float base, const float *bias,
                 float *out) {
    table()->pq_scan4(codes, stride, count, m, t, base, bias, out);
}

size_t lk_pq_filter8(const uint8_t *codes, size_t stride, size_t count, size_t m, const uint8_t *t, float delta, float offset,
                     const float *bias, float limit, uint32_t *out) {
    return table()->pq_filter8(codes, stride, count, m, t, delta, offset, bias, limit, out);
}

size_t lk_pq_filter4(const uint8_t *codes, size_t stride, size_t count, size_t m, const uint8_t *t, float delta, float offset,
                     const float *bias, float limit, uint32_t *out) {
    return table()->pq_filter4(codes, stride, count, m, t, delta, offset, bias, limit, out);
}

size_t lk_select_at_most(const float *values, size_t count, float limit, uint32_t *out) {
    return table()->select_at_most(values, count, limit, out);
}

void lk_prefetch(const void *address) { __builtin_prefetch(address); }

void lk_prefetch_bytes(const void *address, size_t count) {
    if (count > 32768) count = 32768;
    for (size_t at = 0; at < count; at += 64) __builtin_prefetch((const char *)address + at);
}
