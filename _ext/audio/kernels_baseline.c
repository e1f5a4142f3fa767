/* The kernels for every processor of the architecture, and the choice between all that were compiled. */
#define SIMD_LEVEL 0
#include "kernels_impl.h"

const audio_kernels asrproto_audio_baseline = TABLE;

const audio_kernels *asrproto_audio_kernels(int level) {
    switch (level) {
#if defined(ASRPROTO_X86)
    case ASRPROTO_AVX2: return &asrproto_audio_avx2;
    case ASRPROTO_AVX512: return &asrproto_audio_avx512;
#elif defined(ASRPROTO_ARM64)
    case ASRPROTO_NEON: return &asrproto_audio_neon;
#endif
    default: return &asrproto_audio_baseline;
    }
}
