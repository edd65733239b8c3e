#ifndef LANCER_CHECKSUM_H
#define LANCER_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/// Ways to compute a CRC-32C, slowest first. All give the same answer.
enum lancer_crc32c_way {
    LANCER_CRC32C_TABLES = 0,
    /// The processor's CRC instruction on three runs of bytes at a time (SSE4.2, ARMv8).
    LANCER_CRC32C_INSTRUCTION = 1,
    /// Carry-less multiplication of 64 bytes at a time (AVX-512).
    LANCER_CRC32C_FOLDING = 2,
};

/// The fastest way that this processor can go.
int lancer_crc32c_best_way(void);

/// CRC-32C (Castagnoli) of `size` bytes, going on from `crc`; begin with 0. Takes the fastest way.
uint32_t lancer_crc32c(uint32_t crc, const void *bytes, size_t size);

/// The same in the given way, or a slower one when the processor cannot go it. For tests.
uint32_t lancer_crc32c_in_way(int way, uint32_t crc, const void *bytes, size_t size);

#endif
