// Plain C: for processors without the instruction sets we know, and for what is not worth writing four times.
#pragma STDC FP_CONTRACT OFF
#include "table.h"

#include <math.h>
#include <string.h>

#define FETCH_AHEAD 2

static inline float load_f32(const void *at) {
    float value;
    memcpy(&value, at, 4);
    return value;
}

static inline float load_f16(const void *at) {
    uint16_t half;
    memcpy(&half, at, 2);
    uint32_t sign = (uint32_t)(half & 0x8000) << 16, exponent = half >> 10 & 31, fraction = half & 1023, bits;
    if (exponent == 31) {
        // A NaN comes out quiet, as from the processors' instructions.
        bits = sign | 0x7F800000 | fraction << 13 | (fraction ? 0x400000 : 0);
    } else if (exponent) {
        bits = sign | (exponent + 112) << 23 | fraction << 13;
    } else {
        float small = (float)fraction * 0x1p-24f;
        memcpy(&bits, &small, 4);
        bits |= sign;
    }
    float value;
    memcpy(&value, &bits, 4);
    return value;
}

static inline float load_u8(const void *at) { return *(const uint8_t *)at; }

// IEEE 754 rounding to binary16: to nearest, ties to even.
static uint16_t narrow(float value) {
    uint32_t bits;
    memcpy(&bits, &value, 4);
    uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
    uint32_t magnitude = bits & 0x7FFFFFFF;
    if (magnitude > 0x7F800000) return sign | 0x7E00 | (uint16_t)(magnitude >> 13 & 1023);
    if (magnitude >= 0x477FF000) return sign | 0x7C00;
    if (magnitude < 0x38800000) {
        // Subnormal: adding 0.5 leaves the rounded multiple of 2^-24 in the last bits of the sum.
        float moved;
        memcpy(&moved, &magnitude, 4);
        moved += 0.5f;
        memcpy(&magnitude, &moved, 4);
        return sign | (uint16_t)(magnitude - 0x3F000000);
    }
    magnitude += 0xC8000FFF + (magnitude >> 13 & 1);
    return sign | (uint16_t)(magnitude >> 13);
}

void lk_scalar_narrow_f32(const float *values, size_t count, void *halves) {
    for (size_t i = 0; i < count; i++) {
        uint16_t half = narrow(load_f32(values + i));
        memcpy((char *)halves + 2 * i, &half, 2);
    }
}

static void widen_f16(const void *halves, size_t count, float *out) {
    for (size_t i = 0; i < count; i++) out[i] = load_f16((const char *)halves + 2 * i);
}

static void add_f32(float *out, const void *row, size_t count) {
    for (size_t i = 0; i < count; i++) out[i] += load_f32((const char *)row + 4 * i);
}

// Eight partial sums: the error of a long sum stays small, and the compiler may use what vectors the base has.
#define DEFINE_ROWS(NAME, SIZE, LOAD, TERM)                                                                            \
    static inline float NAME##_one(const float *q, const char *x, size_t n) {                                          \
        float sums[8] = {0};                                                                                           \
        size_t j = 0;                                                                                                  \
        for (; j + 8 <= n; j += 8)                                                                                     \
            for (size_t l = 0; l < 8; l++) {                                                                           \
                float a = load_f32(q + j + l), b = LOAD(x + (j + l) * SIZE);                                           \
                sums[l] += TERM;                                                                                       \
            }                                                                                                          \
        for (; j < n; j++) {                                                                                           \
            float a = load_f32(q + j), b = LOAD(x + j * SIZE);                                                         \
            sums[0] += TERM;                                                                                           \
        }                                                                                                              \
        return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));              \
    }                                                                                                                  \
    static void NAME(const float *q, const void *rows, size_t stride, size_t count, size_t n, float *out) {            \
        for (size_t r = 0; r < count; r++) out[r] = NAME##_one(q, (const char *)rows + r * stride, n);                 \
    }                                                                                                                  \
    static void gather_##NAME(const float *q, const void *rows, size_t stride, const uint32_t *ids, size_t count,      \
                              size_t n, float *out) {                                                                  \
        for (size_t r = 0; r < count; r++) {                                                                           \
            if (r + FETCH_AHEAD < count)                                                                               \
                __builtin_prefetch((const char *)rows + (size_t)ids[r + FETCH_AHEAD] * stride);                        \
            out[r] = NAME##_one(q, (const char *)rows + (size_t)ids[r] * stride, n);                                   \
        }                                                                                                              \
    }
DEFINE_ROWS(l2_f32, 4, load_f32, (a - b) * (a - b))
DEFINE_ROWS(dot_f32, 4, load_f32, a *b)
DEFINE_ROWS(l2_f16, 2, load_f16, (a - b) * (a - b))
DEFINE_ROWS(dot_f16, 2, load_f16, a *b)
DEFINE_ROWS(dot_u8, 1, load_u8, a *b)

#define DEFINE_COSINE(NAME, DOT, SIZE, LOAD)                                                                           \
    static void NAME(const float *q, float norm, const void *rows, size_t stride, size_t count, size_t n,              \
                     float *out) {                                                                                     \
        for (size_t r = 0; r < count; r++) {                                                                           \
            const char *x = (const char *)rows + r * stride;                                                           \
            float square = 0;                                                                                          \
            for (size_t j = 0; j < n; j++) square += LOAD(x + j * SIZE) * LOAD(x + j * SIZE);                          \
            out[r] = 1 - DOT##_one(q, x, n) / (norm * sqrtf(square));                                                  \
        }                                                                                                              \
    }
DEFINE_COSINE(cosine_f32, dot_f32, 4, load_f32)
DEFINE_COSINE(cosine_f16, dot_f16, 2, load_f16)

static inline float l2_u8_one(const uint8_t *q, const uint8_t *x, size_t n) {
    uint64_t sum = 0;
    for (size_t j = 0; j < n; j++) {
        int32_t difference = (int32_t)q[j] - x[j];
        sum += (uint32_t)(difference * difference);
    }
    return (float)sum;
}

static void l2_u8(const uint8_t *q, const void *rows, size_t stride, size_t count, size_t n, float *out) {
    for (size_t r = 0; r < count; r++) out[r] = l2_u8_one(q, (const uint8_t *)rows + r * stride, n);
}

static void gather_l2_u8(const uint8_t *q, const void *rows, size_t stride, const uint32_t *ids, size_t count, size_t n,
                         float *out) {
    for (size_t r = 0; r < count; r++) out[r] = l2_u8_one(q, (const uint8_t *)rows + (size_t)ids[r] * stride, n);
}

static void assign_f32(const void *rows, size_t stride, size_t count, const float *packed, const float *bias, size_t k,
                       size_t n, uint32_t *index, float *score) {
    for (size_t r = 0; r < count; r++) {
        const char *x = (const char *)rows + r * stride;
        float best = INFINITY;
        uint32_t found = UINT32_MAX;
        for (size_t p = 0; p < k; p += LK_PANEL) {
            const float *panel = packed + p * n;
            float sums[LK_PANEL] = {0};
            for (size_t j = 0; j < n; j++) {
                float a = load_f32(x + 4 * j);
                for (size_t l = 0; l < LK_PANEL; l++) sums[l] += a * panel[j * LK_PANEL + l];
            }
            for (size_t l = 0; l < LK_PANEL; l++) {
                float s = bias[p + l] - sums[l];
                if (s < best) {
                    best = s;
                    found = (uint32_t)(p + l);
                }
            }
        }
        index[r] = found;
        score[r] = best;
    }
}

static void pq_table_l2(const float *q, const float *transposed, size_t m, size_t codewords, size_t d, float *out) {
    for (size_t i = 0; i < m; i++, q += d, transposed += d * codewords, out += codewords)
        for (size_t c = 0; c < codewords; c++) {
            float sum = 0;
            for (size_t j = 0; j < d; j++) sum += (q[j] - transposed[j * codewords + c]) * (q[j] - transposed[j * codewords + c]);
            out[c] = sum;
        }
}

static void pq_table_dot(const float *q, const float *transposed, size_t m, size_t codewords, size_t d, float *out) {
    for (size_t i = 0; i < m; i++, q += d, transposed += d * codewords, out += codewords)
        for (size_t c = 0; c < codewords; c++) {
            float sum = 0;
            for (size_t j = 0; j < d; j++) sum += q[j] * transposed[j * codewords + c];
            out[c] = sum;
        }
}

static void axpy(float *out, const float *a, float scale, const float *b, size_t count) {
    for (size_t i = 0; i < count; i++) out[i] = a[i] + scale * b[i];
}

static void row_bounds(const float *table, size_t m, size_t codewords, float *least, float *greatest) {
    for (size_t i = 0; i < m; i++, table += codewords) {
        float low = table[0], high = table[0];
        for (size_t c = 1; c < codewords; c++) {
            if (table[c] < low) low = table[c];
            if (table[c] > high) high = table[c];
        }
        least[i] = low;
        greatest[i] = high;
    }
}

static void pq_quantize(const float *table, size_t m, size_t codewords, const float *least, float scale, uint8_t *out) {
    for (size_t i = 0; i < m; i++, table += codewords, out += codewords)
        for (size_t c = 0; c < codewords; c++) {
            float value = (table[c] - least[i]) * scale;
            out[c] = value < 255 ? (uint8_t)value : 255;
        }
}

static inline uint8_t code4(const uint8_t *codes, size_t stride, size_t i, size_t r) {
    uint8_t byte = codes[(i / 2) * stride + r];
    return i % 2 ? byte >> 4 : byte & 15;
}

static inline float sum8(const uint8_t *codes, size_t stride, size_t r, size_t m, const float *table) {
    float sum = 0;
    for (size_t i = 0; i < m; i++) sum += table[i * 256 + codes[i * stride + r]];
    return sum;
}

static inline float sum4(const uint8_t *codes, size_t stride, size_t r, size_t m, const float *table) {
    float sum = 0;
    for (size_t i = 0; i < m; i++) sum += table[i * 16 + code4(codes, stride, i, r)];
    return sum;
}

#define DEFINE_PQ(BITS)                                                                                                \
    void lk_pq_chosen##BITS(const uint8_t *codes, size_t stride, const uint32_t *ids, size_t count, size_t m,          \
                            const float *table, float base, const float *bias, float *out) {                           \
        for (size_t j = 0; j < count; j++)                                                                             \
            out[j] = sum##BITS(codes, stride, ids[j], m, table) + (base + (bias ? bias[ids[j]] : 0));                  \
    }
DEFINE_PQ(8)
DEFINE_PQ(4)

// Eight rows at a time: their chains of additions are independent, and one load brings their codes. Gathers are slower.
void lk_scalar_pq_scan8(const uint8_t *codes, size_t stride, size_t count, size_t m, const float *table, float base,
                        const float *bias, float *out) {
    size_t r = 0;
    for (; r + 8 <= count; r += 8) {
        float s0 = 0, s1 = 0, s2 = 0, s3 = 0, s4 = 0, s5 = 0, s6 = 0, s7 = 0;
        const float *row = table;
        for (size_t i = 0; i < m; i++, row += 256) {
            const uint8_t *c = codes + i * stride + r;
            s0 += row[c[0]];
            s1 += row[c[1]];
            s2 += row[c[2]];
            s3 += row[c[3]];
            s4 += row[c[4]];
            s5 += row[c[5]];
            s6 += row[c[6]];
            s7 += row[c[7]];
        }
        float sums[8] = {s0, s1, s2, s3, s4, s5, s6, s7};
        for (size_t l = 0; l < 8; l++) out[r + l] = sums[l] + (base + (bias ? bias[r + l] : 0));
    }
    for (; r < count; r++) out[r] = sum8(codes, stride, r, m, table) + (base + (bias ? bias[r] : 0));
}

// Four sub-vectors at a time, for the same reason; before them all codewords are asked for, which lie anywhere.
float lk_pq_distance8(const uint8_t *codes, size_t step, size_t m, size_t d, const float *codebook, const float *vector) {
    for (size_t i = 0; i < m; i++) __builtin_prefetch(codebook + (i * 256 + codes[i * step]) * d);
    float sum = 0;
    size_t i = 0;
    for (; i + 4 <= m; i += 4, vector += 4 * d) {
        const float *w0 = codebook + (i * 256 + codes[i * step]) * d;
        const float *w1 = codebook + ((i + 1) * 256 + codes[(i + 1) * step]) * d;
        const float *w2 = codebook + ((i + 2) * 256 + codes[(i + 2) * step]) * d;
        const float *w3 = codebook + ((i + 3) * 256 + codes[(i + 3) * step]) * d;
        float s0 = 0, s1 = 0, s2 = 0, s3 = 0;
        for (size_t j = 0; j < d; j++) {
            float d0 = vector[j] - w0[j], d1 = vector[d + j] - w1[j];
            float d2 = vector[2 * d + j] - w2[j], d3 = vector[3 * d + j] - w3[j];
            s0 += d0 * d0;
            s1 += d1 * d1;
            s2 += d2 * d2;
            s3 += d3 * d3;
        }
        sum += s0;
        sum += s1;
        sum += s2;
        sum += s3;
    }
    for (; i < m; i++, vector += d) {
        const float *word = codebook + (i * 256 + codes[i * step]) * d;
        float own = 0;
        for (size_t j = 0; j < d; j++) own += (vector[j] - word[j]) * (vector[j] - word[j]);
        sum += own;
    }
    return sum;
}

void lk_scalar_pq_scan4(const uint8_t *codes, size_t stride, size_t count, size_t m, const float *table, float base,
                        const float *bias, float *out) {
    for (size_t r = 0; r < count; r++) out[r] = sum4(codes, stride, r, m, table) + (base + (bias ? bias[r] : 0));
}

#define FILTER_BODY(LOOKUP)                                                                                            \
    size_t found = 0;                                                                                                  \
    for (size_t r = 0; r < count; r++) {                                                                               \
        uint32_t sum = 0;                                                                                              \
        for (size_t i = 0; i < m; i++) sum += LOOKUP;                                                                  \
        float scaled = delta * (float)(sum < 65535 ? sum : 65535);                                                     \
        float bound = (offset + (bias ? bias[r] : 0)) + scaled;                                                        \
        if (bound <= limit) out[found++] = (uint32_t)r;                                                                \
    }                                                                                                                  \
    return found;

size_t lk_scalar_pq_filter8(const uint8_t *codes, size_t stride, size_t count, size_t m, const uint8_t *table, float delta,
                            float offset, const float *bias, float limit, uint32_t *out) {
    FILTER_BODY(table[i * 256 + codes[i * stride + r]])
}

size_t lk_scalar_pq_filter4(const uint8_t *codes, size_t stride, size_t count, size_t m, const uint8_t *table, float delta,
                            float offset, const float *bias, float limit, uint32_t *out) {
    FILTER_BODY(table[i * 16 + code4(codes, stride, i, r)])
}

// Four rows at a time: their chains of additions are independent. Each row is still summed in order.
void lk_pq_gather8(const uint8_t *codes, const uint32_t *ids, size_t count, size_t m, const float *table, float base,
                   float *out) {
    size_t j = 0;
    for (; j + 4 <= count; j += 4) {
        const uint8_t *a = codes + (size_t)ids[j] * m, *b = codes + (size_t)ids[j + 1] * m;
        const uint8_t *c = codes + (size_t)ids[j + 2] * m, *d = codes + (size_t)ids[j + 3] * m;
        for (size_t ahead = j + 4; ahead < j + 8 && ahead < count; ahead++)
            __builtin_prefetch(codes + (size_t)ids[ahead] * m);
        float sa = 0, sb = 0, sc = 0, sd = 0;
        for (size_t i = 0; i < m; i++) {
            const float *row = table + i * 256;
            sa += row[a[i]];
            sb += row[b[i]];
            sc += row[c[i]];
            sd += row[d[i]];
        }
        out[j] = sa + base;
        out[j + 1] = sb + base;
        out[j + 2] = sc + base;
        out[j + 3] = sd + base;
    }
    for (; j < count; j++) {
        const uint8_t *a = codes + (size_t)ids[j] * m;
        float sum = 0;
        for (size_t i = 0; i < m; i++) sum += table[i * 256 + a[i]];
        out[j] = sum + base;
    }
}

size_t lk_scalar_select_at_most(const float *values, size_t count, float limit, uint32_t *out) {
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        out[found] = (uint32_t)i;
        found += values[i] <= limit;
    }
    return found;
}

const lk_table lk_table_scalar = {
    .l2_f32 = l2_f32,
    .dot_f32 = dot_f32,
    .l2_f16 = l2_f16,
    .dot_f16 = dot_f16,
    .dot_u8 = dot_u8,
    .cosine_f32 = cosine_f32,
    .cosine_f16 = cosine_f16,
    .gather_l2_f32 = gather_l2_f32,
    .gather_dot_f32 = gather_dot_f32,
    .gather_l2_f16 = gather_l2_f16,
    .gather_dot_f16 = gather_dot_f16,
    .gather_dot_u8 = gather_dot_u8,
    .l2_u8 = l2_u8,
    .gather_l2_u8 = gather_l2_u8,
    .widen_f16 = widen_f16,
    .narrow_f32 = lk_scalar_narrow_f32,
    .add_f32 = add_f32,
    .assign_f32 = assign_f32,
    .pq_table_l2 = pq_table_l2,
    .pq_table_dot = pq_table_dot,
    .axpy = axpy,
    .row_bounds = row_bounds,
    .pq_quantize = pq_quantize,
    .pq_scan8 = lk_scalar_pq_scan8,
    .pq_scan4 = lk_scalar_pq_scan4,
    .pq_filter8 = lk_scalar_pq_filter8,
    .pq_filter4 = lk_scalar_pq_filter4,
    .select_at_most = lk_scalar_select_at_most,
    .fast_filter8 = false,
};
