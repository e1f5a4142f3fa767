/* A streaming resampler: one or two polyphase stages, each with the inputs that its next output still needs.
 *
 * A stage makes L outputs of every M inputs. Output i stands at input i*M/L; it reads the inputs around that place.
 * Its history begins at the first input that the next output's period reads, so positions stay small for ever.
 *
 *   lanes   few phases: a workspace holds the inputs de-interleaved by M (row r, column q is input q*M + r), so that the
 *           same phase of consecutive periods stands side by side in memory and fills a vector register; the outputs
 *           come out as L rows and are interleaved.
 *   dots    many phases: every output is its own dot product.
 *
 * All channels are at the same place, so one set of counters serves them all.
 */
#ifndef ASRPROTO_RESAMPLE_H
#define ASRPROTO_RESAMPLE_H

#include "kernels.h"

/* What all resamplers with the same parameters share; nothing in it changes. */
typedef struct {
    int32_t lanes;         /* lanes or dots */
    int32_t up, down;      /* L, M (lanes: of a period, which may be several of the reduced ratio) */
    int32_t groups;        /* lanes */
    int32_t lanes_max;     /* periods in one run of the workspace */
    int32_t span;          /* inputs that one output (dots) or one period (lanes) reads, from the start of its history */
    int32_t x_rows, y_rows;    /* in the workspace: inputs and their differences; products, then outputs */
    size_t x_stride, y_stride;
    int32_t before, after;     /* sums of rows before and after the filter; without any, groups can be run alone */
    const row_sum *sum;        /* the `before`, then the `after` */
    const int32_t *end;    /* lanes: for each phase, inputs from the start of the period's history that it needs */
    fir_lanes fir;
    fir_dots dots;
} rs_stage;

typedef struct {
    int64_t rest;          /* lanes: phase of the next output; dots: its place between two inputs, times `up` */
    size_t have;           /* inputs in the history */
} rs_place;

enum { RS_STAGES = 2 };

typedef struct {
    const audio_kernels *kernels;
    int stages;
    const rs_stage *stage[RS_STAGES];
    size_t channels;
    rs_place first[RS_STAGES];   /* where a stream starts: its history is zeros */
    rs_place place[RS_STAGES];
    size_t room[RS_STAGES];      /* the most inputs that are ever kept between two calls */
    float *history[RS_STAGES];   /* channels x room */
} rs_stream;

void rs_reset(rs_stream *stream);

/* How many outputs `frames` more inputs make. */
size_t rs_count(const rs_stream *stream, size_t frames);

/* No block of so many frames makes more outputs, wherever the stream stands. */
size_t rs_most(const rs_stream *stream, size_t frames);

/* The floats of workspace that rs_push needs for any block of so many frames. */
size_t rs_work(const rs_stream *stream, size_t frames);

/* Takes `frames` inputs of each channel, at in + channel*in_stride; writes rs_count(stream, frames) outputs of each to
 * out + channel*out_stride and returns that number. */
size_t rs_push(rs_stream *stream, const float *in, size_t in_stride, size_t frames, float *out, size_t out_stride,
               float *work);

#endif
