# distutils: sources = _ext/crc32_paths.c
# cython: binding=False, nonecheck=True
"""Event-stream frames, taken apart and put together; the format itself is explained in asrproto/aws/eventstream.py.

Nothing here knows an error class or a value type: a `Format` carries what the Python side decides, and a fault is a
plain tuple (code, offset, found, expected) until the Python side makes an exception of it.
"""

cimport cython
from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.long cimport PyLong_AsLongLongAndOverflow
from cpython.ref cimport PyObject
from cpython.unicode cimport PyUnicode_AsUTF8AndSize, PyUnicode_DecodeUTF8
from libc.stdint cimport int8_t, int16_t, int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memcmp, memcpy

from asrproto._kernels import crc32 as _crc32

cdef extern from "crc32.h" nogil:
    ctypedef uint32_t (*asrproto_crc32_fn)(uint32_t crc, const uint8_t *data, size_t size) noexcept
    ctypedef struct asrproto_crc32_path:
        asrproto_crc32_fn run
    const asrproto_crc32_path asrproto_crc32_paths[]
    void asrproto_crc32_init()

cdef extern from *:
    """
    /* type.__new__(type) and int.__new__(type, number), whatever __new__ a Python class may have. */
    static PyObject *asrproto_new(PyObject *type, PyObject *empty) {
        return ((PyTypeObject *)type)->tp_new((PyTypeObject *)type, empty, NULL);
    }
    static PyObject *asrproto_new_int(PyObject *type, PyObject *number) {
        return PyLong_Type.tp_new((PyTypeObject *)type, number, NULL);
    }
    /* Whether nobody else has this object; where threads run freely that cannot be told. */
    static inline int asrproto_only_ours(PyObject *object) {
    #ifdef Py_GIL_DISABLED
        (void)object;
        return 0;
    #else
        return Py_REFCNT(object) == 1;
    #endif
    }
    """
    bint asrproto_only_ours(PyObject *object)
    object asrproto_new(object type, tuple empty)
    object asrproto_new_int(object type, tuple number)

asrproto_crc32_init()
cdef asrproto_crc32_fn crc32 = asrproto_crc32_paths[<int> _crc32.PATHS[_crc32.PATH]].run

cdef enum:
    PRELUDE = 12        # bytes: total, headers_len, checksum of the two
    OVERHEAD = 16       # prelude and the message's checksum
    LONGEST_NAME = 255
    LONGEST_VALUE = 32767
    SMALL = 1 << 16     # bytes: work on less than this keeps the GIL, a buffer of no more than this is kept for reuse
    REMEMBERED = 1024   # bytes: a longer header block is not kept for comparison with the next
    SCRATCH = 512       # bytes of headers that are encoded without an allocation

    INT8 = 2
    INT64 = 5
    BYTES = 6
    STRING = 7
    TIMESTAMP = 8
    UUID = 9

# Bytes of a value by its type; -1 where a 16-bit length comes first.
cdef int[10] WIDTHS = [0, 0, 1, 2, 4, 8, -1, -1, 8, 16]

# Why bytes from the peer are refused, and why a caller's wishes are. The Python side knows them by these names.
cpdef enum:
    PRELUDE_CHECKSUM = 1
    MESSAGE_CHECKSUM
    TOTAL_TOO_SMALL
    HEADERS_OVERRUN
    MESSAGE_TOO_LARGE
    HEADERS_TOO_LARGE
    NAME_EMPTY
    HEADER_CUT
    TYPE_UNKNOWN
    VALUE_TOO_LONG
    NAME_NOT_UTF8
    VALUE_NOT_UTF8
    NAME_REPEATED
    FRAME_CUT
    TRAILING_BYTES

    WISH_NAME_TYPE
    WISH_NAME_LENGTH
    WISH_NAME_TEXT
    WISH_VALUE_LENGTH
    WISH_VALUE_TEXT
    WISH_VALUE_RANGE
    WISH_HEADERS_SIZE
    WISH_MESSAGE_SIZE
    WISH_LIMIT
    WISH_AFTER_CLOSE
    WISH_WHILE_BUSY


cdef class Format:
    """What the Python side decides.

    message : a subclass of `Frame`, made for each decoded message
    mapping : a subclass of dict, made for the headers of a decoded message
    types : the ten types of a header's value by wire number
    pairs(headers) : any accepted spelling of headers as a dict
    typed(name, value) : a value of another type as one of `types`
    wrong(code, offset, found, expected) : the exception for a code
    """

    cdef type message, mapping
    cdef tuple types
    cdef object pairs, typed, wrong

    def __init__(self, type message not None, type mapping not None, tuple types not None, pairs, typed,
                 wrong):
        if not issubclass(message, Frame) or not issubclass(mapping, dict) or len(types) != 10:
            raise TypeError("message must be a subclass of Frame, mapping one of dict, types a tuple of ten")
        self.message = message
        self.mapping = mapping
        self.types = types
        self.pairs = pairs
        self.typed = typed
        self.wrong = wrong


@cython.no_gc
cdef class Frame:
    """Headers and payload of one message; nothing that a header may hold leads back to the message.

    Headers are immutable, so that messages with the same header block share them. A payload that was decoded from bytes
    stays in `source`, the bytes that were fed, and is copied out of them when it is asked for: whoever looks at a
    thousand messages one by one needs the memory of one copy. A large one is copied only once.
    """

    cdef readonly object headers
    cdef bytes own_payload, source
    cdef Py_ssize_t start, size

    def __init__(self, headers, bytes payload not None):
        self.headers = headers
        self.own_payload = payload

    @property
    def payload(self):
        if self.size > SMALL:
            with cython.critical_section(self):
                if self.own_payload is None:
                    self.own_payload = copied_payload(self)
                    self.source = None
        return copied_payload(self) if self.own_payload is None else self.own_payload


cdef inline bytes copied_payload(Frame frame):
    return PyBytes_FromStringAndSize(PyBytes_AS_STRING(frame.source) + frame.start, frame.size)


cdef inline uint32_t big32(const uint8_t *p) noexcept nogil:
    return <uint32_t> p[0] << 24 | <uint32_t> p[1] << 16 | <uint32_t> p[2] << 8 | p[3]


cdef int acquire(data, Py_buffer *view) except -1:
    try:
        PyObject_GetBuffer(data, view, PyBUF_SIMPLE)
    except BufferError:
        raise TypeError(f"a contiguous bytes-like object is required, not this {type(data).__name__}") from None
    return 0


cdef int64_t limit(Format form, name, value, int64_t lowest) except -1:
    """`value` as a limit for sizes that 32 bits hold."""
    cdef int overflow = 0
    cdef int64_t number = PyLong_AsLongLongAndOverflow(value, &overflow)
    if overflow or not lowest <= number <= 0xffffffff:
        raise form.wrong(WISH_LIMIT, name, value, lowest)
    return number


cdef inline uint32_t message_limit(Format form, value) except? 0:
    return <uint32_t> limit(form, "max_message_size", value, OVERHEAD)


cdef inline uint32_t headers_limit(Format form, value) except? 0:
    return <uint32_t> limit(form, "max_headers_size", value, 0)


cdef inline uint32_t checksum(const uint8_t *p, uint32_t prelude_crc, size_t total) noexcept nogil:
    """The checksum of the frame at p, continued from that of its prelude."""
    return crc32(prelude_crc, p + 8, total - 12)


include "eventstream_decode.pxi"
include "eventstream_encode.pxi"
