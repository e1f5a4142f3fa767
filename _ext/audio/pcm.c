/* See pcm.h. */
#include "pcm.h"

#include <string.h>

#if defined(_MSC_VER)
#  include <stdlib.h>
#  define SWAP16 _byteswap_ushort
#  define SWAP32 _byteswap_ulong
#  define SWAP64 _byteswap_uint64
#else
#  define SWAP16 __builtin_bswap16
#  define SWAP32 __builtin_bswap32
#  define SWAP64 __builtin_bswap64
#endif

/* Every platform that this is built for stores its numbers little-endian. */
static inline uint16_t load16(const uint8_t *p, int big) { uint16_t x; memcpy(&x, p, 2); return big ? SWAP16(x) : x; }
static inline uint32_t load32(const uint8_t *p, int big) { uint32_t x; memcpy(&x, p, 4); return big ? SWAP32(x) : x; }
static inline uint64_t load64(const uint8_t *p, int big) { uint64_t x; memcpy(&x, p, 8); return big ? SWAP64(x) : x; }

static inline int16_t load_s16(const uint8_t *p, int big) { return (int16_t)load16(p, big); }
static inline int32_t load_s32(const uint8_t *p, int big) { return (int32_t)load32(p, big); }
/* in the upper three bytes of 32 bits */
static inline int32_t load_s24(const uint8_t *p, int big) {
    const uint32_t low = p[big ? 2 : 0], middle = p[1], high = p[big ? 0 : 2];
    return (int32_t)(high << 24 | middle << 16 | low << 8);
}
static inline float load_f32(const uint8_t *p, int big) {
    const uint32_t x = load32(p, big); float f; memcpy(&f, &x, 4); return f;
}
static inline double load_f64(const uint8_t *p, int big) {
    const uint64_t x = load64(p, big); double f; memcpy(&f, &x, 8); return f;
}

/* int32 -> int16, rounded half to even and clipped */
static inline int16_t narrow(int32_t x) {
    const int64_t odd = ((int64_t)x >> 16) & 1;
    const int64_t y = ((int64_t)x + 0x7fff + odd) >> 16;
    return (int16_t)(y > 32767 ? 32767 : y);
}

size_t pcm_width(int format) {
    static const uint8_t width[] = {1, 2, 2, 3, 3, 4, 4, 4, 4, 8, 8, 1, 1};
    return format >= 0 && format <= PCM_ALAW ? width[format] : 0;
}

enum { BATCH = 256 };

/* int16 by way of a small buffer, for the formats whose kernel ends there */
#define BY_BATCHES(T, FILL, KERNEL) do { \
        T batch[BATCH]; \
        while (n > 0) { \
            const size_t m = n < BATCH ? n : BATCH; \
            for (size_t i = 0; i < m; i++) batch[i] = FILL; \
            KERNEL(batch, out, m); \
            p += m * sizeof(T); out += m; n -= m; \
        } \
    } while (0)

void pcm_to_f32(const audio_kernels *kernels, int format, const void *in, float *out, size_t n) {
    const uint8_t *p = in;
    switch (format) {
    case PCM_U8: for (size_t i = 0; i < n; i++) out[i] = (float)(p[i] - 128) * (1.0f / 128.0f); break;
    case PCM_S16LE:
        if (((uintptr_t)p & 1) == 0) kernels->s16_to_f32((const int16_t *)in, out, n);
        else for (size_t i = 0; i < n; i++) out[i] = (float)load_s16(p + 2 * i, 0) * (1.0f / 32768.0f);
        break;
    case PCM_S16BE: for (size_t i = 0; i < n; i++) out[i] = (float)load_s16(p + 2 * i, 1) * (1.0f / 32768.0f); break;
    case PCM_S24LE: for (size_t i = 0; i < n; i++) out[i] = (float)load_s24(p + 3 * i, 0) * (1.0f / 2147483648.0f); break;
    case PCM_S24BE: for (size_t i = 0; i < n; i++) out[i] = (float)load_s24(p + 3 * i, 1) * (1.0f / 2147483648.0f); break;
    case PCM_S32LE: for (size_t i = 0; i < n; i++) out[i] = (float)load_s32(p + 4 * i, 0) * (1.0f / 2147483648.0f); break;
    case PCM_S32BE: for (size_t i = 0; i < n; i++) out[i] = (float)load_s32(p + 4 * i, 1) * (1.0f / 2147483648.0f); break;
    case PCM_F32LE: memcpy(out, in, n * sizeof(float)); break;
    case PCM_F32BE: for (size_t i = 0; i < n; i++) out[i] = load_f32(p + 4 * i, 1); break;
    case PCM_F64LE: for (size_t i = 0; i < n; i++) out[i] = (float)load_f64(p + 8 * i, 0); break;
    case PCM_F64BE: for (size_t i = 0; i < n; i++) out[i] = (float)load_f64(p + 8 * i, 1); break;
    default: {
        int16_t batch[BATCH];
        while (n > 0) {
            const size_t m = n < BATCH ? n : BATCH;
            (format == PCM_ULAW ? kernels->ulaw_to_s16 : kernels->alaw_to_s16)(p, batch, m);
            kernels->s16_to_f32(batch, out, m);
            p += m; out += m; n -= m;
        }
    }
    }
}

void pcm_to_s16(const audio_kernels *kernels, int format, const void *in, int16_t *out, size_t n) {
    const uint8_t *p = in;
    switch (format) {
    case PCM_U8: for (size_t i = 0; i < n; i++) out[i] = (int16_t)((p[i] - 128) * 256); break;
    case PCM_S16LE: memcpy(out, in, n * sizeof(int16_t)); break;
    case PCM_S16BE: for (size_t i = 0; i < n; i++) out[i] = load_s16(p + 2 * i, 1); break;
    case PCM_S24LE: for (size_t i = 0; i < n; i++) out[i] = narrow(load_s24(p + 3 * i, 0)); break;
    case PCM_S24BE: for (size_t i = 0; i < n; i++) out[i] = narrow(load_s24(p + 3 * i, 1)); break;
    case PCM_S32LE: for (size_t i = 0; i < n; i++) out[i] = narrow(load_s32(p + 4 * i, 0)); break;
    case PCM_S32BE: for (size_t i = 0; i < n; i++) out[i] = narrow(load_s32(p + 4 * i, 1)); break;
    case PCM_F32LE: BY_BATCHES(float, load_f32(p + 4 * i, 0), kernels->f32_to_s16); break;
    case PCM_F32BE: BY_BATCHES(float, load_f32(p + 4 * i, 1), kernels->f32_to_s16); break;
    case PCM_F64LE: BY_BATCHES(double, load_f64(p + 8 * i, 0), kernels->f64_to_s16); break;
    case PCM_F64BE: BY_BATCHES(double, load_f64(p + 8 * i, 1), kernels->f64_to_s16); break;
    case PCM_ULAW: kernels->ulaw_to_s16(p, out, n); break;
    default: kernels->alaw_to_s16(p, out, n); break;
    }
}
