import CLancerKernels

/// The instruction sets that kernels exist for, least first.
///
/// The best one that the processor has is used, unless the environment variable `LANCER_SIMD` names another it has too.
package enum SIMDLevel: UInt32, Sendable, CaseIterable {
    case scalar = 0
    case neon, avx2, avx512

    /// The level in use.
    package static var current: SIMDLevel { SIMDLevel(rawValue: lk_current_level().rawValue) ?? .scalar }

    /// Uses this level from now on in the calling thread; for tests and measurements.
    ///
    /// - Returns: false, changing nothing, if the processor lacks it.
    package func use() -> Bool { lk_use_level(lk_level(rawValue: rawValue)) }
}
