// AVX-512 (F, BW, DQ, VL): vectors of 16 floats; with VBMI, whole 256-byte tables are looked up in registers.
#if defined(__x86_64__)
#pragma STDC FP_CONTRACT OFF
#include "table.h"

#include <immintrin.h>

#define BASE "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c"
#pragma clang attribute push(__attribute__((target(BASE))), apply_to = function)

typedef __m512 vf;
typedef int32_t vi __attribute__((vector_size(64)));
#define VL 16
#define TILE_ROWS 8
#define LANES ((vi){0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15})
#define SET1(x) _mm512_set1_ps(x)
#define ST(p, v) _mm512_storeu_ps(p, v)
#define FMA(a, b, c) _mm512_fmadd_ps(a, b, c)
#define REDUCE(v) _mm512_reduce_add_ps(v)
#define LD_F32(p) _mm512_loadu_ps((const void *)(p))
#define LD_F16(p) _mm512_cvtph_ps(_mm256_loadu_si256((const void *)(p)))
#define LD_U8(p) _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128((const void *)(p))))
#define FIRST(n) ((__mmask16)((1u << (n)) - 1))
#define LDT_F32(p, n) _mm512_maskz_loadu_ps(FIRST(n), (const void *)(p))
#define LDT_F16(p, n) _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(FIRST(n), (const void *)(p)))
#define LDT_U8(p, n) _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(FIRST(n), (const void *)(p))))
#define L2_U8(q, x, n) squares_u8(q, x, n)

// Blocks keep the 32-bit lanes far below their limit: 65536 / 32 additions of at most 2 * 255².
static inline __attribute__((always_inline)) uint64_t squares_u8(const uint8_t *q, const uint8_t *x, size_t n) {
    uint64_t total = 0;
    for (size_t j = 0; j < n;) {
        size_t end = n - j < 65536 ? n : j + 65536;
        __m512i sum = _mm512_setzero_si512();
        for (; j + 32 <= end; j += 32) {
            __m512i a = _mm512_cvtepu8_epi16(_mm256_loadu_si256((const void *)(q + j)));
            __m512i b = _mm512_cvtepu8_epi16(_mm256_loadu_si256((const void *)(x + j)));
            __m512i d = _mm512_sub_epi16(a, b);
            sum = _mm512_add_epi32(sum, _mm512_madd_epi16(d, d));
        }
        if (j < end) {
            __mmask32 mask = (__mmask32)((1ull << (end - j)) - 1);
            __m512i a = _mm512_cvtepu8_epi16(_mm256_maskz_loadu_epi8(mask, q + j));
            __m512i b = _mm512_cvtepu8_epi16(_mm256_maskz_loadu_epi8(mask, x + j));
            __m512i d = _mm512_sub_epi16(a, b);
            sum = _mm512_add_epi32(sum, _mm512_madd_epi16(d, d));
            j = end;
        }
        total += (uint32_t)_mm512_reduce_add_epi32(sum);
    }
    return total;
}

#include "vectors.inc"

static void narrow_f32(const float *values, size_t count, void *halves) {
    size_t j = 0;
    for (; j + 16 <= count; j += 16)
        _mm256_storeu_si256((void *)((char *)halves + 2 * j), _mm512_cvtps_ph(LD_F32(values + j), 0));
    lk_scalar_narrow_f32(values + j, count - j, (char *)halves + 2 * j);
}

static void pq_scan8(const uint8_t *codes, size_t stride, size_t count, size_t m, const float *table, float base,
                     const float *bias, float *out) {
    size_t r = 0;
    for (; r + 64 <= count; r += 64) {
        __m512 s[4] = {_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps()};
        for (size_t i = 0; i < m; i++) {
            const uint8_t *column = codes + i * stride + r;
            const float *row = table + i * 256;
            __m512i c[4], part[4];
            __m512 found[4];
            _Pragma("clang loop unroll(full)") for (int b = 0; b < 4; b++) {
                c[b] = _mm512_cvtepu8_epi32(_mm_loadu_si128((const void *)(column + 16 * b)));
                part[b] = _mm512_srli_epi32(c[b], 5);
                found[b] = _mm512_setzero_ps();
            }
            // Two registers hold 32 of the 256 numbers: eight permutations of 64 codes are sooner done than 64 loads.
            _Pragma("clang loop unroll(full)") for (int t = 0; t < 8; t++) {
                __m512 low = LD_F32(row + 32 * t), high = LD_F32(row + 32 * t + 16);
                _Pragma("clang loop unroll(full)") for (int b = 0; b < 4; b++) {
                    __mmask16 here = _mm512_cmpeq_epi32_mask(part[b], _mm512_set1_epi32(t));
                    found[b] = _mm512_mask_mov_ps(found[b], here, _mm512_permutex2var_ps(low, c[b], high));
                }
            }
            _Pragma("clang loop unroll(full)") for (int b = 0; b < 4; b++) s[b] = _mm512_add_ps(s[b], found[b]);
        }
        _Pragma("clang loop unroll(full)") for (int b = 0; b < 4; b++) {
            __m512 rest = _mm512_set1_ps(base);
            rest = _mm512_add_ps(rest, bias ? LD_F32(bias + r + 16 * b) : _mm512_setzero_ps());
            _mm512_storeu_ps(out + r + 16 * b, _mm512_add_ps(s[b], rest));
        }
    }
    lk_scalar_pq_scan8(codes + r, stride, count - r, m, table, base, bias ? bias + r : NULL, out + r);
}

// A 16-entry float table fits one register: the lookup is exact.
static void pq_scan4(const uint8_t *codes, size_t stride, size_t count, size_t m, const float *table, float base,
                     const float *bias, float *out) {
    size_t r = 0;
    for (; r + 32 <= count; r += 32) {
        __m512 s0 = _mm512_setzero_ps(), s1 = s0;
        for (size_t i = 0; i < m; i++) {
            const uint8_t *column = codes + (i / 2) * stride + r;
            __m512 row = LD_F32(table + i * 16);
            __m512i c0 = _mm512_cvtepu8_epi32(_mm_loadu_si128((const void *)column));
            __m512i c1 = _mm512_cvtepu8_epi32(_mm_loadu_si128((const void *)(column + 16)));
            if (i % 2) {
                c0 = _mm512_srli_epi32(c0, 4);
                c1 = _mm512_srli_epi32(c1, 4);
            }
            // Only the low four bits of an index count.
            s0 = _mm512_add_ps(s0, _mm512_permutexvar_ps(c0, row));
            s1 = _mm512_add_ps(s1, _mm512_permutexvar_ps(c1, row));
        }
        __m512 rest = _mm512_set1_ps(base);
        _mm512_storeu_ps(out + r, _mm512_add_ps(s0, _mm512_add_ps(rest, bias ? LD_F32(bias + r) : _mm512_setzero_ps())));
        _mm512_storeu_ps(out + r + 16,
                         _mm512_add_ps(s1, _mm512_add_ps(rest, bias ? LD_F32(bias + r + 16) : _mm512_setzero_ps())));
    }
    lk_scalar_pq_scan4(codes + r, stride, count - r, m, table, base, bias ? bias + r : NULL, out + r);
}

// Sums of even and odd rows, in 16 bits that saturate, to candidates among 64 rows.
static inline __attribute__((always_inline)) size_t candidates(__m512i even, __m512i odd, size_t r, __m512 delta,
                                                               __m512 offset, const float *bias, __m512 limit,
                                                               uint32_t *out) {
    __m512i low = _mm512_unpacklo_epi16(even, odd), high = _mm512_unpackhi_epi16(even, odd);
    // Unpacking works in 128 bits: eight rows of `low`, then eight of `high`, and so on.
    __m512i first = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11), second = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
    __m512i halves[2] = {_mm512_permutex2var_epi64(low, first, high), _mm512_permutex2var_epi64(low, second, high)};
    size_t found = 0;
    _Pragma("clang loop unroll(full)") for (int b = 0; b < 4; b++) {
        __m256i sixteen = b % 2 ? _mm512_extracti64x4_epi64(halves[b / 2], 1) : _mm512_castsi512_si256(halves[b / 2]);
        __m512 scaled = _mm512_mul_ps(delta, _mm512_cvtepi32_ps(_mm512_cvtepu16_epi32(sixteen)));
        __m512 rest = _mm512_add_ps(offset, bias ? LD_F32(bias + r + 16 * b) : _mm512_setzero_ps());
        unsigned mask = _mm512_cmp_ps_mask(_mm512_add_ps(rest, scaled), limit, _CMP_LE_OQ);
        for (; mask; mask &= mask - 1) out[found++] = (uint32_t)(r + 16 * b + __builtin_ctz(mask));
    }
    return found;
}

static size_t pq_filter4(const uint8_t *codes, size_t stride, size_t count, size_t m, const uint8_t *table, float delta,
                         float offset, const float *bias, float limit, uint32_t *out) {
    __m512i nibble = _mm512_set1_epi8(15), byte = _mm512_set1_epi16(255);
    __m512 vdelta = SET1(delta), voffset = SET1(offset), vlimit = SET1(limit);
    size_t r = 0, found = 0;
    for (; r + 64 <= count; r += 64) {
        __m512i even = _mm512_setzero_si512(), odd = even;
        for (size_t i = 0; i < m; i += 2) {
            __m512i c = _mm512_loadu_si512(codes + (i / 2) * stride + r);
            __m512i low = _mm512_broadcast_i32x4(_mm_loadu_si128((const void *)(table + i * 16)));
            __m512i v = _mm512_shuffle_epi8(low, _mm512_and_si512(c, nibble));
            even = _mm512_adds_epu16(even, _mm512_and_si512(v, byte));
            odd = _mm512_adds_epu16(odd, _mm512_srli_epi16(v, 8));
            if (i + 1 == m) break;
            __m512i high = _mm512_broadcast_i32x4(_mm_loadu_si128((const void *)(table + i * 16 + 16)));
            v = _mm512_shuffle_epi8(high, _mm512_and_si512(_mm512_srli_epi16(c, 4), nibble));
            even = _mm512_adds_epu16(even, _mm512_and_si512(v, byte));
            odd = _mm512_adds_epu16(odd, _mm512_srli_epi16(v, 8));
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
    __m512 vlimit = SET1(limit);
    __m512i lanes = (__m512i)LANES;
    for (; i + 16 <= count; i += 16) {
        __mmask16 mask = _mm512_cmp_ps_mask(LD_F32(values + i), vlimit, _CMP_LE_OQ);
        if (!mask) continue;
        _mm512_mask_compressstoreu_epi32(out + found, mask, _mm512_add_epi32(lanes, _mm512_set1_epi32((int)i)));
        found += (size_t)__builtin_popcount(mask);
    }
    for (; i < count; i++)
        if (values[i] <= limit) out[found++] = (uint32_t)i;
    return found;
}

#pragma clang attribute pop
#pragma clang attribute push(__attribute__((target(BASE ",avx512vbmi"))), apply_to = function)

// Looks up 64 codes in a table of 256 bytes: two registers hold each half, the codes' top bits choose.
static inline __attribute__((always_inline)) __m512i look_up(__m512i c, __m512i t0, __m512i t1, __m512i t2, __m512i t3) {
    __m512i low = _mm512_permutex2var_epi8(t0, c, t1), high = _mm512_permutex2var_epi8(t2, c, t3);
    return _mm512_mask_blend_epi8(_mm512_movepi8_mask(c), low, high);
}

static size_t pq_filter8_vbmi(const uint8_t *codes, size_t stride, size_t count, size_t m, const uint8_t *table, float delta,
                              float offset, const float *bias, float limit, uint32_t *out) {
    __m512i byte = _mm512_set1_epi16(255);
    __m512 vdelta = SET1(delta), voffset = SET1(offset), vlimit = SET1(limit);
    size_t r = 0, found = 0;
    for (; r + 256 <= count; r += 256) {
        __m512i even[4], odd[4];
        _Pragma("clang loop unroll(full)") for (int b = 0; b < 4; b++) even[b] = odd[b] = _mm512_setzero_si512();
        for (size_t i = 0; i < m; i++) {
            const uint8_t *column = codes + i * stride + r, *row = table + i * 256;
            __m512i t0 = _mm512_loadu_si512(row), t1 = _mm512_loadu_si512(row + 64);
            __m512i t2 = _mm512_loadu_si512(row + 128), t3 = _mm512_loadu_si512(row + 192);
            _Pragma("clang loop unroll(full)") for (int b = 0; b < 4; b++) {
                __m512i v = look_up(_mm512_loadu_si512(column + 64 * b), t0, t1, t2, t3);
                even[b] = _mm512_adds_epu16(even[b], _mm512_and_si512(v, byte));
                odd[b] = _mm512_adds_epu16(odd[b], _mm512_srli_epi16(v, 8));
            }
        }
        _Pragma("clang loop unroll(full)") for (int b = 0; b < 4; b++) found +=
            candidates(even[b], odd[b], r + 64 * b, vdelta, voffset, bias, vlimit, out + found);
    }
    for (; r + 64 <= count; r += 64) {
        __m512i even = _mm512_setzero_si512(), odd = even;
        for (size_t i = 0; i < m; i++) {
            const uint8_t *row = table + i * 256;
            __m512i v = look_up(_mm512_loadu_si512(codes + i * stride + r), _mm512_loadu_si512(row),
                                _mm512_loadu_si512(row + 64), _mm512_loadu_si512(row + 128), _mm512_loadu_si512(row + 192));
            even = _mm512_adds_epu16(even, _mm512_and_si512(v, byte));
            odd = _mm512_adds_epu16(odd, _mm512_srli_epi16(v, 8));
        }
        found += candidates(even, odd, r, vdelta, voffset, bias, vlimit, out + found);
    }
    if (r == count) return found;
    if (count >= 64) {
        // The last 64 rows once more: quicker than some of them one by one.
        uint32_t last[128];
        size_t hits = pq_filter8_vbmi(codes + count - 64, stride, 64, m, table, delta, offset,
                                      bias ? bias + count - 64 : NULL, limit, last);
        for (size_t i = 0; i < hits; i++)
            if (last[i] + count - 64 >= r) out[found++] = last[i] + (uint32_t)(count - 64);
        return found;
    }
    return lk_scalar_pq_filter8(codes, stride, count, m, table, delta, offset, bias, limit, out);
}

#define COMMON                                                                                                         \
    DISTANCE_MEMBERS, .narrow_f32 = narrow_f32, .pq_scan8 = pq_scan8, .pq_scan4 = pq_scan4, .pq_filter4 = pq_filter4,  \
                      .select_at_most = select_at_most

const lk_table lk_table_avx512 = {COMMON, .pq_filter8 = lk_scalar_pq_filter8, .fast_filter8 = false};
const lk_table lk_table_avx512_vbmi = {COMMON, .pq_filter8 = pq_filter8_vbmi, .fast_filter8 = true};

#pragma clang attribute pop
#endif
