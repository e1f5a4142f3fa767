/* Which instruction sets this processor and operating system offer, asked once when a module is loaded.
 *
 * A level is a promise about what a kernel may use:
 *   BASELINE  what every processor of the architecture has (SSE2 on x86-64)
 *   AVX2      AVX2 and FMA
 *   AVX512    AVX-512 F, BW, DQ and VL
 *   NEON      arm64: NEON with fused multiply-add
 * The operating system must also save the wide registers: XCR0 says so (Intel SDM vol. 1, 14.3 and 15.2).
 */
#ifndef ASRPROTO_CPU_H
#define ASRPROTO_CPU_H

#include <stdint.h>

#if defined(__x86_64__) || defined(_M_X64)
#  define ASRPROTO_X86 1
#elif defined(__aarch64__) || defined(_M_ARM64)
#  define ASRPROTO_ARM64 1
#endif

enum {
    ASRPROTO_BASELINE = 0,
    ASRPROTO_AVX2 = 1,
    ASRPROTO_AVX512 = 2,
    ASRPROTO_NEON = 3
};

/* Feature bits beside the levels. */
enum {
    ASRPROTO_HAS_PCLMUL = 1 << 0,   /* PCLMULQDQ and SSE4.1 */
    ASRPROTO_HAS_AVX2 = 1 << 1,     /* AVX2, FMA */
    ASRPROTO_HAS_AVX512 = 1 << 2,   /* AVX-512 F, BW, DQ, VL */
    ASRPROTO_HAS_VPCLMUL = 1 << 3,  /* VPCLMULQDQ, with AVX512 above */
    ASRPROTO_HAS_NEON = 1 << 4,
    ASRPROTO_HAS_ARM_CRC = 1 << 5   /* the ARMv8 CRC32 instructions */
};

#if defined(ASRPROTO_X86)

#if defined(_MSC_VER)
#  include <intrin.h>
#  include <string.h>
static inline void asrproto_cpuid(uint32_t leaf, uint32_t sub, uint32_t r[4]) {
    int out[4];
    __cpuid(out, 0);
    if ((uint32_t)out[0] < leaf) memset(out, 0, sizeof out); /* beyond the last leaf it would repeat that one */
    else __cpuidex(out, (int)leaf, (int)sub);
    for (int i = 0; i < 4; i++) r[i] = (uint32_t)out[i];
}
static inline uint64_t asrproto_xcr0(void) { return _xgetbv(0); }
#else
#  include <cpuid.h>
static inline void asrproto_cpuid(uint32_t leaf, uint32_t sub, uint32_t r[4]) {
    r[0] = r[1] = r[2] = r[3] = 0;
    __get_cpuid_count(leaf, sub, &r[0], &r[1], &r[2], &r[3]);
}
static inline uint64_t asrproto_xcr0(void) {
    uint32_t low, high;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return ((uint64_t)high << 32) | low;
}
#endif

static inline int asrproto_cpu_features(void) {
    uint32_t one[4], seven[4];
    int features = 0;
    asrproto_cpuid(1, 0, one);
    asrproto_cpuid(7, 0, seven);
    const uint32_t ecx1 = one[2], ebx7 = seven[1], ecx7 = seven[2];

    if ((ecx1 >> 1 & 1) && (ecx1 >> 19 & 1)) features |= ASRPROTO_HAS_PCLMUL;
    if (!(ecx1 >> 27 & 1)) return features; /* no OSXSAVE: wide registers are not saved */
    const uint64_t saved = asrproto_xcr0();
    if ((saved & 0x06) == 0x06 && (ecx1 >> 28 & 1) && (ecx1 >> 12 & 1) && (ebx7 >> 5 & 1)) {
        features |= ASRPROTO_HAS_AVX2;
        const uint32_t wanted = 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31; /* F, DQ, BW, VL */
        if ((saved & 0xe6) == 0xe6 && (ebx7 & wanted) == wanted) {
            features |= ASRPROTO_HAS_AVX512;
            if (ecx7 >> 10 & 1) features |= ASRPROTO_HAS_VPCLMUL;
        }
    }
    return features;
}

#elif defined(ASRPROTO_ARM64)

#if defined(__linux__)
#  include <sys/auxv.h>
#endif

static inline int asrproto_cpu_features(void) {
    int features = ASRPROTO_HAS_NEON;
#if defined(__APPLE__) || defined(_M_ARM64) || defined(__ARM_FEATURE_CRC32)
    features |= ASRPROTO_HAS_ARM_CRC;
#elif defined(__linux__)
    if (getauxval(AT_HWCAP) & (1ul << 7)) features |= ASRPROTO_HAS_ARM_CRC; /* HWCAP_CRC32 */
#endif
    return features;
}

#else

static inline int asrproto_cpu_features(void) { return 0; }

#endif

/* Whether a processor with these features can run code written for `level`. */
static inline int asrproto_level_runs(int level, int features) {
    switch (level) {
    case ASRPROTO_BASELINE: return 1;
    case ASRPROTO_AVX2: return (features & ASRPROTO_HAS_AVX2) != 0;
    case ASRPROTO_AVX512: return (features & ASRPROTO_HAS_AVX512) != 0;
    case ASRPROTO_NEON: return (features & ASRPROTO_HAS_NEON) != 0;
    default: return 0;
    }
}

#endif
