#ifndef LANCER_KERNELS_H
#define LANCER_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Distances and scans in vector instructions, chosen at run time. Pointers need no alignment; `stride` is the number of bytes
// from one row to the next. The library checks no length: its Swift callers do.
//
// Rounding. Sums of floats are formed in another order on each level, so results differ in the last digits (relative to the sum
// of the terms' magnitudes: at most dimension / 2^24). On one level a row's result depends on query and row only, never on the
// row's place among others. Integer sums, `lk_pq_*`, and the conversions give the same bits on every level (NaN payloads aside).

/// Instruction sets that code exists for.
typedef enum {
    LK_LEVEL_SCALAR = 0,
    LK_LEVEL_NEON = 1,
    LK_LEVEL_AVX2 = 2,
    LK_LEVEL_AVX512 = 3,
} lk_level;

/// The level in use. At first the best one this processor has, or the one that the environment variable LANCER_SIMD names
/// (scalar, neon, avx2, avx512) if the processor has it.
lk_level lk_current_level(void);
/// Uses another level from now on in the calling thread. Returns false, changing nothing, if the processor lacks it.
bool lk_use_level(lk_level level);
/// Whether `lk_pq_filter8` is faster than `lk_pq_scan8` on the level in use.
bool lk_has_fast_filter8(void);

// One query against `count` rows of `dimension` elements: squared Euclidean distance, inner product, and cosine distance
// 1 - q·x / (query_norm · |x|), NaN where a norm is 0. Rows are float, IEEE half, or unsigned bytes.
void lk_l2_f32(const float *query, const void *rows, size_t stride, size_t count, size_t dimension, float *out);
void lk_dot_f32(const float *query, const void *rows, size_t stride, size_t count, size_t dimension, float *out);
void lk_cosine_f32(const float *query, float query_norm, const void *rows, size_t stride, size_t count, size_t dimension,
                   float *out);
void lk_l2_f16(const float *query, const void *rows, size_t stride, size_t count, size_t dimension, float *out);
void lk_dot_f16(const float *query, const void *rows, size_t stride, size_t count, size_t dimension, float *out);
void lk_cosine_f16(const float *query, float query_norm, const void *rows, size_t stride, size_t count, size_t dimension,
                   float *out);
/// Float query and byte rows: the inner product of scalar quantisation.
void lk_dot_u8(const float *query, const void *rows, size_t stride, size_t count, size_t dimension, float *out);
/// Byte query and byte rows: the exact sum of squared differences, rounded to float once.
void lk_l2_u8(const uint8_t *query, const void *rows, size_t stride, size_t count, size_t dimension, float *out);

// The same for rows `ids[0..<count]` of a matrix; later rows are fetched while earlier ones are worked on.
void lk_gather_l2_f32(const float *query, const void *rows, size_t stride, const uint32_t *ids, size_t count, size_t dimension,
                      float *out);
void lk_gather_dot_f32(const float *query, const void *rows, size_t stride, const uint32_t *ids, size_t count,
                       size_t dimension, float *out);
void lk_gather_l2_f16(const float *query, const void *rows, size_t stride, const uint32_t *ids, size_t count, size_t dimension,
                      float *out);
void lk_gather_dot_f16(const float *query, const void *rows, size_t stride, const uint32_t *ids, size_t count,
                       size_t dimension, float *out);
void lk_gather_dot_u8(const float *query, const void *rows, size_t stride, const uint32_t *ids, size_t count,
                      size_t dimension, float *out);
void lk_gather_l2_u8(const uint8_t *query, const void *rows, size_t stride, const uint32_t *ids, size_t count,
                     size_t dimension, float *out);

/// Halves to floats.
void lk_widen_f16(const void *halves, size_t count, float *out);
/// Floats to the nearest halves, ties to even.
void lk_narrow_f32(const float *values, size_t count, void *halves);
/// out[i] += row[i].
void lk_add_f32(float *out, const void *row, size_t count);

/// Columns of centroids in one panel of `lk_assign_f32`.
#define LK_PANEL 32
/// The nearest of k centroids for each of `count` float rows.
///
/// `packed` holds ceil(k / LK_PANEL) panels of [dimension][LK_PANEL] floats, `bias` one number per column, infinity for the
/// columns beyond k. A row's score is the least bias[c] - row·centroid[c]; with bias = |c|²/2 the distance² is
/// |row|² + 2·score. Ties go to the lower c. Rows without a score below infinity get index UINT32_MAX and score infinity.
void lk_assign_f32(const void *rows, size_t stride, size_t count, const float *packed, const float *bias, size_t k,
                   size_t dimension, uint32_t *index, float *score);

// Product quantisation. `transposed` is the codebook as [sub-vectors][sub-dimension][codewords]; tables are
// [sub-vectors][codewords] floats.
void lk_pq_table_l2(const float *query, const float *transposed, size_t subvectors, size_t codewords, size_t subdimension,
                    float *table);
void lk_pq_table_dot(const float *query, const float *transposed, size_t subvectors, size_t codewords, size_t subdimension,
                     float *table);
/// out[i] = a[i] + scale · b[i]
void lk_axpy(float *out, const float *a, float scale, const float *b, size_t count);

/// Distances of `count` rows: out[r] = sum over i of table[i][code i of row r], plus (base + bias[r]).
///
/// Code i of row r is codes[i * stride + r] (8 bits), or of 4 bits: codes[(i / 2) * stride + r], low nibble for even i.
/// `bias` may be NULL. The sum runs over i in order, on every level.
void lk_pq_scan8(const uint8_t *codes, size_t stride, size_t count, size_t subvectors, const float *table, float base,
                 const float *bias, float *out);
void lk_pq_scan4(const uint8_t *codes, size_t stride, size_t count, size_t subvectors, const float *table, float base,
                 const float *bias, float *out);
/// Rows that may be near: writes the r (ascending) whose offset + bias[r] + delta · (sum of table bytes, at most 65535) is at
/// most `limit`, and returns how many. `out` has room for count + 64 numbers. `table` is [sub-vectors][256 or 16] bytes.
size_t lk_pq_filter8(const uint8_t *codes, size_t stride, size_t count, size_t subvectors, const uint8_t *table, float delta,
                     float offset, const float *bias, float limit, uint32_t *out);
size_t lk_pq_filter4(const uint8_t *codes, size_t stride, size_t count, size_t subvectors, const uint8_t *table, float delta,
                     float offset, const float *bias, float limit, uint32_t *out);
/// Least and greatest number of each row of a table of m rows; NaN is passed over unless it stands first.
void lk_row_bounds(const float *table, size_t m, size_t codewords, float *least, float *greatest);
/// out = min(255, floor((table - least of its row) · scale)); the bytes that lk_pq_filter wants. NaN gives 255.
void lk_pq_quantize(const float *table, size_t m, size_t codewords, const float *least, float scale, uint8_t *out);
/// As lk_pq_scan8 for chosen rows: out[j] is the distance of row ids[j].
void lk_pq_chosen8(const uint8_t *codes, size_t stride, const uint32_t *ids, size_t count, size_t subvectors,
                   const float *table, float base, const float *bias, float *out);
void lk_pq_chosen4(const uint8_t *codes, size_t stride, const uint32_t *ids, size_t count, size_t subvectors,
                   const float *table, float base, const float *bias, float *out);
/// The squared distance of a vector of m · d numbers from the codewords that a row's codes name, each sub-vector summed in
/// order, and their sums in order. Code i is codes[i * step]; the codebook is [m][256][d].
float lk_pq_distance8(const uint8_t *codes, size_t step, size_t m, size_t d, const float *codebook, const float *vector);
/// Row-major 8-bit codes of chosen rows (graphs): out[j] = base + sum over i of table[i][codes[ids[j] * subvectors + i]].
void lk_pq_gather8(const uint8_t *codes, const uint32_t *ids, size_t count, size_t subvectors, const float *table, float base,
                   float *out);

/// Writes the positions i (ascending) with values[i] <= limit and returns how many; `out` has room for count + 16 numbers.
size_t lk_select_at_most(const float *values, size_t count, float limit, uint32_t *out);
/// Asks for memory that will be read soon.
void lk_prefetch(const void *address);
/// The same for `count` bytes, 32 KiB at most: more would push out what is in use.
void lk_prefetch_bytes(const void *address, size_t count);

#endif
