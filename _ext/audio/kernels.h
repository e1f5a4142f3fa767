/* What the audio kernels do, whatever instruction set they were compiled for.
 *
 * `kernels_impl.h` is the one source. It is compiled once for each level; a table of functions for each level comes
 * out, and the caller picks one by `asrproto_audio_kernels(level)`.
 */
#ifndef ASRPROTO_AUDIO_KERNELS_H
#define ASRPROTO_AUDIO_KERNELS_H

#include <stddef.h>
#include <stdint.h>

/* A group of up to FIR_GROUP outputs of one period that are computed together, since they need nearly the same inputs.
 * Each of its steps multiplies one input by one coefficient for each output of the group. */
#define FIR_GROUP 4

typedef struct {
    int32_t outputs;      /* 1..FIR_GROUP */
    int32_t steps;
    int32_t first_step;   /* into fir_lanes.place */
    int32_t first_coef;   /* into fir_lanes.coef; steps x outputs of them */
    int32_t first_row;    /* of the rows that the outputs go to */
} fir_group;

/* to = left + right, or left - right: places of rows in a workspace. */
typedef struct {
    int32_t to, left, right, minus;
} row_sum;

/* One period of a polyphase filter: M inputs further, the same L outputs. See resample.h for the whole. */
typedef struct {
    const fir_group *group;
    const int32_t *place;   /* of each step's input in the de-interleaved workspace */
    const float *coef;
} fir_lanes;

/* Every output of its own: a dot product of T inputs with a row of coefficients. */
typedef struct {
    int64_t up, down;      /* output i stands at (rest + i*down)/up inputs after the first */
    int32_t taps;          /* a multiple of 16 */
    int32_t segments;      /* 0: one row for each of the `up` phases; else rows of cubics over that many segments */
    const float *coef;     /* [up][taps], or [segments][4][taps] */
} fir_dots;

typedef struct {
    /* float -> int16: scaled by 32768, rounded half to even, clipped; NaN gives 0 */
    void (*f32_to_s16)(const float *in, int16_t *out, size_t n);
    void (*f64_to_s16)(const double *in, int16_t *out, size_t n);
    /* the same with the rule of browsers: positive values times 32767, negative ones times 32768, cut towards zero */
    void (*f32_to_s16_asymmetric)(const float *in, int16_t *out, size_t n);
    void (*f64_to_s16_asymmetric)(const double *in, int16_t *out, size_t n);
    void (*s16_to_f32)(const int16_t *in, float *out, size_t n);
    /* G.711, as in ITU-T G.191: int16 to 14 bits (µ-law) or 13 bits (A-law) by dropping the lowest ones */
    void (*ulaw_to_s16)(const uint8_t *in, int16_t *out, size_t n);
    void (*alaw_to_s16)(const uint8_t *in, int16_t *out, size_t n);
    void (*s16_to_ulaw)(const int16_t *in, uint8_t *out, size_t n);
    void (*s16_to_alaw)(const int16_t *in, uint8_t *out, size_t n);
    /* frames of interleaved channels -> their mean, summed from the first channel on, then divided */
    void (*mix)(const float *in, float *out, size_t frames, size_t channels);
    /* out[r*stride + q] = in[q*columns + r]: rows become columns */
    void (*spread)(const float *in, float *out, size_t rows, size_t columns, size_t stride);
    /* out[q*columns + r] = in[r*stride + q] */
    void (*gather)(const float *in, float *out, size_t rows, size_t columns, size_t stride);
    /* sums and differences of rows, in the order given; rows may be written beyond `n`, up to the next multiple of 16 */
    void (*sum_rows)(const row_sum *sum, int sums, float *rows, size_t n);
    /* groups [from, to) of `lanes` periods: y[row*y_stride + lane] */
    void (*fir)(const fir_lanes *filter, int from, int to, const float *x, float *y, size_t y_stride, size_t lanes);
    void (*dots)(const fir_dots *filter, int64_t rest, const float *x, float *y, size_t n);
} audio_kernels;

extern const audio_kernels asrproto_audio_baseline;
extern const audio_kernels asrproto_audio_avx2;
extern const audio_kernels asrproto_audio_avx512;
extern const audio_kernels asrproto_audio_neon;

const audio_kernels *asrproto_audio_kernels(int level);

#endif
