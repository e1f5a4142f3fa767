/* The kernels for x86-64 processors with AVX-512 F, BW, DQ and VL. */
#define SIMD_LEVEL 2
#include "../cpu.h"
#if defined(ASRPROTO_X86)
#  if defined(__clang__)
#    include "simd.h"
#    pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"))), apply_to = function)
#  elif defined(__GNUC__)
#    pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,prefer-vector-width=512")
#  endif
#  include "kernels_impl.h"
const audio_kernels asrproto_audio_avx512 = TABLE;
#  if defined(__clang__)
#    pragma clang attribute pop
#  endif
#else
typedef int asrproto_no_avx512;
#endif
