// CRC-32C: the polynomial 0x1EDC6F41, bits reflected, state inverted before and after (RFC 3720, appendix B.4).
//
// Below, x^n stands for the remainder of x^n divided by the polynomial, with the bits reflected: bit 31 is x^0.
#include "CChecksum.h"

#include <stdbool.h>
#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__)
#define LANCER_X86 1
#include <immintrin.h>
#elif defined(__aarch64__) && defined(__clang__) && (defined(__APPLE__) || defined(__linux__))
#define LANCER_ARM 1
#ifdef __linux__
#include <sys/auxv.h>
#endif
#endif

static const uint32_t polynomial = 0x82F63B78;

// --- Tables: eight bytes a step. ---

static uint32_t tables[8][256];

__attribute__((constructor)) static void make_tables(void) {
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t state = byte;
        for (int bit = 0; bit < 8; bit++) state = (state >> 1) ^ ((state & 1) ? polynomial : 0);
        tables[0][byte] = state;
    }
    for (int table = 1; table < 8; table++) {
        for (int byte = 0; byte < 256; byte++) {
            uint32_t before = tables[table - 1][byte];
            tables[table][byte] = (before >> 8) ^ tables[0][before & 0xFF];
        }
    }
}

static uint32_t by_tables(uint32_t state, const uint8_t *bytes, size_t size) {
    for (; size >= 8; size -= 8, bytes += 8) {
        uint64_t word = 0;
        for (int index = 0; index < 8; index++) word |= (uint64_t)bytes[index] << (8 * index);
        word ^= state;
        state = tables[7][word & 0xFF] ^ tables[6][(word >> 8) & 0xFF] ^ tables[5][(word >> 16) & 0xFF]
            ^ tables[4][(word >> 24) & 0xFF] ^ tables[3][(word >> 32) & 0xFF] ^ tables[2][(word >> 40) & 0xFF]
            ^ tables[1][(word >> 48) & 0xFF] ^ tables[0][word >> 56];
    }
    for (; size > 0; size--, bytes++) state = (state >> 8) ^ tables[0][(state ^ *bytes) & 0xFF];
    return state;
}

// --- The CRC instruction: it can start every cycle but takes three, so three runs go side by side. ---

#if LANCER_X86 || LANCER_ARM

// Bytes of one run: a third of 64 KiB. The states of runs are joined by multiplying with x^(8 * bytes behind).
enum { run = 21840 };
static const uint32_t x_8_runs = 0xB060D9B5;  // x^(8 * run)
static const uint32_t x_16_runs = 0x81AD0BC7;  // x^(16 * run)

static uint32_t multiply(uint32_t left, uint32_t right) {
    uint32_t product = 0;
    for (int bit = 31; bit >= 0; bit--) {
        product ^= right & (0u - ((left >> bit) & 1));
        right = (right >> 1) ^ (polynomial & (0u - (right & 1)));
    }
    return product;
}

static inline uint64_t load(const uint8_t *bytes) {
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

#if LANCER_X86
#define CRC_TARGET __attribute__((target("sse4.2")))
#define CRC_8(state, word) ((uint32_t)_mm_crc32_u64((state), (word)))
#define CRC_1(state, byte) _mm_crc32_u8((state), (byte))
#else
#define CRC_TARGET __attribute__((target("crc")))
#define CRC_8(state, word) __builtin_arm_crc32cd((state), (word))
#define CRC_1(state, byte) __builtin_arm_crc32cb((state), (byte))
#endif

CRC_TARGET static uint32_t by_instruction(uint32_t state, const uint8_t *bytes, size_t size) {
    while (size >= 3 * run) {
        uint32_t second = 0, third = 0;
        for (size_t offset = 0; offset < run; offset += 8) {
            state = CRC_8(state, load(bytes + offset));
            second = CRC_8(second, load(bytes + run + offset));
            third = CRC_8(third, load(bytes + 2 * run + offset));
        }
        state = multiply(state, x_16_runs) ^ multiply(second, x_8_runs) ^ third;
        bytes += 3 * run;
        size -= 3 * run;
    }
    for (; size >= 8; size -= 8, bytes += 8) state = CRC_8(state, load(bytes));
    for (; size > 0; size--, bytes++) state = CRC_1(state, *bytes);
    return state;
}

#endif

// --- Folding: four times 64 bytes are moved 256 bytes on by multiplication and added to the bytes there. ---
//
// Lane halves a (first eight bytes) and b move D bits on as a * x^(D + 31) + b * x^(D - 33): a product of reflected
// numbers is one bit off, and the constants sit in the low half of their 64 bits. Gopal et al., "Fast CRC computation
// for generic polynomials using PCLMULQDQ instruction", Intel 2009.

#if LANCER_X86

#define FOLD_TARGET __attribute__((target("sse4.2,pclmul,avx512f,avx512vl,vpclmulqdq")))

FOLD_TARGET static inline __m512i fold(__m512i value, __m512i constants, __m512i next) {
    __m512i first = _mm512_clmulepi64_epi128(value, constants, 0x00);
    __m512i second = _mm512_clmulepi64_epi128(value, constants, 0x11);
    return _mm512_ternarylogic_epi64(first, second, next, 0x96);
}

FOLD_TARGET static inline __m128i fold_128(__m128i value, long long second, long long first, __m128i next) {
    __m128i constants = _mm_set_epi64x(second, first);
    __m128i product = _mm_xor_si128(
        _mm_clmulepi64_si128(value, constants, 0x00), _mm_clmulepi64_si128(value, constants, 0x11));
    return _mm_xor_si128(product, next);
}

FOLD_TARGET static uint32_t by_folding(uint32_t state, const uint8_t *bytes, size_t size) {
    if (size >= 512) {
        // D = 2048 and D = 512.
        const __m512i by_256 = _mm512_broadcast_i32x4(_mm_set_epi64x(0xB9E02B86, 0xDCB17AA4));
        const __m512i by_64 = _mm512_broadcast_i32x4(_mm_set_epi64x(0x9E4ADDF8, 0x740EEF02));
        __m512i a = _mm512_loadu_si512(bytes);
        __m512i b = _mm512_loadu_si512(bytes + 64);
        __m512i c = _mm512_loadu_si512(bytes + 128);
        __m512i d = _mm512_loadu_si512(bytes + 192);
        a = _mm512_xor_si512(a, _mm512_zextsi128_si512(_mm_cvtsi32_si128((int)state)));
        bytes += 256;
        size -= 256;
        for (; size >= 256; size -= 256, bytes += 256) {
            a = fold(a, by_256, _mm512_loadu_si512(bytes));
            b = fold(b, by_256, _mm512_loadu_si512(bytes + 64));
            c = fold(c, by_256, _mm512_loadu_si512(bytes + 128));
            d = fold(d, by_256, _mm512_loadu_si512(bytes + 192));
        }
        a = fold(a, by_64, b);
        a = fold(a, by_64, c);
        a = fold(a, by_64, d);
        // The four lanes become one: D = 128 each time.
        __m128i lane = _mm512_extracti32x4_epi32(a, 0);
        lane = fold_128(lane, 0x493C7D27, 0xF20C0DFE, _mm512_extracti32x4_epi32(a, 1));
        lane = fold_128(lane, 0x493C7D27, 0xF20C0DFE, _mm512_extracti32x4_epi32(a, 2));
        lane = fold_128(lane, 0x493C7D27, 0xF20C0DFE, _mm512_extracti32x4_epi32(a, 3));
        // These sixteen bytes stand for all before them.
        state = (uint32_t)_mm_crc32_u64(0, (uint64_t)_mm_extract_epi64(lane, 0));
        state = (uint32_t)_mm_crc32_u64(state, (uint64_t)_mm_extract_epi64(lane, 1));
    }
    return by_instruction(state, bytes, size);
}

#endif

// --- Choice ---

static int best_way = -1;

static int find_best_way(void) {
#if LANCER_X86
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("sse4.2")) return LANCER_CRC32C_TABLES;
    bool folds = __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("avx512f")
        && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("vpclmulqdq");
    return folds ? LANCER_CRC32C_FOLDING : LANCER_CRC32C_INSTRUCTION;
#elif LANCER_ARM && defined(__linux__)
    const unsigned long crc32_instructions = 1ul << 7;
    return (getauxval(AT_HWCAP) & crc32_instructions) ? LANCER_CRC32C_INSTRUCTION : LANCER_CRC32C_TABLES;
#elif LANCER_ARM
    return LANCER_CRC32C_INSTRUCTION;
#else
    return LANCER_CRC32C_TABLES;
#endif
}

__attribute__((constructor)) static void choose(void) { best_way = find_best_way(); }

int lancer_crc32c_best_way(void) { return best_way; }

uint32_t lancer_crc32c_in_way(int way, uint32_t crc, const void *bytes, size_t size) {
    if (way > best_way) way = best_way;
    if (size == 0) return crc;
#if LANCER_X86
    if (way >= LANCER_CRC32C_FOLDING) return ~by_folding(~crc, bytes, size);
#endif
#if LANCER_X86 || LANCER_ARM
    if (way >= LANCER_CRC32C_INSTRUCTION) return ~by_instruction(~crc, bytes, size);
#endif
    return ~by_tables(~crc, bytes, size);
}

uint32_t lancer_crc32c(uint32_t crc, const void *bytes, size_t size) {
    return lancer_crc32c_in_way(best_way, crc, bytes, size);
}
