/* Sample formats: what comes from sound cards, files and telephones, brought to float32.
 *
 * Full scale is 1.0: unsigned bytes are (x - 128)/128, signed integers of b bits x/2^(b-1). All exact but int32, which
 * is rounded to the nearest float, and float64 likewise.
 */
#ifndef ASRPROTO_PCM_H
#define ASRPROTO_PCM_H

#include "kernels.h"

enum {
    PCM_U8, PCM_S16LE, PCM_S16BE, PCM_S24LE, PCM_S24BE, PCM_S32LE, PCM_S32BE,
    PCM_F32LE, PCM_F32BE, PCM_F64LE, PCM_F64BE, PCM_ULAW, PCM_ALAW
};

/* Bytes of one sample, or 0 for an unknown format. */
size_t pcm_width(int format);

/* `n` samples one after the other, at any alignment. */
void pcm_to_f32(const audio_kernels *kernels, int format, const void *in, float *out, size_t n);

/* The same to int16: exact where it can be, else rounded half to even and clipped (floats: times 32768). */
void pcm_to_s16(const audio_kernels *kernels, int format, const void *in, int16_t *out, size_t n);

#endif
