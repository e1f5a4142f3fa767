# distutils: sources = _ext/audio/pcm.c _ext/audio/kernels_baseline.c _ext/audio/kernels_avx2.c _ext/audio/kernels_avx512.c _ext/audio/kernels_neon.c
# distutils: define_macros = NPY_NO_DEPRECATED_API=NPY_1_7_API_VERSION
"""Sample conversion: contiguous samples in, a new or a given array out. The rest is for asrproto.audio to sort out.

The conversions of arrays return None for what they do not take as it is (strides, byte order, other types).
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport int16_t, uint8_t

cimport numpy as cnp

from asrproto._kernels import cpu

cnp.import_array()


cdef extern from "audio/kernels.h" nogil:
    ctypedef struct audio_kernels:
        void f32_to_s16(const float *src, int16_t *dst, size_t n) noexcept nogil
        void f64_to_s16(const double *src, int16_t *dst, size_t n) noexcept nogil
        void f32_to_s16_asymmetric(const float *src, int16_t *dst, size_t n) noexcept nogil
        void f64_to_s16_asymmetric(const double *src, int16_t *dst, size_t n) noexcept nogil
        void s16_to_f32(const int16_t *src, float *dst, size_t n) noexcept nogil
        void s16_to_ulaw(const int16_t *src, uint8_t *dst, size_t n) noexcept nogil
        void s16_to_alaw(const int16_t *src, uint8_t *dst, size_t n) noexcept nogil
        void mix(const float *src, float *dst, size_t frames, size_t channels) noexcept nogil
    const audio_kernels *asrproto_audio_kernels(int level)

cdef extern from "audio/pcm.h" nogil:
    int PCM_U8, PCM_S16LE, PCM_S16BE, PCM_S24LE, PCM_S24BE, PCM_S32LE, PCM_S32BE
    int PCM_F32LE, PCM_F32BE, PCM_F64LE, PCM_F64BE, PCM_ULAW, PCM_ALAW
    size_t pcm_width(int format)
    void pcm_to_f32(const audio_kernels *kernels, int format, const void *src, float *dst, size_t n)
    void pcm_to_s16(const audio_kernels *kernels, int format, const void *src, int16_t *dst, size_t n)

FORMATS = {
    "u8": PCM_U8,
    "s16le": PCM_S16LE, "s16be": PCM_S16BE,
    "s24le": PCM_S24LE, "s24be": PCM_S24BE,
    "s32le": PCM_S32LE, "s32be": PCM_S32BE,
    "f32le": PCM_F32LE, "f32be": PCM_F32BE,
    "f64le": PCM_F64LE, "f64be": PCM_F64BE,
    "ulaw": PCM_ULAW, "alaw": PCM_ALAW,
}
WIDTHS = {name: pcm_width(code) for name, code in FORMATS.items()}

cdef const audio_kernels *KERNELS = asrproto_audio_kernels(cpu.LEVEL)

cdef enum:
    WITHOUT_GIL = 16384      # from so many samples on the GIL is released


cdef inline bint plain(object array, int type_):
    return (cnp.PyArray_Check(array) and cnp.PyArray_TYPE(<cnp.ndarray>array) == type_
            and cnp.PyArray_ISCARRAY_RO(<cnp.ndarray>array))


cdef inline cnp.ndarray target(cnp.ndarray like, object out, int type_):
    """`out` if it can take the result as it is, a new array for no `out`, else None."""
    if out is None:
        return cnp.PyArray_SimpleNew(cnp.PyArray_NDIM(like), cnp.PyArray_DIMS(like), type_)
    if (plain(out, type_) and cnp.PyArray_ISWRITEABLE(<cnp.ndarray>out)
            and cnp.PyArray_SAMESHAPE(like, <cnp.ndarray>out)):
        return out
    return None


def float_to_int16(samples, bint asymmetric, out):
    cdef bint double = plain(samples, cnp.NPY_FLOAT64)
    if not double and not plain(samples, cnp.NPY_FLOAT32):
        return None
    cdef cnp.ndarray result = target(samples, out, cnp.NPY_INT16)
    if result is None:
        return None
    cdef size_t n = <size_t>cnp.PyArray_SIZE(samples)
    cdef const void *src = cnp.PyArray_DATA(<cnp.ndarray>samples)
    cdef int16_t *dst = <int16_t *>cnp.PyArray_DATA(result)
    if n < WITHOUT_GIL:
        narrow(src, dst, n, double, asymmetric)
    else:
        with nogil:
            narrow(src, dst, n, double, asymmetric)
    return result


cdef void narrow(const void *src, int16_t *dst, size_t n, bint double, bint asymmetric) noexcept nogil:
    if asymmetric and double:
        KERNELS.f64_to_s16_asymmetric(<const cnp.float64_t *>src, dst, n)
    elif asymmetric:
        KERNELS.f32_to_s16_asymmetric(<const float *>src, dst, n)
    elif double:
        KERNELS.f64_to_s16(<const cnp.float64_t *>src, dst, n)
    else:
        KERNELS.f32_to_s16(<const float *>src, dst, n)


def int16_to_float(samples, out):
    if not plain(samples, cnp.NPY_INT16):
        return None
    cdef cnp.ndarray result = target(samples, out, cnp.NPY_FLOAT32)
    if result is None:
        return None
    cdef size_t n = <size_t>cnp.PyArray_SIZE(samples)
    cdef const int16_t *src = <const int16_t *>cnp.PyArray_DATA(<cnp.ndarray>samples)
    cdef float *dst = <float *>cnp.PyArray_DATA(result)
    if n < WITHOUT_GIL:
        KERNELS.s16_to_f32(src, dst, n)
    else:
        with nogil:
            KERNELS.s16_to_f32(src, dst, n)
    return result


def mix(samples):
    """frames x channels of float32 -> frames."""
    if not plain(samples, cnp.NPY_FLOAT32) or cnp.PyArray_NDIM(<cnp.ndarray>samples) != 2:
        return None
    cdef size_t frames = <size_t>cnp.PyArray_DIM(<cnp.ndarray>samples, 0)
    cdef size_t channels = <size_t>cnp.PyArray_DIM(<cnp.ndarray>samples, 1)
    cdef cnp.ndarray result = cnp.PyArray_SimpleNew(1, cnp.PyArray_DIMS(<cnp.ndarray>samples), cnp.NPY_FLOAT32)
    cdef const float *src = <const float *>cnp.PyArray_DATA(<cnp.ndarray>samples)
    cdef float *dst = <float *>cnp.PyArray_DATA(result)
    with nogil:
        KERNELS.mix(src, dst, frames, channels)
    return result


def decode(data, int format, bint to_int16):
    """Whole samples of any format, one after the other in a buffer -> float32 or int16 of one dimension."""
    cdef Py_buffer view
    cdef cnp.npy_intp n
    cdef size_t width = pcm_width(format)
    cdef void *dst
    if width == 0:
        raise ValueError("unknown format")
    PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
    try:
        n = view.len // <Py_ssize_t>width
        result = cnp.PyArray_SimpleNew(1, &n, cnp.NPY_INT16 if to_int16 else cnp.NPY_FLOAT32)
        dst = cnp.PyArray_DATA(<cnp.ndarray>result)
        with nogil:
            if to_int16:
                pcm_to_s16(KERNELS, format, view.buf, <int16_t *>dst, <size_t>n)
            else:
                pcm_to_f32(KERNELS, format, view.buf, <float *>dst, <size_t>n)
    finally:
        PyBuffer_Release(&view)
    return result


def encode_g711(samples, bint alaw):
    """Contiguous int16 samples -> bytes."""
    if not plain(samples, cnp.NPY_INT16):
        return None
    cdef Py_ssize_t n = cnp.PyArray_SIZE(samples)
    cdef bytes result = PyBytes_FromStringAndSize(NULL, n)
    cdef uint8_t *dst = <uint8_t *>PyBytes_AS_STRING(result)
    cdef const int16_t *src = <const int16_t *>cnp.PyArray_DATA(<cnp.ndarray>samples)
    with nogil:
        if alaw:
            KERNELS.s16_to_alaw(src, dst, <size_t>n)
        else:
            KERNELS.s16_to_ulaw(src, dst, <size_t>n)
    return result
