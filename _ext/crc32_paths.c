/* The paths of crc32.h.
 *
 * table    16 tables of 256 entries, 16 bytes a step ("slicing"; Kounavis and Berry, 2005)
 * pclmul   folding by carry-less multiplication (Gopal et al., "Fast CRC Computation for Generic Polynomials Using
 *          PCLMULQDQ Instruction", Intel 2009), four 128-bit registers
 * vpclmul  the same with four 512-bit registers
 * armcrc   the CRC32 instructions of ARMv8
 *
 * Folding: a block of 128 bits that stands D bits before the end of what has been read may be replaced by its product
 * with x^D mod P added to the last 128 bits. With reflected bits the multiplier of the earlier 64 bits is
 * x^(D+32) mod P, that of the later 64 bits x^(D-32) mod P, each reflected and shifted left by one.
 */
#include "crc32.h"
#include "cpu.h"

#include <string.h>

#define REFLECTED_POLYNOMIAL 0xedb88320u

/* TABLE[k][b]: the register after byte b followed by k zero bytes. Written while the module is imported, then only read. */
static uint32_t TABLE[16][256];

void asrproto_crc32_init(void) {
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t reg = byte;
        for (int bit = 0; bit < 8; bit++) reg = reg >> 1 ^ (reg & 1 ? REFLECTED_POLYNOMIAL : 0);
        TABLE[0][byte] = reg;
    }
    for (int zeros = 1; zeros < 16; zeros++)
        for (int byte = 0; byte < 256; byte++) {
            const uint32_t reg = TABLE[zeros - 1][byte];
            TABLE[zeros][byte] = reg >> 8 ^ TABLE[0][reg & 0xff];
        }
}

static inline uint32_t little32(const uint8_t *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* Four bytes with `zeros` further bytes of the step behind them. */
static inline uint32_t slice(uint32_t word, int zeros) {
    return TABLE[zeros + 3][word & 0xff] ^ TABLE[zeros + 2][word >> 8 & 0xff] ^ TABLE[zeros + 1][word >> 16 & 0xff] ^
           TABLE[zeros][word >> 24];
}

static uint32_t crc32_table(uint32_t crc, const uint8_t *p, size_t n) {
    uint32_t reg = ~crc;
    for (; n >= 16; p += 16, n -= 16)
        reg = slice(reg ^ little32(p), 12) ^ slice(little32(p + 4), 8) ^ slice(little32(p + 8), 4) ^
              slice(little32(p + 12), 0);
    if (n >= 8) {
        reg = slice(reg ^ little32(p), 4) ^ slice(little32(p + 4), 0);
        p += 8, n -= 8;
    }
    for (; n; p++, n--) reg = reg >> 8 ^ TABLE[0][(reg ^ *p) & 0xff];
    return ~reg;
}

#if defined(ASRPROTO_X86)

#include <immintrin.h>

#if defined(__GNUC__)
#  define TARGET(features) __attribute__((target(features)))
#else
#  define TARGET(features)
#endif
#define PCLMUL TARGET("pclmul,sse4.1")
#define VPCLMUL TARGET("pclmul,sse4.1,avx512f,avx512vl,vpclmulqdq")

/* Multipliers for a distance of D bits: the earlier half of a block first (x^(D+32)), then the later (x^(D-32)). */
#define BY_128 0x1751997d0, 0x0ccaa009e
#define BY_256 0x0f1da05aa, 0x15a546366
#define BY_384 0x03db1ecdc, 0x174359406
#define BY_512 0x154442bd4, 0x1c6e41596
#define BY_1024 0x1e88ef372, 0x14a7fe880
#define BY_1536 0x1821d8bc0, 0x12e958ac4
#define BY_2048 0x11542778a, 0x1322d1430
#define X_64 0x163cd6124       /* x^64 mod P */
#define P_REFLECTED 0x1db710641 /* P, and floor(x^64 / P) for Barrett's reduction */
#define MU_REFLECTED 0x1f7011641

#define PAIR(...) PAIR_(__VA_ARGS__)
#define PAIR_(earlier, later) _mm_set_epi64x(later, earlier)
#define EARLIER(...) EARLIER_(__VA_ARGS__)
#define EARLIER_(earlier, later) earlier
#define LATER(...) LATER_(__VA_ARGS__)
#define LATER_(earlier, later) later
#define QUAD(...) _mm512_broadcast_i32x4(PAIR(__VA_ARGS__))

static inline PCLMUL __m128i load(const uint8_t *p) { return _mm_loadu_si128((const __m128i *)p); }

static inline PCLMUL __m128i fold(__m128i block, __m128i by, __m128i onto) {
    return _mm_xor_si128(onto, _mm_xor_si128(_mm_clmulepi64_si128(block, by, 0x00), _mm_clmulepi64_si128(block, by, 0x11)));
}

/* Fold the last n bytes at p onto `block`, then reduce it. At least 16 bytes of input end at p + n. */
static inline PCLMUL uint32_t finish(__m128i block, const uint8_t *p, size_t n) {
    const __m128i by_128 = PAIR(BY_128);
    for (; n >= 16; p += 16, n -= 16) block = fold(block, by_128, load(p));
    if (n) {
        /* block and the n bytes left are 16 + n bytes: the first n of them fold onto the other 16 */
        static const uint8_t shift[48] = {
            128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128,
            0,   1,   2,   3,   4,   5,   6,   7,   8,   9,   10,  11,  12,  13,  14,  15,
            128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128};
        const __m128i up = load(shift + n), down = load(shift + 16 + n);
        const __m128i later = _mm_blendv_epi8(_mm_shuffle_epi8(block, down), load(p + n - 16), down);
        block = fold(_mm_shuffle_epi8(block, up), by_128, later);
    }
    /* 128 bits to 96, to 64, then Barrett: t = low32(low32(x) * mu) * P, and x + t is a multiple of x^32 */
    const __m128i low32 = _mm_setr_epi32(-1, 0, -1, 0), barrett = _mm_set_epi64x(MU_REFLECTED, P_REFLECTED);
    block = _mm_xor_si128(_mm_srli_si128(block, 8), _mm_clmulepi64_si128(block, by_128, 0x10));
    block = _mm_xor_si128(_mm_srli_si128(block, 4),
                          _mm_clmulepi64_si128(_mm_and_si128(block, low32), _mm_set_epi64x(0, X_64), 0x00));
    __m128i t = _mm_clmulepi64_si128(_mm_and_si128(block, low32), barrett, 0x10);
    t = _mm_clmulepi64_si128(_mm_and_si128(t, low32), barrett, 0x00);
    return ~(uint32_t)_mm_extract_epi32(_mm_xor_si128(block, t), 1);
}

static PCLMUL uint32_t crc32_pclmul(uint32_t crc, const uint8_t *p, size_t n) {
    if (n < 16) return crc32_table(crc, p, n);
    __m128i a = _mm_xor_si128(load(p), _mm_cvtsi32_si128((int)~crc));
    if (n < 64) return finish(a, p + 16, n - 16);
    __m128i b = load(p + 16), c = load(p + 32), d = load(p + 48);
    const __m128i by_512 = PAIR(BY_512);
    for (p += 64, n -= 64; n >= 64; p += 64, n -= 64) {
        a = fold(a, by_512, load(p));
        b = fold(b, by_512, load(p + 16));
        c = fold(c, by_512, load(p + 32));
        d = fold(d, by_512, load(p + 48));
    }
    return finish(fold(a, PAIR(BY_384), fold(b, PAIR(BY_256), fold(c, PAIR(BY_128), d))), p, n);
}

#define XOR3 0x96 /* the truth table of a ^ b ^ c */

static inline VPCLMUL __m512i load4(const uint8_t *p) { return _mm512_loadu_si512((const void *)p); }

static inline VPCLMUL __m512i fold4(__m512i blocks, __m512i by, __m512i onto) {
    return _mm512_ternarylogic_epi64(_mm512_clmulepi64_epi128(blocks, by, 0x00),
                                     _mm512_clmulepi64_epi128(blocks, by, 0x11), onto, XOR3);
}

static VPCLMUL uint32_t crc32_vpclmul(uint32_t crc, const uint8_t *p, size_t n) {
    if (n < 64) return crc32_pclmul(crc, p, n);
    const __m512i by_512 = QUAD(BY_512);
    __m512i a = _mm512_xor_si512(load4(p), _mm512_inserti32x4(_mm512_setzero_si512(), _mm_cvtsi32_si128((int)~crc), 0));
    if (n >= 256) {
        __m512i b = load4(p + 64), c = load4(p + 128), d = load4(p + 192);
        const __m512i by_2048 = QUAD(BY_2048);
        for (p += 256, n -= 256; n >= 256; p += 256, n -= 256) {
            a = fold4(a, by_2048, load4(p));
            b = fold4(b, by_2048, load4(p + 64));
            c = fold4(c, by_2048, load4(p + 128));
            d = fold4(d, by_2048, load4(p + 192));
        }
        a = fold4(a, QUAD(BY_1536), fold4(b, QUAD(BY_1024), fold4(c, by_512, d)));
    } else {
        p += 64, n -= 64;
    }
    for (; n >= 64; p += 64, n -= 64) a = fold4(a, by_512, load4(p));
    const __m512i by_place = _mm512_set_epi64(0, 0, LATER(BY_128), EARLIER(BY_128), LATER(BY_256), EARLIER(BY_256),
                                              LATER(BY_384), EARLIER(BY_384));
    const __m512i moved = fold4(a, by_place, _mm512_setzero_si512());
    const __m128i sum = _mm_xor_si128(_mm512_castsi512_si128(moved), _mm512_extracti32x4_epi32(moved, 1));
    const __m128i rest = _mm_xor_si128(_mm512_extracti32x4_epi32(moved, 2), _mm512_extracti32x4_epi32(a, 3));
    return finish(_mm_xor_si128(sum, rest), p, n);
}

#elif defined(ASRPROTO_ARM64)

#if defined(_MSC_VER)
#  include <intrin.h>
#  define ARM_CRC
#elif defined(__clang__)
#  define ARM_CRC __attribute__((target("crc")))
#  define __crc32d __builtin_arm_crc32d
#  define __crc32b __builtin_arm_crc32b
#else
#  include <arm_acle.h>
#  define ARM_CRC __attribute__((target("+crc")))
#endif

static inline uint64_t native64(const uint8_t *p) {
    uint64_t word;
    memcpy(&word, p, 8);
    return word;
}

static ARM_CRC uint32_t crc32_armcrc(uint32_t crc, const uint8_t *p, size_t n) {
    uint32_t reg = ~crc;
    for (; n >= 32; p += 32, n -= 32) {
        reg = __crc32d(reg, native64(p));
        reg = __crc32d(reg, native64(p + 8));
        reg = __crc32d(reg, native64(p + 16));
        reg = __crc32d(reg, native64(p + 24));
    }
    for (; n >= 8; p += 8, n -= 8) reg = __crc32d(reg, native64(p));
    for (; n; p++, n--) reg = __crc32b(reg, *p);
    return ~reg;
}

#endif

const asrproto_crc32_path asrproto_crc32_paths[] = {
    {"table", ASRPROTO_BASELINE, 0, crc32_table},
#if defined(ASRPROTO_X86)
    {"pclmul", ASRPROTO_AVX2, ASRPROTO_HAS_PCLMUL, crc32_pclmul},
    {"vpclmul", ASRPROTO_AVX512, ASRPROTO_HAS_PCLMUL | ASRPROTO_HAS_AVX512 | ASRPROTO_HAS_VPCLMUL, crc32_vpclmul},
#elif defined(ASRPROTO_ARM64)
    {"armcrc", ASRPROTO_NEON, ASRPROTO_HAS_ARM_CRC, crc32_armcrc},
#endif
    {NULL, 0, 0, NULL},
};
