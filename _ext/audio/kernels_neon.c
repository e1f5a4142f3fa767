/* The kernels for arm64, where NEON has the fused multiply-add. */
#define SIMD_LEVEL 3
#include "../cpu.h"
#if defined(ASRPROTO_ARM64)
#  include "kernels_impl.h"
const audio_kernels asrproto_audio_neon = TABLE;
#else
typedef int asrproto_no_neon;
#endif
