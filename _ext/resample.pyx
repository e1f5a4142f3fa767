# distutils: sources = _ext/audio/resample.c _ext/audio/pcm.c _ext/audio/kernels_baseline.c _ext/audio/kernels_avx2.c _ext/audio/kernels_avx512.c _ext/audio/kernels_neon.c
# distutils: define_macros = NPY_NO_DEPRECATED_API=NPY_1_7_API_VERSION
"""Streams of samples: the resampler (see _ext/audio/resample.h), and the encoder that goes from capture to wire.

Filters come laid out from asrproto.audio._design. What is not at once an array or bytes of the right kind goes to the
method ``_accept`` of the subclass, which makes one of them or refuses; ``_over`` refuses what comes after a flush.
"""

cimport cython
from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_CheckExact, PyBytes_FromStringAndSize
from libc.stdint cimport int16_t, int32_t, int64_t, uint8_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

cimport numpy as cnp

from asrproto._kernels import cpu

cnp.import_array()


cdef extern from "audio/kernels.h" nogil:
    int FIR_GROUP
    ctypedef struct fir_group:
        int32_t outputs, steps, first_step, first_coef, first_row
    ctypedef struct row_sum:
        int32_t to, left, right, minus
    ctypedef struct fir_lanes:
        const fir_group *group
        const int32_t *place
        const float *coef
    ctypedef struct fir_dots:
        int64_t up, down
        int32_t taps, segments
        const float *coef
    ctypedef struct audio_kernels:
        void f32_to_s16(const float *src, int16_t *dst, size_t n) noexcept nogil
        void s16_to_f32(const int16_t *src, float *dst, size_t n) noexcept nogil
        void s16_to_ulaw(const int16_t *src, uint8_t *dst, size_t n) noexcept nogil
        void s16_to_alaw(const int16_t *src, uint8_t *dst, size_t n) noexcept nogil
        void mix(const float *src, float *dst, size_t frames, size_t channels) noexcept nogil
        void spread(const float *src, float *dst, size_t rows, size_t columns, size_t stride) noexcept nogil
        void gather(const float *src, float *dst, size_t rows, size_t columns, size_t stride) noexcept nogil
    const audio_kernels *asrproto_audio_kernels(int level)

cdef extern from "audio/pcm.h" nogil:
    int PCM_F32LE
    size_t pcm_width(int format)
    void pcm_to_f32(const audio_kernels *kernels, int format, const void *src, float *dst, size_t n)

cdef extern from "audio/resample.h" nogil:
    ctypedef struct rs_stage:
        int32_t lanes, up, down, groups, lanes_max, span
        int32_t x_rows, y_rows, before, after
        size_t x_stride, y_stride
        const row_sum *sum
        const int32_t *end
        fir_lanes fir
        fir_dots dots
    ctypedef struct rs_place:
        int64_t rest
        size_t have
    ctypedef struct rs_stream:
        const audio_kernels *kernels
        int stages
        const rs_stage *stage[2]
        size_t channels
        rs_place first[2]
        rs_place place[2]
        size_t room[2]
        float *history[2]
    void rs_reset(rs_stream *stream)
    size_t rs_most(const rs_stream *stream, size_t frames)
    size_t rs_count(const rs_stream *stream, size_t frames)
    size_t rs_work(const rs_stream *stream, size_t frames)
    size_t rs_push(rs_stream *stream, const float *src, size_t in_stride, size_t frames, float *dst, size_t out_stride,
                   float *work)

GROUP = FIR_GROUP
cdef enum:
    BLOCK = 4608             # inputs that go through the stages at once, about
    WITHOUT_GIL = 3072       # from so many inputs on the GIL is released


@cython.final
cdef class Stage:
    """One polyphase filter, immutable; see audio/resample.h for what its numbers mean."""
    cdef rs_stage c
    cdef object arrays
    cdef readonly int back, ahead

    @staticmethod
    def lanes(int up, int down, int back, int ahead, int lanes_max, tuple strides, tuple rows, const int32_t[::1] end,
              const int32_t[:, ::1] sums, int before, const int32_t[:, ::1] groups, const int32_t[::1] place,
              const float[::1] coef):
        """Few phases: whole periods side by side."""
        cdef Stage self = Stage.__new__(Stage)
        self.arrays = (end, sums, groups, place, coef)
        self.back, self.ahead = back, ahead
        self.c.lanes, self.c.up, self.c.down = 1, up, down
        self.c.groups, self.c.lanes_max = <int32_t>groups.shape[0], lanes_max
        self.c.x_stride, self.c.y_stride = strides
        self.c.x_rows, self.c.y_rows = rows
        self.c.before, self.c.after = before, <int32_t>sums.shape[0] - before
        self.c.sum = <const row_sum *>&sums[0, 0] if sums.shape[0] else NULL
        self.c.end, self.c.span = &end[0], end[up - 1]
        self.c.fir.group, self.c.fir.place, self.c.fir.coef = <const fir_group *>&groups[0, 0], &place[0], &coef[0]
        return self

    @staticmethod
    def dots(int up, int down, int taps, int segments, const float[::1] coef):
        """Many phases: each output a dot product."""
        cdef Stage self = Stage.__new__(Stage)
        self.arrays = (coef,)
        self.back, self.ahead = taps // 2 - 1, taps // 2 + 1
        self.c.up, self.c.down = up, down
        self.c.dots.up, self.c.dots.down, self.c.dots.taps, self.c.dots.segments = up, down, taps, segments
        self.c.dots.coef = &coef[0]
        self.c.span = taps
        return self

    @property
    def up(self):
        return self.c.up

    @property
    def down(self):
        return self.c.down

    @property
    def is_lanes(self):
        return bool(self.c.lanes)

    @property
    def nbytes(self):
        """Bytes of its tables."""
        return sum(memoryview(array).nbytes for array in self.arrays)

    @property
    def macs(self):
        """Multiply-adds for one output."""
        cdef int g
        if not self.c.lanes:
            return float(self.c.dots.taps)
        return sum([self.c.fir.group[g].steps * self.c.fir.group[g].outputs for g in range(self.c.groups)]) / self.c.up


cdef class Stream:
    """Resamples one stream of one or more channels.

    `stages` holds, for each, the Stage, the phase of its first output and the zeros that its history starts with.
    """
    cdef rs_stream c
    cdef readonly tuple stages
    cdef float *memory           # all histories
    cdef size_t floats           # of them
    cdef size_t block            # inputs of a channel that go through the stages at once
    cdef uint64_t up, down       # the whole ratio
    cdef uint64_t frames_in, frames_out
    cdef bint int16              # samples in and out; else float32
    cdef bint flat               # blocks have one dimension
    cdef bint flushed
    cdef cython.pymutex lock

    def __init__(self, tuple stages, uint64_t up, uint64_t down, size_t channels, bint int16, int level=cpu.LEVEL):
        cdef size_t s, run
        cdef Stage stage
        cdef float *at
        if self.memory != NULL:
            raise TypeError("a resampler is initialised once")
        self.c.kernels = asrproto_audio_kernels(level)
        self.c.stages = <int>len(stages)
        self.c.channels = channels
        self.stages, self.int16, self.flat = stages, int16, channels == 1
        self.up, self.down = up, down
        self.block = max(256, BLOCK // (channels * (1 + up // down)))
        for s in range(self.c.stages):
            stage, self.c.first[s].rest, self.c.first[s].have = stages[s]
            self.c.stage[s] = &stage.c
            self.c.room[s] = max(<size_t>stage.c.span, self.c.first[s].have)
            self.floats += channels * self.c.room[s]
        if self.c.stages and self.c.stage[0].lanes:  # whole runs of periods
            run = self.c.stage[0].lanes_max * self.c.stage[0].down
            self.block = max(self.block // run, 1) * run
        self.memory = <float *>malloc((self.floats + 1) * sizeof(float))
        if self.memory == NULL:
            raise MemoryError
        at = self.memory
        for s in range(self.c.stages):
            self.c.history[s] = at
            at += channels * self.c.room[s]
        self.reset()

    def __dealloc__(self):
        free(self.memory)

    @property
    def nbytes(self):
        """Bytes of memory of its own, without the tables that all with the same parameters share."""
        return self.floats * sizeof(float) + sizeof(rs_stream)

    def reset(self):
        """Forget all samples and start anew."""
        with self.lock:
            rs_reset(&self.c)
            self.frames_in = self.frames_out = 0
            self.flushed = False

    def push(self, samples):
        """Take a block of samples; return those outputs that are determined by what has come so far."""
        cdef cnp.ndarray block
        if not self._fits(samples):
            samples = self._accept(samples)
        block = samples
        with self.lock:
            if self.flushed:
                self._over()
            self.flat = cnp.PyArray_NDIM(block) == 1
            self.frames_in += <uint64_t>cnp.PyArray_DIM(block, 0)
            return self._run(cnp.PyArray_DATA(block), <size_t>cnp.PyArray_DIM(block, 0))

    def flush(self):
        """Return the rest of the outputs; after it the stream is over until it is reset."""
        cdef size_t zeros = 0, rest
        with self.lock:
            if self.flushed:
                self._over()
            self.flushed = True
            rest = <size_t>(self._total() - self.frames_out)
            while rs_count(&self.c, zeros) < rest:
                zeros = 2 * zeros + 64
            out = self._run(NULL, zeros)
            return out[:rest].copy() if out.shape[0] > rest else out

    def whole(self, samples):
        """What push and flush of a whole stream give, in one array."""
        cdef cnp.ndarray block, out, tail
        cdef size_t frames, rest, zeros = 0, made
        if not self._fits(samples):
            samples = self._accept(samples)
        block = samples
        with self.lock:
            if self.flushed or self.frames_in:
                self._over()
            frames = <size_t>cnp.PyArray_DIM(block, 0)
            self.flat = cnp.PyArray_NDIM(block) == 1
            self.frames_in = frames
            self.flushed = True
            out = self._array(<size_t>self._total())
            made = self._fill(cnp.PyArray_DATA(block), frames, cnp.PyArray_DATA(out))
            rest = <size_t>(self._total() - self.frames_out)
            while rs_count(&self.c, zeros) < rest:
                zeros = 2 * zeros + 64
            tail = self._run(NULL, zeros)
            made *= self.c.channels * <size_t>cnp.PyArray_ITEMSIZE(out)
            memcpy(<char *>cnp.PyArray_DATA(out) + made, cnp.PyArray_DATA(tail), <size_t>cnp.PyArray_NBYTES(out) - made)
            return out

    cdef bint _fits(self, samples):
        """Whether the kernels can read it as it is."""
        if not cnp.PyArray_CheckExact(samples):
            return False
        if cnp.PyArray_TYPE(<cnp.ndarray>samples) != (cnp.NPY_INT16 if self.int16 else cnp.NPY_FLOAT32):
            return False
        if not cnp.PyArray_ISCARRAY_RO(<cnp.ndarray>samples):
            return False
        if cnp.PyArray_NDIM(<cnp.ndarray>samples) == 1:
            return self.c.channels == 1
        return cnp.PyArray_NDIM(<cnp.ndarray>samples) == 2 and <size_t>cnp.PyArray_DIM(<cnp.ndarray>samples, 1) == self.c.channels

    cdef uint64_t _total(self):
        """ceil(frames_in * up / down), without a product that could overflow."""
        return self.frames_in // self.down * self.up + (self.frames_in % self.down * self.up + self.down - 1) // self.down

    cdef cnp.ndarray _array(self, size_t frames):
        cdef cnp.npy_intp shape[2]
        shape[0], shape[1] = <cnp.npy_intp>frames, <cnp.npy_intp>self.c.channels
        return cnp.PyArray_SimpleNew(1 if self.flat else 2, shape, cnp.NPY_INT16 if self.int16 else cnp.NPY_FLOAT32)

    cdef _run(self, const void *data, size_t frames):
        """Push so many frames (zeros, when `data` is NULL) into a new array."""
        cdef cnp.ndarray out = self._array(rs_count(&self.c, frames))
        self._fill(data, frames, cnp.PyArray_DATA(out))
        return out

    cdef size_t _fill(self, const void *data, size_t frames, void *to) except? 0:
        """The same into memory for rs_count() frames; returns that count."""
        cdef size_t count = rs_count(&self.c, frames)
        cdef int ok
        if frames * self.c.channels >= WITHOUT_GIL:
            with nogil:
                ok = run_blocks(&self.c, self.block, self.int16, data, frames, to)
        else:
            ok = run_blocks(&self.c, self.block, self.int16, data, frames, to)
        if not ok:
            raise MemoryError
        self.frames_out += count
        return count

    def _accept(self, samples):
        raise NotImplementedError

    def _over(self):
        raise NotImplementedError

    def _state(self):
        """Where the stream is, for pickling."""
        with self.lock:
            places = tuple([(self.c.place[s].rest, self.c.place[s].have) for s in range(self.c.stages)])
            memory = (<const char *>self.memory)[:self.floats * sizeof(float)]
            return self.frames_in, self.frames_out, bool(self.flushed), bool(self.flat), places, memory

    def _restore(self, uint64_t frames_in, uint64_t frames_out, bint flushed, bint flat, tuple places, bytes memory):
        """Go on from what _state returned."""
        cdef size_t s
        with self.lock:
            if len(memory) != self.floats * sizeof(float) or len(places) != self.c.stages:
                raise ValueError("not the state of a resampler with these parameters")
            for s in range(self.c.stages):
                rest, have = places[s]
                if not (0 <= rest < self.c.stage[s].up and 0 <= have <= self.c.room[s]):
                    raise ValueError("not the state of a resampler with these parameters")
            for s in range(self.c.stages):
                self.c.place[s].rest, self.c.place[s].have = places[s]
            memcpy(self.memory, <const char *>memory, len(memory))
            self.frames_in, self.frames_out, self.flushed, self.flat = frames_in, frames_out, flushed, flat


cdef int run_blocks(rs_stream *c, size_t block, bint int16, const void *data, size_t frames, void *to) noexcept nogil:
    """Bring interleaved samples to one row a channel, block by block, through the stages and back; 0 without memory."""
    cdef size_t channels = c.channels, n, made
    cdef float *floats = <float *>data
    cdef const int16_t *shorts = <const int16_t *>data
    cdef float *out_floats = <float *>to
    cdef int16_t *out_shorts = <int16_t *>to
    cdef const audio_kernels *k = c.kernels
    block = frames if frames < block else block
    cdef size_t most = rs_most(c, block)
    cdef bint direct = channels == 1 and not int16
    cdef size_t room = 0 if direct and data != NULL else 2 * block * channels
    cdef size_t out_room = 0 if direct else 2 * most * channels
    cdef float *scratch = <float *>malloc((room + out_room + rs_work(c, block)) * sizeof(float) + 64)
    if scratch == NULL:
        return 0
    cdef float *rows = scratch
    cdef float *mixed = rows + (room // 2)
    cdef float *out_rows = scratch + room
    cdef float *out_mixed = out_rows + (out_room // 2)
    cdef float *work = out_rows + out_room
    if data == NULL:
        memset(rows, 0, block * channels * sizeof(float))
    while frames > 0:
        n = frames if frames < block else block
        if data == NULL:
            pass
        elif int16 and channels == 1:
            k.s16_to_f32(shorts, rows, n)
        elif int16:
            k.s16_to_f32(shorts, mixed, n * channels)
            k.spread(mixed, rows, n, channels, block)
        elif channels > 1:
            k.spread(floats, rows, n, channels, block)
        if direct:
            made = rs_push(c, rows if data == NULL else floats, 0, n, out_floats, 0, work)
            out_floats += made
        else:
            made = rs_push(c, rows, block, n, out_rows, most, work)
            if int16 and channels == 1:
                k.f32_to_s16(out_rows, out_shorts, made)
            elif int16:
                k.gather(out_rows, out_mixed, made, channels, most)
                k.f32_to_s16(out_mixed, out_shorts, made * channels)
            else:
                k.gather(out_rows, out_floats, made, channels, most)
            out_floats += made * channels
            out_shorts += made * channels
        floats += n * channels
        shorts += n * channels
        frames -= n
    free(scratch)
    return 1


cdef struct enc_stream:
    rs_stream *c
    size_t block             # frames that go through at once
    int format               # of the input
    size_t channels
    int pick                 # the channel to take, or -1 for the mean of all
    int law                  # 0 int16, 1 µ-law, 2 A-law


cdef class Encoder:
    """Capture blocks in, wire chunks out; `stream` does the middle and belongs to the encoder alone."""
    cdef enc_stream c
    cdef Stream stream
    cdef size_t frame            # bytes of one frame of input
    cdef size_t width            # bytes of one sample of output
    cdef size_t chunk            # bytes of one chunk
    cdef int type                # numpy's number of the input type, or -1 for bytes alone
    cdef bytes rest              # output of less than a chunk
    cdef uint8_t carry[512]      # input of less than a frame
    cdef size_t carried
    cdef cython.pymutex lock

    def __init__(self, Stream stream, int format, int type, size_t channels, int pick, int law, size_t chunk_frames):
        self.stream = stream
        self.c.c = &stream.c
        self.c.format, self.c.channels, self.c.pick, self.c.law = format, channels, pick, law
        self.c.block = max(<size_t>64, stream.block // channels)
        self.frame = pcm_width(format) * channels
        if stream.c.channels != 1 or stream.int16 or not 0 < self.frame <= 512 or chunk_frames == 0:
            raise ValueError("not an encoder")
        self.width = 1 if law else 2
        self.chunk = chunk_frames * self.width
        self.type = type
        self.rest = b""

    def reset(self):
        """Forget everything and start anew."""
        with self.lock:
            self.stream.reset()
            self.rest = b""
            self.carried = 0

    def push(self, samples):
        """Take a block of samples; return the chunks that it completed."""
        cdef Py_buffer view
        if not (PyBytes_CheckExact(samples) or self._fits(samples)):
            samples = self._accept(samples)
        with self.lock:
            if self.stream.flushed:
                self._over()
            PyObject_GetBuffer(samples, &view, PyBUF_SIMPLE)
            try:
                return self._take(<const uint8_t *>view.buf, <size_t>view.len)
            finally:
                PyBuffer_Release(&view)

    def flush(self):
        """Return the rest, the last chunk shorter than the others if need be; after it the stream is over."""
        cdef size_t zeros = 0, rest
        cdef list chunks
        with self.lock:
            if self.stream.flushed:
                self._over()
            self.stream.flushed = True
            rest = <size_t>(self.stream._total() - self.stream.frames_out)
            while rs_count(self.c.c, zeros) < rest:
                zeros = 2 * zeros + 64
            chunks = self._run(NULL, 0, NULL, zeros, rest)
            if self.rest:
                chunks.append(self.rest)
                self.rest = b""
            self.carried = 0
            return chunks

    cdef bint _fits(self, samples):
        cdef cnp.ndarray array
        if self.type < 0 or not cnp.PyArray_CheckExact(samples):
            return False
        array = samples
        if cnp.PyArray_TYPE(array) != self.type or not cnp.PyArray_ISCARRAY_RO(array):
            return False
        if cnp.PyArray_NDIM(array) == 1:
            return self.c.channels == 1
        return cnp.PyArray_NDIM(array) == 2 and <size_t>cnp.PyArray_DIM(array, 1) == self.c.channels

    cdef list _take(self, const uint8_t *data, size_t length):
        cdef size_t missing, frames
        cdef uint8_t first[512]
        cdef bint joined = False
        if self.carried:
            missing = self.frame - self.carried
            if length < missing:
                memcpy(self.carry + self.carried, data, length)
                self.carried += length
                return []
            memcpy(first, self.carry, self.carried)
            memcpy(first + self.carried, data, missing)
            data += missing
            length -= missing
            joined = True
        frames = length // self.frame
        self.carried = length - frames * self.frame
        memcpy(self.carry, data + frames * self.frame, self.carried)
        self.stream.frames_in += frames + joined
        return self._run(first if joined else NULL, joined, data, frames, <size_t>-1)

    cdef list _run(self, const uint8_t *first, size_t firsts, const uint8_t *data, size_t frames, size_t most):
        """Encode a frame that was carried over, then so many more (zeros for no data); at most so many outputs."""
        cdef size_t held = <size_t>len(self.rest), count = rs_count(self.c.c, firsts + frames), at = 0
        cdef size_t wanted = min(count, most)
        cdef uint8_t *wire = <uint8_t *>malloc(held + count * self.width + 1)
        cdef int ok = wire != NULL
        cdef list chunks = []
        if ok:
            memcpy(wire, <const uint8_t *>self.rest, held)
            if (firsts + frames) * self.c.channels >= WITHOUT_GIL:
                with nogil:
                    ok = encode_blocks(&self.c, first, firsts, data, frames, wire + held)
            else:
                ok = encode_blocks(&self.c, first, firsts, data, frames, wire + held)
        if not ok:
            free(wire)
            raise MemoryError
        try:
            self.stream.frames_out += wanted
            wanted = held + wanted * self.width
            while wanted - at >= self.chunk:
                chunks.append(PyBytes_FromStringAndSize(<char *>wire + at, <Py_ssize_t>self.chunk))
                at += self.chunk
            self.rest = PyBytes_FromStringAndSize(<char *>wire + at, <Py_ssize_t>(wanted - at))
        finally:
            free(wire)
        return chunks

    def _accept(self, samples):
        raise NotImplementedError

    def _over(self):
        raise NotImplementedError

    def _state(self):
        with self.lock:
            return self.stream._state(), self.rest, (<const char *>self.carry)[:self.carried]

    def _restore(self, tuple stream, bytes rest, bytes carry):
        with self.lock:
            if <size_t>len(carry) >= self.frame or <size_t>len(rest) >= self.chunk:
                raise ValueError("not the state of an encoder with these parameters")
            self.stream._restore(*stream)
            self.rest = rest
            self.carried = <size_t>len(carry)
            memcpy(self.carry, <const char *>carry, self.carried)


cdef int encode_blocks(enc_stream *e, const uint8_t *first, size_t firsts, const uint8_t *data, size_t frames,
                       uint8_t *wire) noexcept nogil:
    """Any format -> float32 -> one channel -> resampled -> int16 -> G.711, block by block; 0 without memory."""
    cdef rs_stream *c = e.c
    cdef const audio_kernels *k = c.kernels
    cdef size_t block = min(e.block, max(frames, firsts)), channels = e.channels
    cdef size_t most = rs_most(c, block), frame = pcm_width(e.format) * channels, n, made, i
    cdef float *scratch = <float *>malloc((block * (channels + 1) + 2 * most + rs_work(c, block)) * sizeof(float) + 64)
    if scratch == NULL:
        return 0
    cdef float *samples = scratch
    cdef float *mono = samples + block * channels
    cdef float *out = mono + block
    cdef int16_t *shorts = <int16_t *>(out + most)
    cdef float *work = out + 2 * most
    cdef const float *source
    cdef const uint8_t *from_
    if data == NULL:
        memset(mono, 0, block * sizeof(float))
    while firsts + frames > 0:
        if firsts:
            n, from_ = firsts, first
        else:
            n, from_ = min(frames, block), data
        source = mono
        if from_ != NULL:
            if e.format == PCM_F32LE and (<size_t>from_ & 3) == 0:
                source = <const float *>from_
            else:
                pcm_to_f32(k, e.format, from_, samples, n * channels)
                source = samples
            if e.pick >= 0:
                for i in range(n):
                    mono[i] = source[i * channels + <size_t>e.pick]
                source = mono
            elif channels > 1:
                k.mix(source, mono, n, channels)
                source = mono
        made = rs_push(c, source, 0, n, out, 0, work)
        if e.law == 0:
            k.f32_to_s16(out, shorts, made)
            memcpy(wire, shorts, 2 * made)
            wire += 2 * made
        else:
            k.f32_to_s16(out, shorts, made)
            if e.law == 1:
                k.s16_to_ulaw(shorts, wire, made)
            else:
                k.s16_to_alaw(shorts, wire, made)
            wire += made
        if firsts:
            firsts = 0
        else:
            frames -= n
            if data != NULL:
                data += n * frame
    free(scratch)
    return 1
