/* The audio kernels in the one source that every level is compiled from; see kernels.h for what each does.
 *
 * The order of summation is part of the result: an output is one chain of fused multiply-adds over its steps, or
 * sixteen chains and a fixed tree, never anything that depends on the width of a register. Vectors hold independent
 * outputs (`fir`) or the sixteen chains (`dots`), so that every level with a fused multiply-add gives the same bits.
 */
#include "kernels.h"
#include "simd.h"

#define ROUND_F32 12582912.0f          /* 1.5 * 2^23: adding and subtracting it rounds half to even */
#define ROUND_F64 6755399441055744.0   /* 1.5 * 2^52 */

static void f32_to_s16(const float *in, int16_t *out, size_t n) {
    size_t i = 0;
#if defined(S16_STEP)
    for (; i + S16_STEP <= n; i += S16_STEP) v_to_s16(in + i, out + i);
#endif
    for (; i < n; i++) {
        float v = in[i] * 32768.0f;
        v = v == v ? v : 0.0f;
        v = v > -32768.0f ? v : -32768.0f;
        v = v < 32767.0f ? v : 32767.0f;
        out[i] = (int16_t)(int32_t)((v + ROUND_F32) - ROUND_F32);
    }
}

static void f64_to_s16(const double *in, int16_t *out, size_t n) {
    for (size_t i = 0; i < n; i++) {
        double v = in[i] * 32768.0;
        v = v == v ? v : 0.0;
        v = v > -32768.0 ? v : -32768.0;
        v = v < 32767.0 ? v : 32767.0;
        out[i] = (int16_t)(int32_t)((v + ROUND_F64) - ROUND_F64);
    }
}

/* In double also for floats, as in a browser: the product is exact there, and so is the cut. */
#define ASYMMETRIC(NAME, TYPE) \
    static void NAME(const TYPE *in, int16_t *out, size_t n) { \
        for (size_t i = 0; i < n; i++) { \
            const double x = (double)in[i]; \
            double v = x * (x < 0.0 ? 32768.0 : 32767.0); \
            v = v == v ? v : 0.0; \
            v = v > -32768.0 ? v : -32768.0; \
            v = v < 32767.0 ? v : 32767.0; \
            out[i] = (int16_t)(int32_t)v; \
        } \
    }
ASYMMETRIC(f32_to_s16_asymmetric, float)
ASYMMETRIC(f64_to_s16_asymmetric, double)

static void s16_to_f32(const int16_t *in, float *out, size_t n) {
    for (size_t i = 0; i < n; i++) out[i] = (float)in[i] * (1.0f / 32768.0f);
}

/* G.711: a sign, a segment of three bits, four bits within it; µ-law stores all bits inverted, A-law every second one. */

static void ulaw_to_s16(const uint8_t *in, int16_t *out, size_t n) {
    for (size_t i = 0; i < n; i++) {
        const int u = ~in[i], magnitude = ((((u & 15) << 3) + 132) << (u >> 4 & 7)) - 132;
        out[i] = (int16_t)(u & 128 ? -magnitude : magnitude);
    }
}

static void alaw_to_s16(const uint8_t *in, int16_t *out, size_t n) {
    for (size_t i = 0; i < n; i++) {
        const int a = in[i] ^ 0x55, segment = a >> 4 & 7;
        const int magnitude = (((a & 15) << 4) + (segment ? 264 : 8)) << (segment ? segment - 1 : 0);
        out[i] = (int16_t)(a & 128 ? magnitude : -magnitude);
    }
}

static void s16_to_ulaw(const int16_t *in, uint8_t *out, size_t n) {
    for (size_t i = 0; i < n; i++) {
        const int x = in[i] >> 2;
        int v = x < 0 ? -x : x;
        v = (v < 8158 ? v : 8158) + 33; /* 8191: all ones */
        const int segment = (v > 63) + (v > 127) + (v > 255) + (v > 511) + (v > 1023) + (v > 2047) + (v > 4095);
        out[i] = (uint8_t)~((x < 0 ? 128 : 0) | segment << 4 | (v >> (segment + 1) & 15));
    }
}

static void s16_to_alaw(const int16_t *in, uint8_t *out, size_t n) {
    for (size_t i = 0; i < n; i++) {
        const int x = in[i] >> 3, v = x < 0 ? ~x : x;
        const int segment = (v > 31) + (v > 63) + (v > 127) + (v > 255) + (v > 511) + (v > 1023) + (v > 2047);
        out[i] = (uint8_t)(((x < 0 ? 0 : 128) | segment << 4 | (v >> (segment ? segment : 1) & 15)) ^ 0x55);
    }
}

static void mix(const float *in, float *out, size_t frames, size_t channels) {
    if (channels == 1) {
        memcpy(out, in, frames * sizeof(float));
    } else if (channels == 2) {
        for (size_t i = 0; i < frames; i++) out[i] = (in[2 * i] + in[2 * i + 1]) * 0.5f;
    } else {
        const float divisor = (float)channels;
        for (size_t i = 0; i < frames; i++, in += channels) {
            float sum = in[0];
            for (size_t c = 1; c < channels; c++) sum += in[c];
            out[i] = sum / divisor;
        }
    }
}

/* Transposes. Few columns go by loops that the compiler turns into shuffles; many by blocks of 4 x 4, the last of
 * which overlaps the one before it rather than being narrower. */

SIMD_INLINE void spread_few(const float *in, float *out, size_t rows, const size_t columns, size_t stride) {
    for (size_t q = 0; q < rows; q++)
        SIMD_UNROLL
        for (size_t r = 0; r < columns; r++) out[r * stride + q] = in[q * columns + r];
}

SIMD_INLINE void gather_few(const float *in, float *out, size_t rows, const size_t columns, size_t stride) {
    for (size_t q = 0; q < rows; q++)
        SIMD_UNROLL
        for (size_t r = 0; r < columns; r++) out[q * columns + r] = in[r * stride + q];
}

static void spread(const float *in, float *out, size_t rows, size_t columns, size_t stride) {
    size_t q = 0;
    switch (columns) {
    case 1: memcpy(out, in, rows * sizeof(float)); return;
    case 2: spread_few(in, out, rows, 2, stride); return;
    case 3: spread_few(in, out, rows, 3, stride); return;
    default: break;
    }
#if defined(ASRPROTO_X86) || defined(ASRPROTO_ARM64)
    for (; q + 4 <= rows; q += 4) {
        const float *row = in + q * columns;
        for (size_t block = 0; block < columns; block += 4) {
            const size_t r = block + 4 <= columns ? block : columns - 4;
            Q a = q_load(row + r), b = q_load(row + columns + r);
            Q c = q_load(row + 2 * columns + r), d = q_load(row + 3 * columns + r);
            q_transpose(a, b, c, d);
            float *to = out + r * stride + q;
            q_store(to, a);
            q_store(to + stride, b);
            q_store(to + 2 * stride, c);
            q_store(to + 3 * stride, d);
        }
    }
#endif
    for (; q < rows; q++)
        for (size_t r = 0; r < columns; r++) out[r * stride + q] = in[q * columns + r];
}

static void gather(const float *in, float *out, size_t rows, size_t columns, size_t stride) {
    size_t q = 0;
    switch (columns) {
    case 1: memcpy(out, in, rows * sizeof(float)); return;
    case 2: gather_few(in, out, rows, 2, stride); return;
    case 3: gather_few(in, out, rows, 3, stride); return;
    default: break;
    }
#if defined(ASRPROTO_X86) || defined(ASRPROTO_ARM64)
    for (; q + 4 <= rows; q += 4) {
        float *row = out + q * columns;
        for (size_t block = 0; block < columns; block += 4) {
            const size_t r = block + 4 <= columns ? block : columns - 4;
            const float *from = in + r * stride + q;
            Q a = q_load(from), b = q_load(from + stride), c = q_load(from + 2 * stride), d = q_load(from + 3 * stride);
            q_transpose(a, b, c, d);
            q_store(row + r, a);
            q_store(row + columns + r, b);
            q_store(row + 2 * columns + r, c);
            q_store(row + 3 * columns + r, d);
        }
    }
#endif
    for (; q < rows; q++)
        for (size_t r = 0; r < columns; r++) out[q * columns + r] = in[r * stride + q];
}

static void sum_rows(const row_sum *sum, int sums, float *rows, size_t n) {
    for (int s = 0; s < sums; s++) {
        const float *left = rows + sum[s].left, *right = rows + sum[s].right;
        float *to = rows + sum[s].to;
        if (sum[s].minus) for (size_t i = 0; i < n; i += VW) v_store(to + i, v_sub(v_load(left + i), v_load(right + i)));
        else for (size_t i = 0; i < n; i += VW) v_store(to + i, v_add(v_load(left + i), v_load(right + i)));
    }
}

/* `outputs` x `wide` vectors of accumulators in registers; the lanes are consecutive periods. */
SIMD_INLINE void fir_tile(const int outputs, const int wide, const int32_t *place, const float *coef, int steps,
                          const float *x, float *y, size_t y_stride) {
    V sum[FIR_GROUP][8];
    SIMD_UNROLL
    for (int o = 0; o < outputs; o++)
        SIMD_UNROLL
        for (int w = 0; w < wide; w++) sum[o][w] = v_set1(0.0f);
    for (int s = 0; s < steps; s++, coef += outputs) {
        const float *in = x + place[s];
        V c[FIR_GROUP];
        SIMD_UNROLL
        for (int o = 0; o < outputs; o++) c[o] = v_set1(coef[o]);
        SIMD_UNROLL
        for (int w = 0; w < wide; w++) {
            const V v = v_load(in + w * VW);
            SIMD_UNROLL
            for (int o = 0; o < outputs; o++) sum[o][w] = v_fma(v, c[o], sum[o][w]);
        }
    }
    SIMD_UNROLL
    for (int o = 0; o < outputs; o++)
        SIMD_UNROLL
        for (int w = 0; w < wide; w++) v_store(y + (size_t)o * y_stride + w * VW, sum[o][w]);
}

/* How many vectors wide a tile is: as many accumulators as the registers hold. */
#if SIMD_LEVEL >= 2
#  define WIDE(outputs) ((outputs) == 1 ? 8 : (outputs) == 2 ? 8 : (outputs) == 3 ? 6 : 4)
#else
#  define WIDE(outputs) ((outputs) == 1 ? 8 : (outputs) == 2 ? 4 : (outputs) == 3 ? 3 : 2)
#endif

SIMD_INLINE void fir_one_group(const int outputs, const int32_t *place, const float *coef, int steps, const float *x,
                               float *y, size_t y_stride, size_t lanes) {
    size_t n = 0;
    for (; n + WIDE(outputs) * VW <= lanes; n += WIDE(outputs) * VW)
        fir_tile(outputs, WIDE(outputs), place, coef, steps, x + n, y + n, y_stride);
    while (n < lanes) {
        const size_t left = (lanes - n + VW - 1) / VW;
        if (left >= 4 && WIDE(outputs) > 4) {
            fir_tile(outputs, 4, place, coef, steps, x + n, y + n, y_stride);
            n += 4 * VW;
        } else if (left >= 3 && WIDE(outputs) > 3) {
            fir_tile(outputs, 3, place, coef, steps, x + n, y + n, y_stride);
            n += 3 * VW;
        } else if (left >= 2) {
            fir_tile(outputs, 2, place, coef, steps, x + n, y + n, y_stride);
            n += 2 * VW;
        } else {
            fir_tile(outputs, 1, place, coef, steps, x + n, y + n, y_stride);
            n += VW;
        }
    }
}

static void fir(const fir_lanes *filter, int from, int to, const float *x, float *y, size_t y_stride, size_t lanes) {
    for (int g = from; g < to; g++) {
        const fir_group *group = filter->group + g;
        const int32_t *place = filter->place + group->first_step;
        const float *coef = filter->coef + group->first_coef;
        float *to_y = y + (size_t)group->first_row * y_stride;
        switch (group->outputs) {
        case 1: fir_one_group(1, place, coef, group->steps, x, to_y, y_stride, lanes); break;
        case 2: fir_one_group(2, place, coef, group->steps, x, to_y, y_stride, lanes); break;
        case 3: fir_one_group(3, place, coef, group->steps, x, to_y, y_stride, lanes); break;
        default: fir_one_group(4, place, coef, group->steps, x, to_y, y_stride, lanes); break;
        }
    }
}

#define CHAINS 16
#define CHAIN_VECTORS (CHAINS / VW)

/* The sixteen chains of one output at x, `rest`/up inputs further. */
SIMD_INLINE void dot(const fir_dots *filter, int64_t rest, const float *x, V *chain) {
    const int taps = filter->taps;
    SIMD_UNROLL
    for (int w = 0; w < CHAIN_VECTORS; w++) chain[w] = v_set1(0.0f);
    if (filter->segments == 0) {
        const float *c = filter->coef + (size_t)rest * (size_t)taps;
        for (int t = 0; t < taps; t += CHAINS)
            SIMD_UNROLL
            for (int w = 0; w < CHAIN_VECTORS; w++)
                chain[w] = v_fma(v_load(x + t + w * VW), v_load(c + t + w * VW), chain[w]);
    } else {
        const int64_t place = rest * filter->segments, segment = place / filter->up;
        const V f = v_set1((float)((double)(place - segment * filter->up) / (double)filter->up));
        const float *c = filter->coef + (size_t)segment * 4 * (size_t)taps;
        for (int t = 0; t < taps; t += CHAINS)
            SIMD_UNROLL
            for (int w = 0; w < CHAIN_VECTORS; w++) {
                const float *at = c + t + w * VW;
                V cubic = v_fma(f, v_load(at + 3 * taps), v_load(at + 2 * taps));
                cubic = v_fma(f, cubic, v_load(at + taps));
                cubic = v_fma(f, cubic, v_load(at));
                chain[w] = v_fma(v_load(x + t + w * VW), cubic, chain[w]);
            }
    }
}

/* The tree: chain i + (i+8), then i + (i+4), (i+2), (i+1); of four outputs at once where there are four. */
static void dots(const fir_dots *filter, int64_t rest, const float *x, float *y, size_t n) {
    const int64_t whole = filter->down / filter->up, part = filter->down % filter->up;
    while (n > 0) {
        const int many = n < 4 ? (int)n : 4;
#if VW > 1
        Q s[4] = {{0}};
#else
        float s[4][4];
#endif
        for (int i = 0; i < many; i++) {
            V chain[CHAIN_VECTORS];
            dot(filter, rest, x, chain);
#if VW > 1
            s[i] = q_fold(chain);
#else
            for (int j = 0; j < 4; j++) s[j][i] = (chain[j] + chain[j + 8]) + (chain[j + 4] + chain[j + 12]);
#endif
            x += whole;
            rest += part;
            if (rest >= filter->up) {
                x++;
                rest -= filter->up;
            }
        }
        float sums[4];
#if VW > 1
        q_transpose(s[0], s[1], s[2], s[3]);
        q_store(sums, q_add(q_add(s[0], s[2]), q_add(s[1], s[3])));
#else
        for (int i = 0; i < many; i++) sums[i] = (s[0][i] + s[2][i]) + (s[1][i] + s[3][i]);
#endif
        for (int i = 0; i < many; i++) y[i] = sums[i];
        y += many;
        n -= (size_t)many;
    }
}

#define TABLE { f32_to_s16, f64_to_s16, f32_to_s16_asymmetric, f64_to_s16_asymmetric, s16_to_f32, \
                ulaw_to_s16, alaw_to_s16, s16_to_ulaw, s16_to_alaw, mix, \
                spread, gather, sum_rows, fir, dots }
