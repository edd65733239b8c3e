// AVX2 with FMA and F16C: vectors of 8 floats.
#if defined(__x86_64__)
#pragma STDC FP_CONTRACT OFF
#include "table.h"

#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)

typedef __m256 vf;
typedef int32_t vi __attribute__((vector_size(32)));
#define VL 8
#define TILE_ROWS 6
#define LANES ((vi){0, 1, 2, 3, 4, 5, 6, 7})
#define SET1(x) _mm256_set1_ps(x)
#define ST(p, v) _mm256_storeu_ps(p, v)
#define FMA(a, b, c) _mm256_fmadd_ps(a, b, c)
#define LD_F32(p) _mm256_loadu_ps((const float *)(const void *)(p))
#define LD_F16(p) _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)(p)))
#define LD_U8(p) _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)(p))))
#define REDUCE(v) reduce(v)
#define L2_U8(q, x, n) squares_u8(q, x, n)

static inline __attribute__((always_inline)) float reduce(__m256 v) {
    __m128 half = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    half = _mm_add_ps(half, _mm_movehl_ps(half, half));
    return _mm_cvtss_f32(_mm_add_ss(half, _mm_shuffle_ps(half, half, 1)));
}

static inline __attribute__((always_inline)) __m256 LDT_F32(const void *p, size_t n) {
    __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_maskload_ps(p, _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), lanes));
}

static inline __attribute__((always_inline)) __m256 LDT_F16(const void *p, size_t n) {
    uint16_t rest[8] = {0};
    __builtin_memcpy(rest, p, 2 * n);
    return LD_F16(rest);
}

static inline __attribute__((always_inline)) __m256 LDT_U8(const void *p, size_t n) {
    uint8_t rest[8] = {0};
    __builtin_memcpy(rest, p, n);
    return LD_U8(rest);
}

// Blocks keep the 32-bit lanes far below their limit: 65536 / 16 additions of at most 2 * 255².
static inline __attribute__((always_inline)) uint64_t squares_u8(const uint8_t *q, const uint8_t *x, size_t n) {
    uint64_t total = 0;
    size_t j = 0;
    while (j + 16 <= n) {
        size_t end = n - j < 65536 ? n : j + 65536;
        __m256i sum = _mm256_setzero_si256();
        for (; j + 16 <= end; j += 16) {
            __m256i a = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(q + j)));
            __m256i b = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(x + j)));
            __m256i d = _mm256_sub_epi16(a, b);
            sum = _mm256_add_epi32(sum, _mm256_madd_epi16(d, d));
        }
        uint32_t lanes[8];
        _mm256_storeu_si256((__m256i *)lanes, sum);
        for (int l = 0; l < 8; l++) total += lanes[l];
    }
    for (; j < n; j++) {
        int32_t d = (int32_t)q[j] - x[j];
        total += (uint32_t)(d * d);
    }
    return total;
}

#include "vectors.inc"

static void narrow_f32(const float *values, size_t count, void *halves) {
    size_t j = 0;
    for (; j + 8 <= count; j += 8)
        _mm_storeu_si128((__m128i *)((char *)halves + 2 * j), _mm256_cvtps_ph(LD_F32(values + j), 0));
    lk_scalar_narrow_f32(values + j, count - j, (char *)halves + 2 * j);
}

// Sums of even and odd rows, in 16 bits that saturate, to candidates among 32 rows.
static inline __attribute__((always_inline)) size_t candidates(__m256i even, __m256i odd, size_t r, __m256 delta,
                                                               __m256 offset, const float *bias, __m256 limit,
                                                               uint32_t *out) {
    uint16_t sums[32];
    _mm256_storeu_si256((__m256i *)sums, _mm256_unpacklo_epi16(even, odd));
    _mm256_storeu_si256((__m256i *)(sums + 16), _mm256_unpackhi_epi16(even, odd));
    // Unpacking works in halves of 128 bits: rows 0-7, 16-23, then 8-15, 24-31.
    static const uint8_t order[4] = {0, 16, 8, 24};
    size_t found = 0;
    for (int b = 0; b < 4; b++) {
        __m128i eight = _mm_loadu_si128((const __m128i *)(sums + order[b]));
        __m256 scaled = _mm256_mul_ps(delta, _mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(eight)));
        __m256 rest = _mm256_add_ps(offset, bias ? LD_F32(bias + r + 8 * b) : _mm256_setzero_ps());
        __m256 near = _mm256_cmp_ps(_mm256_add_ps(rest, scaled), limit, _CMP_LE_OQ);
        for (unsigned mask = (unsigned)_mm256_movemask_ps(near); mask; mask &= mask - 1)
            out[found++] = (uint32_t)(r + 8 * b + __builtin_ctz(mask));
    }
    return found;
}

static size_t pq_filter4(const uint8_t *codes, size_t stride, size_t count, size_t m, const uint8_t *table, float delta,
                         float offset, const float *bias, float limit, uint32_t *out) {
    __m256i nibble = _mm256_set1_epi8(15), byte = _mm256_set1_epi16(255);
    __m256 vdelta = SET1(delta), voffset = SET1(offset), vlimit = SET1(limit);
    size_t r = 0, found = 0;
    for (; r + 32 <= count; r += 32) {
        __m256i even = _mm256_setzero_si256(), odd = even;
        for (size_t i = 0; i < m; i += 2) {
            __m256i c = _mm256_loadu_si256((const __m256i *)(codes + (i / 2) * stride + r));
            __m256i low = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(table + i * 16)));
            __m256i v = _mm256_shuffle_epi8(low, _mm256_and_si256(c, nibble));
            even = _mm256_adds_epu16(even, _mm256_and_si256(v, byte));
            odd = _mm256_adds_epu16(odd, _mm256_srli_epi16(v, 8));
            if (i + 1 == m) break;
            __m256i high = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(table + i * 16 + 16)));
            v = _mm256_shuffle_epi8(high, _mm256_and_si256(_mm256_srli_epi16(c, 4), nibble));
            even = _mm256_adds_epu16(even, _mm256_and_si256(v, byte));
            odd = _mm256_adds_epu16(odd, _mm256_srli_epi16(v, 8));
        }
        found += candidates(even, odd, r, vdelta, voffset, bias, vlimit, out + found);
    }
    size_t rest = lk_scalar_pq_filter4(codes + r, stride, count - r, m, table, delta, offset, bias ? bias + r : NULL, limit,
                                       out + found);
    for (size_t i = 0; i < rest; i++) out[found + i] += (uint32_t)r;
    return found + rest;
}

static size_t select_at_most(const float *values, size_t count, float limit, uint32_t *out) {
    size_t i = 0, found = 0;
    __m256 vlimit = SET1(limit);
    for (; i + 8 <= count; i += 8) {
        unsigned mask = (unsigned)_mm256_movemask_ps(_mm256_cmp_ps(LD_F32(values + i), vlimit, _CMP_LE_OQ));
        for (; mask; mask &= mask - 1) out[found++] = (uint32_t)(i + __builtin_ctz(mask));
    }
    for (; i < count; i++)
        if (values[i] <= limit) out[found++] = (uint32_t)i;
    return found;
}

const lk_table lk_table_avx2 = {
    DISTANCE_MEMBERS,
    .narrow_f32 = narrow_f32,
    .pq_scan8 = lk_scalar_pq_scan8,
    .pq_scan4 = lk_scalar_pq_scan4,
    .pq_filter8 = lk_scalar_pq_filter8,
    .pq_filter4 = pq_filter4,
    .select_at_most = select_at_most,
    .fast_filter8 = false,
};

#pragma clang attribute pop
#endif
