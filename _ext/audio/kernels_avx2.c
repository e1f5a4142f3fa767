/* The kernels for x86-64 processors with AVX2 and FMA. */
#define SIMD_LEVEL 1
#include "../cpu.h"
#if defined(ASRPROTO_X86)
#  if defined(__clang__)
#    include "simd.h"
#    pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#  elif defined(__GNUC__)
#    pragma GCC target("avx2,fma")
#  endif
#  include "kernels_impl.h"
const audio_kernels asrproto_audio_avx2 = TABLE;
#  if defined(__clang__)
#    pragma clang attribute pop
#  endif
#else
typedef int asrproto_no_avx2;
#endif
