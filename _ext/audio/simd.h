/* One vector of floats under one set of names, for each instruction set that the kernels are compiled for.
 *
 * The file that includes this defines SIMD_LEVEL as 0 (baseline), 1 (AVX2 and FMA), 2 (AVX-512) or 3 (NEON), and for
 * GNU compilers has switched the target on with a pragma; the names are then
 *
 *   V, VW              a vector, and how many floats it holds
 *   v_load, v_store    from and to memory of any alignment
 *   v_set1, v_add, v_sub, v_fma(a, b, c) = a*b + c, rounded once (the baseline, which has no such instruction, rounds twice)
 *   Q, q_load, q_store, q_add, q_transpose   four floats, and the transpose of four of them
 *   q_fold(c)          sixteen floats in vectors c: each i + (i+8), then each i + (i+4)
 */
#ifndef ASRPROTO_SIMD_H
#define ASRPROTO_SIMD_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "../cpu.h"

#if defined(_MSC_VER) && !defined(__clang__)
#  define SIMD_INLINE static __forceinline
#  define SIMD_UNROLL
#else
#  define SIMD_INLINE static inline __attribute__((always_inline))
#  if defined(__clang__)
#    define SIMD_UNROLL _Pragma("clang loop unroll(full)")
#  else
#    define SIMD_UNROLL _Pragma("GCC unroll 16")
#  endif
#endif

#if defined(ASRPROTO_X86)
#  include <immintrin.h>
#elif defined(ASRPROTO_ARM64)
#  include <arm_neon.h>
#endif

#if SIMD_LEVEL == 2
typedef __m512 V;
#  define VW 16
#  define v_load _mm512_loadu_ps
#  define v_store _mm512_storeu_ps
#  define v_set1 _mm512_set1_ps
#  define v_add _mm512_add_ps
#  define v_sub _mm512_sub_ps
#  define v_fma _mm512_fmadd_ps
#elif SIMD_LEVEL == 1
typedef __m256 V;
#  define VW 8
#  define v_load _mm256_loadu_ps
#  define v_store _mm256_storeu_ps
#  define v_set1 _mm256_set1_ps
#  define v_add _mm256_add_ps
#  define v_sub _mm256_sub_ps
#  define v_fma _mm256_fmadd_ps
#elif SIMD_LEVEL == 3
typedef float32x4_t V;
#  define VW 4
#  define v_load vld1q_f32
#  define v_store vst1q_f32
#  define v_set1 vdupq_n_f32
#  define v_add vaddq_f32
#  define v_sub vsubq_f32
#  define v_fma(a, b, c) vfmaq_f32((c), (a), (b))
#elif defined(ASRPROTO_X86)
typedef __m128 V;
#  define VW 4
#  define v_load _mm_loadu_ps
#  define v_store _mm_storeu_ps
#  define v_set1 _mm_set1_ps
#  define v_add _mm_add_ps
#  define v_sub _mm_sub_ps
#  define v_fma(a, b, c) _mm_add_ps(_mm_mul_ps((a), (b)), (c))
#else
typedef float V;
#  define VW 1
#  define v_load(p) (*(p))
#  define v_store(p, v) (*(p) = (v))
#  define v_set1(x) (x)
#  define v_add(a, b) ((a) + (b))
#  define v_sub(a, b) ((a) - (b))
#  define v_fma(a, b, c) ((a) * (b) + (c))
#endif

#if defined(ASRPROTO_X86)
typedef __m128 Q;
#  define q_load _mm_loadu_ps
#  define q_store _mm_storeu_ps
#  define q_add _mm_add_ps
#  define q_transpose(a, b, c, d) _MM_TRANSPOSE4_PS(a, b, c, d)
#elif defined(ASRPROTO_ARM64)
typedef float32x4_t Q;
#  define q_load vld1q_f32
#  define q_store vst1q_f32
#  define q_add vaddq_f32
#  define q_transpose(a, b, c, d) do { \
        const float32x4x2_t ab_ = vtrnq_f32(a, b), cd_ = vtrnq_f32(c, d); \
        a = vcombine_f32(vget_low_f32(ab_.val[0]), vget_low_f32(cd_.val[0])); \
        b = vcombine_f32(vget_low_f32(ab_.val[1]), vget_low_f32(cd_.val[1])); \
        c = vcombine_f32(vget_high_f32(ab_.val[0]), vget_high_f32(cd_.val[0])); \
        d = vcombine_f32(vget_high_f32(ab_.val[1]), vget_high_f32(cd_.val[1])); \
    } while (0)
#endif

#if SIMD_LEVEL == 2
SIMD_INLINE Q q_fold(const __m512 *c) {
    const __m256 half = _mm256_add_ps(_mm512_castps512_ps256(c[0]), _mm512_extractf32x8_ps(c[0], 1));
    return _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
}
#elif SIMD_LEVEL == 1
SIMD_INLINE Q q_fold(const __m256 *c) {
    const __m256 half = _mm256_add_ps(c[0], c[1]);
    return _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
}
#elif VW == 4
SIMD_INLINE Q q_fold(const V *c) { return v_add(v_add(c[0], c[2]), v_add(c[1], c[3])); }
#endif

/* S16_STEP floats, times 32768, to int16: rounded half to even (conversions do), clipped, and 0 for NaN. */
#if SIMD_LEVEL == 2
#  define S16_STEP 16
SIMD_INLINE void v_to_s16(const float *in, int16_t *out) {
    const __m512 x = _mm512_mul_ps(_mm512_loadu_ps(in), _mm512_set1_ps(32768.0f));
    const __mmask16 number = _mm512_cmp_ps_mask(x, x, _CMP_ORD_Q);
    const __m512i y = _mm512_maskz_cvtps_epi32(number, _mm512_min_ps(x, _mm512_set1_ps(32767.0f)));
    _mm256_storeu_si256((__m256i *)(void *)out, _mm512_cvtsepi32_epi16(y));
}
#elif SIMD_LEVEL == 1
#  define S16_STEP 16
SIMD_INLINE __m256i v_rounded(const float *in) {
    const __m256 x = _mm256_mul_ps(_mm256_loadu_ps(in), _mm256_set1_ps(32768.0f));
    const __m256 number = _mm256_cmp_ps(x, x, _CMP_ORD_Q);
    return _mm256_cvtps_epi32(_mm256_and_ps(number, _mm256_min_ps(x, _mm256_set1_ps(32767.0f))));
}
SIMD_INLINE void v_to_s16(const float *in, int16_t *out) {
    const __m256i both = _mm256_packs_epi32(v_rounded(in), v_rounded(in + 8));
    _mm256_storeu_si256((__m256i *)(void *)out, _mm256_permute4x64_epi64(both, 0xd8));
}
#elif SIMD_LEVEL == 3
#  define S16_STEP 8
SIMD_INLINE int16x4_t v_rounded(const float *in) {
    return vqmovn_s32(vcvtnq_s32_f32(vmulq_n_f32(vld1q_f32(in), 32768.0f)));
}
SIMD_INLINE void v_to_s16(const float *in, int16_t *out) {
    vst1q_s16(out, vcombine_s16(v_rounded(in), v_rounded(in + 4)));
}
#elif defined(ASRPROTO_X86)
#  define S16_STEP 8
SIMD_INLINE __m128i v_rounded(const float *in) {
    const __m128 x = _mm_mul_ps(_mm_loadu_ps(in), _mm_set1_ps(32768.0f));
    return _mm_cvtps_epi32(_mm_and_ps(_mm_cmpord_ps(x, x), _mm_min_ps(x, _mm_set1_ps(32767.0f))));
}
SIMD_INLINE void v_to_s16(const float *in, int16_t *out) {
    _mm_storeu_si128((__m128i *)(void *)out, _mm_packs_epi32(v_rounded(in), v_rounded(in + 4)));
}
#endif

#endif
