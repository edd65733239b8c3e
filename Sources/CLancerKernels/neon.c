// NEON, which every 64-bit ARM processor has: vectors of 4 floats.
#if defined(__aarch64__)
#pragma STDC FP_CONTRACT OFF
#include "table.h"

#include <arm_neon.h>

typedef float32x4_t vf;
typedef int32_t vi __attribute__((vector_size(16)));
#define VL 4
#define TILE_ROWS 8
#define LANES ((vi){0, 1, 2, 3})
#define SET1(x) vdupq_n_f32(x)
#define ST(p, v) vst1q_f32(p, v)
#define FMA(a, b, c) vfmaq_f32(c, a, b)
#define REDUCE(v) vaddvq_f32(v)
#define L2_U8(q, x, n) squares_u8(q, x, n)
#define EACH static inline __attribute__((always_inline))

// Bytes first: rows of a matrix in a file need not be aligned to their elements.
EACH vf LD_F32(const void *p) { return vreinterpretq_f32_u8(vld1q_u8(p)); }

EACH vf LD_F16(const void *p) { return vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(p))); }

EACH vf LDT_F32(const void *p, size_t n) {
    float rest[4] = {0};
    __builtin_memcpy(rest, p, 4 * n);
    return LD_F32(rest);
}

EACH vf LDT_F16(const void *p, size_t n) {
    uint16_t rest[4] = {0};
    __builtin_memcpy(rest, p, 2 * n);
    return LD_F16(rest);
}

EACH vf LDT_U8(const void *p, size_t n) {
    uint32_t rest = 0;
    __builtin_memcpy(&rest, p, n);
    return vcvtq_f32_u32(vmovl_u16(vget_low_u16(vmovl_u8(vcreate_u8(rest)))));
}

EACH vf LD_U8(const void *p) { return LDT_U8(p, 4); }

// Blocks keep the 32-bit lanes far below their limit.
EACH uint64_t squares_u8(const uint8_t *q, const uint8_t *x, size_t n) {
    uint64_t total = 0;
    size_t j = 0;
    while (j + 16 <= n) {
        size_t end = n - j < 65536 ? n : j + 65536;
        uint32x4_t sum = vdupq_n_u32(0);
        for (; j + 16 <= end; j += 16) {
            uint8x16_t d = vabdq_u8(vld1q_u8(q + j), vld1q_u8(x + j));
            sum = vpadalq_u16(sum, vmull_u8(vget_low_u8(d), vget_low_u8(d)));
            sum = vpadalq_u16(sum, vmull_high_u8(d, d));
        }
        total += vaddlvq_u32(sum);
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
    for (; j + 4 <= count; j += 4)
        vst1_u8((uint8_t *)halves + 2 * j, vreinterpret_u8_f16(vcvt_f16_f32(LD_F32(values + j))));
    lk_scalar_narrow_f32(values + j, count - j, (char *)halves + 2 * j);
}

static size_t pq_filter4(const uint8_t *codes, size_t stride, size_t count, size_t m, const uint8_t *table, float delta,
                         float offset, const float *bias, float limit, uint32_t *out) {
    uint8x16_t nibble = vdupq_n_u8(15);
    size_t r = 0, found = 0;
    for (; r + 16 <= count; r += 16) {
        uint16x8_t low = vdupq_n_u16(0), high = low;
        for (size_t i = 0; i < m; i += 2) {
            uint8x16_t c = vld1q_u8(codes + (i / 2) * stride + r);
            uint8x16_t v = vqtbl1q_u8(vld1q_u8(table + i * 16), vandq_u8(c, nibble));
            low = vqaddq_u16(low, vmovl_u8(vget_low_u8(v)));
            high = vqaddq_u16(high, vmovl_high_u8(v));
            if (i + 1 == m) break;
            v = vqtbl1q_u8(vld1q_u8(table + i * 16 + 16), vshrq_n_u8(c, 4));
            low = vqaddq_u16(low, vmovl_u8(vget_low_u8(v)));
            high = vqaddq_u16(high, vmovl_high_u8(v));
        }
        uint16_t sums[16];
        vst1q_u16(sums, low);
        vst1q_u16(sums + 8, high);
        for (size_t l = 0; l < 16; l++) {
            float scaled = delta * (float)sums[l];
            float bound = (offset + (bias ? bias[r + l] : 0)) + scaled;
            if (bound <= limit) out[found++] = (uint32_t)(r + l);
        }
    }
    size_t rest = lk_scalar_pq_filter4(codes + r, stride, count - r, m, table, delta, offset, bias ? bias + r : NULL, limit,
                                       out + found);
    for (size_t i = 0; i < rest; i++) out[found + i] += (uint32_t)r;
    return found + rest;
}

const lk_table lk_table_neon = {
    DISTANCE_MEMBERS,
    .narrow_f32 = narrow_f32,
    .pq_scan8 = lk_scalar_pq_scan8,
    .pq_scan4 = lk_scalar_pq_scan4,
    .pq_filter8 = lk_scalar_pq_filter8,
    .pq_filter4 = pq_filter4,
    .select_at_most = lk_scalar_select_at_most,
    .fast_filter8 = false,
};
#endif
