// What one instruction set offers; filled by scalar.c, neon.c, avx2.c and avx512.c.
#ifndef LANCER_KERNELS_TABLE_H
#define LANCER_KERNELS_TABLE_H

#include "CLancerKernels.h"

typedef void (*lk_many)(const float *, const void *, size_t, size_t, size_t, float *);
typedef void (*lk_many_norm)(const float *, float, const void *, size_t, size_t, size_t, float *);
typedef void (*lk_chosen)(const float *, const void *, size_t, const uint32_t *, size_t, size_t, float *);
typedef void (*lk_scan)(const uint8_t *, size_t, size_t, size_t, const float *, float, const float *, float *);
typedef size_t (*lk_filter)(const uint8_t *, size_t, size_t, size_t, const uint8_t *, float, float, const float *, float,
                            uint32_t *);

typedef struct {
    lk_many l2_f32, dot_f32, l2_f16, dot_f16, dot_u8;
    lk_many_norm cosine_f32, cosine_f16;
    lk_chosen gather_l2_f32, gather_dot_f32, gather_l2_f16, gather_dot_f16, gather_dot_u8;
    void (*l2_u8)(const uint8_t *, const void *, size_t, size_t, size_t, float *);
    void (*gather_l2_u8)(const uint8_t *, const void *, size_t, const uint32_t *, size_t, size_t, float *);
    void (*widen_f16)(const void *, size_t, float *);
    void (*narrow_f32)(const float *, size_t, void *);
    void (*add_f32)(float *, const void *, size_t);
    void (*assign_f32)(const void *, size_t, size_t, const float *, const float *, size_t, size_t, uint32_t *, float *);
    void (*pq_table_l2)(const float *, const float *, size_t, size_t, size_t, float *);
    void (*pq_table_dot)(const float *, const float *, size_t, size_t, size_t, float *);
    void (*axpy)(float *, const float *, float, const float *, size_t);
    void (*row_bounds)(const float *, size_t, size_t, float *, float *);
    void (*pq_quantize)(const float *, size_t, size_t, const float *, float, uint8_t *);
    lk_scan pq_scan8, pq_scan4;
    lk_filter pq_filter8, pq_filter4;
    size_t (*select_at_most)(const float *, size_t, float, uint32_t *);
    bool fast_filter8;
} lk_table;

extern const lk_table lk_table_scalar;
#if defined(__x86_64__)
extern const lk_table lk_table_avx2;
/// With and without the byte permutation of VBMI (Ice Lake and later).
extern const lk_table lk_table_avx512, lk_table_avx512_vbmi;
#elif defined(__aarch64__)
extern const lk_table lk_table_neon;
#endif

// What every level without better code takes from scalar.c.
void lk_scalar_pq_scan8(const uint8_t *, size_t, size_t, size_t, const float *, float, const float *, float *);
void lk_scalar_pq_scan4(const uint8_t *, size_t, size_t, size_t, const float *, float, const float *, float *);
size_t lk_scalar_pq_filter8(const uint8_t *, size_t, size_t, size_t, const uint8_t *, float, float, const float *, float,
                            uint32_t *);
size_t lk_scalar_pq_filter4(const uint8_t *, size_t, size_t, size_t, const uint8_t *, float, float, const float *, float,
                            uint32_t *);
size_t lk_scalar_select_at_most(const float *, size_t, float, uint32_t *);
void lk_scalar_narrow_f32(const float *, size_t, void *);

#endif
