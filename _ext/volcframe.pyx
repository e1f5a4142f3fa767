"""The fixed part of Volcengine's binary frame: fields to bytes and back.

All integers are big-endian. ``?`` marks what is there only where the first bytes say so::

    version:4 header words:4 | type:4 flags:4 | serialization:4 compression:4 | reserved:8 | extension: 4*(words-1) B
    ? error code u32     type 15
    ? sequence i32       flag 1
    ? event i32          flag 4, and with it
    ? connection id      u32 size, text; events 50, 51, 52
    ? session id         u32 size, text; every event but 1, 2, 50, 51, 52
    payload size u32, payload

Nothing is raised here because of what bytes or numbers say: the answer is then an integer code (and a place), which the
caller puts into words. Payloads stay as they travel; packing them is the caller's.
"""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_CheckExact, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.long cimport PyLong_Check
from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.stdint cimport int32_t, uint32_t
from libc.string cimport memcpy

cdef extern from "Python.h":
    long long PyLong_AsLongLongAndOverflow(object value, int *overflow) except? -1
    const char *PyUnicode_AsUTF8AndSize(object text, Py_ssize_t *size) except NULL

cdef enum:
    ERROR_TYPE = 15
    HAS_SEQUENCE = 1
    HAS_EVENT = 4
    VERSION = 1
    GZIP = 1

# Why bytes are not a frame. A cut field's code is the same whether its size or its content is missing.
cdef enum:
    CUT_HEADER = 1
    CUT_ERROR_CODE
    CUT_SEQUENCE
    CUT_EVENT
    CUT_CONNECTION_ID
    CUT_SESSION_ID
    CUT_PAYLOAD_SIZE
    CUT_PAYLOAD
    BAD_VERSION
    BAD_HEADER_SIZE
    BAD_CONNECTION_ID
    BAD_SESSION_ID
    TRAILING_BYTES
    PAYLOAD_TOO_LARGE

# Why fields are not a frame.
cdef enum:
    NEEDS_PACKING = 1
    BAD_TYPE
    BAD_FLAGS
    BAD_SERIALIZATION
    BAD_COMPRESSION
    BAD_RESERVED
    BAD_EXTENSION
    BAD_ERROR_CODE
    BAD_SEQUENCE
    BAD_EVENT
    CONNECTION_ID_MISPLACED
    SESSION_ID_MISPLACED
    TEXT_NOT_UNICODE
    PAYLOAD_OVER_4_GIB


cdef inline bint _has_connection_id(long long event) noexcept nogil:
    return 50 <= event <= 52


cdef inline bint _has_session_id(long long event) noexcept nogil:
    return not (event == 1 or event == 2 or 50 <= event <= 52)


cdef inline uint32_t _load(const unsigned char *at) noexcept nogil:
    return (<uint32_t>at[0] << 24) | (<uint32_t>at[1] << 16) | (<uint32_t>at[2] << 8) | <uint32_t>at[3]


cdef inline unsigned char *_store(unsigned char *at, uint32_t value) noexcept nogil:
    at[0] = <unsigned char>(value >> 24)
    at[1] = <unsigned char>(value >> 16)
    at[2] = <unsigned char>(value >> 8)
    at[3] = <unsigned char>value
    return at + 4


cdef inline unsigned char *_store_block(unsigned char *at, const char *block, Py_ssize_t size) noexcept nogil:
    at = _store(at, <uint32_t>size)
    memcpy(at, block, <size_t>size)
    return at + size


cdef enum:
    CUT = 1
    NOT_UTF8

cdef str _read_text(const unsigned char *data, Py_ssize_t size, Py_ssize_t *at, int *bad):
    """The text at `at`, which then stands behind it; or None, why in `bad`, and `at` where."""
    cdef long long length
    if size - at[0] < 4:
        bad[0] = CUT
        return None
    length = _load(data + at[0])
    at[0] += 4
    if size - at[0] < length:
        bad[0] = CUT
        return None
    try:
        text = PyUnicode_DecodeUTF8(<char *>data + at[0], <Py_ssize_t>length, NULL)
    except UnicodeDecodeError as error:
        bad[0] = NOT_UTF8
        at[0] += error.start
        return None
    at[0] += <Py_ssize_t>length
    return text


cdef inline int _number(object value, long long low, long long high, long long *out) except -1:
    """Whether `value` is a number of that range; it is then in `out`."""
    cdef int overflow = 0
    if value is None:
        return 0
    out[0] = PyLong_AsLongLongAndOverflow(value, &overflow)
    return overflow == 0 and low <= out[0] <= high


cdef inline object _int(object value, str name):
    if not PyLong_Check(value):
        raise TypeError(f"{name} must be int, not {type(value).__name__}")
    return value


cdef inline object _int_or_none(object value, str name):
    if value is not None and not PyLong_Check(value):
        raise TypeError(f"{name} must be int or None, not {type(value).__name__}")
    return value


cdef inline str _str_or_none(object value, str name):
    if value is not None and not isinstance(value, str):
        raise TypeError(f"{name} must be str or None, not {type(value).__name__}")
    return str(value) if value is not None and type(value) is not str else value


@cython.final
@cython.no_gc
cdef class Frame:
    """One frame, its payload unpacked.

    Parameters
    ----------
    message_type, flags, serialization, compression : int
        Four bits each.
    sequence, event, error_code : int or None
        None where the frame has none: a sequence goes with flag 1, an event with flag 4, an error code with type 15.
    connection_id, session_id : str or None
        The event decides whether the frame has them.
    payload : bytes-like
        As it was before packing.
    extension : bytes-like
        What the header holds beyond its four bytes.
    reserved : int
        The fourth byte of the header.
    """

    cdef readonly object message_type
    cdef readonly object flags
    cdef readonly object serialization
    cdef readonly object compression
    cdef readonly object sequence
    cdef readonly object event
    cdef readonly str connection_id
    cdef readonly str session_id
    cdef readonly object error_code
    cdef readonly bytes payload
    cdef readonly bytes extension
    cdef readonly object reserved

    def __init__(self, message_type, *, flags=0, serialization=0, compression=0, sequence=None, event=None,
                 connection_id=None, session_id=None, error_code=None, payload=b"", extension=b"", reserved=0):
        self.message_type = _int(message_type, "message_type")
        self.flags = _int(flags, "flags")
        self.serialization = _int(serialization, "serialization")
        self.compression = _int(compression, "compression")
        self.sequence = _int_or_none(sequence, "sequence")
        self.event = _int_or_none(event, "event")
        self.connection_id = _str_or_none(connection_id, "connection_id")
        self.session_id = _str_or_none(session_id, "session_id")
        self.error_code = _int_or_none(error_code, "error_code")
        self.payload = payload if PyBytes_CheckExact(payload) else bytes(memoryview(payload))
        self.extension = extension if PyBytes_CheckExact(extension) else bytes(memoryview(extension))
        self.reserved = _int(reserved, "reserved")

    cdef tuple _values(self):
        return (self.message_type, self.flags, self.serialization, self.compression, self.sequence, self.event,
                self.connection_id, self.session_id, self.error_code, self.payload, self.extension, self.reserved)

    def with_payload(self, bytes payload not None):
        """The same frame with another payload."""
        cdef Frame frame = Frame.__new__(Frame)
        frame.message_type = self.message_type
        frame.flags = self.flags
        frame.serialization = self.serialization
        frame.compression = self.compression
        frame.sequence = self.sequence
        frame.event = self.event
        frame.connection_id = self.connection_id
        frame.session_id = self.session_id
        frame.error_code = self.error_code
        frame.payload = payload
        frame.extension = self.extension
        frame.reserved = self.reserved
        return frame

    def __eq__(self, other):
        if not isinstance(other, Frame):
            return NotImplemented
        return self._values() == (<Frame>other)._values()

    def __hash__(self):
        return hash(self._values())

    def __reduce__(self):
        return _restore, self._values()

    def __repr__(self):
        # Not the payload itself: requests carry tokens.
        shown = [f"{name}=<{len(value)} bytes>" if name == "payload" else f"{name}={value!r}"
                 for name, value in zip(FIELDS, self._values())
                 if value is not None and not (name in ("extension", "reserved") and not value)]
        return f"Frame({', '.join(shown)})"


FIELDS = ("message_type", "flags", "serialization", "compression", "sequence", "event", "connection_id", "session_id",
          "error_code", "payload", "extension", "reserved")


def _restore(message_type, *values):
    return Frame(message_type, **dict(zip(FIELDS[1:], values)))


def encode(Frame frame not None):
    """The bytes of `frame`, or the code of what is wrong with its fields; NEEDS_PACKING with compression 1."""
    return _encode(frame, None)


def encode_packed(Frame frame not None, bytes packed not None, /):
    """Likewise, with the payload as it shall travel."""
    return _encode(frame, packed)


cdef object _encode(Frame frame, bytes packed):
    cdef long long message_type, flags, serialization, compression, reserved
    cdef long long error_code = 0, sequence = 0, event = 0
    cdef const char *connection_id = NULL
    cdef const char *session_id = NULL
    cdef Py_ssize_t connection_size = 0, session_size = 0, extension_size, payload_size, total
    cdef bytes payload = frame.payload if packed is None else packed
    cdef bytes wire
    cdef unsigned char *at

    if frame.payload is None:
        return BAD_TYPE  # made by __new__ alone
    if not _number(frame.message_type, 0, 15, &message_type):
        return BAD_TYPE
    if not _number(frame.flags, 0, 15, &flags):
        return BAD_FLAGS
    if not _number(frame.serialization, 0, 15, &serialization):
        return BAD_SERIALIZATION
    if not _number(frame.compression, 0, 15, &compression):
        return BAD_COMPRESSION
    if compression == GZIP and packed is None:
        return NEEDS_PACKING
    if not _number(frame.reserved, 0, 255, &reserved):
        return BAD_RESERVED
    extension_size = PyBytes_GET_SIZE(frame.extension)
    if extension_size % 4 or extension_size > 56:
        return BAD_EXTENSION

    total = 4 + extension_size + 4
    if message_type == ERROR_TYPE:
        if not _number(frame.error_code, 0, 0xFFFFFFFF, &error_code):
            return BAD_ERROR_CODE
        total += 4
    elif frame.error_code is not None:
        return BAD_ERROR_CODE
    if flags & HAS_SEQUENCE:
        if not _number(frame.sequence, -0x80000000, 0x7FFFFFFF, &sequence):
            return BAD_SEQUENCE
        total += 4
    elif frame.sequence is not None:
        return BAD_SEQUENCE
    if flags & HAS_EVENT:
        if not _number(frame.event, -0x80000000, 0x7FFFFFFF, &event):
            return BAD_EVENT
        total += 4
    elif frame.event is not None:
        return BAD_EVENT
    if (frame.connection_id is not None) != (flags & HAS_EVENT and _has_connection_id(event)):
        return CONNECTION_ID_MISPLACED
    if (frame.session_id is not None) != (flags & HAS_EVENT and _has_session_id(event)):
        return SESSION_ID_MISPLACED
    try:
        if frame.connection_id is not None:
            connection_id = PyUnicode_AsUTF8AndSize(frame.connection_id, &connection_size)
            total += 4 + connection_size
        if frame.session_id is not None:
            session_id = PyUnicode_AsUTF8AndSize(frame.session_id, &session_size)
            total += 4 + session_size
    except UnicodeEncodeError:
        return TEXT_NOT_UNICODE
    payload_size = PyBytes_GET_SIZE(payload)
    if payload_size > 0xFFFFFFFF or connection_size > 0xFFFFFFFF or session_size > 0xFFFFFFFF:
        return PAYLOAD_OVER_4_GIB
    total += payload_size

    wire = PyBytes_FromStringAndSize(NULL, total)
    at = <unsigned char *>PyBytes_AS_STRING(wire)
    at[0] = <unsigned char>(VERSION << 4 | (1 + extension_size // 4))
    at[1] = <unsigned char>(message_type << 4 | flags)
    at[2] = <unsigned char>(serialization << 4 | compression)
    at[3] = <unsigned char>reserved
    memcpy(at + 4, PyBytes_AS_STRING(frame.extension), <size_t>extension_size)
    at += 4 + extension_size
    if message_type == ERROR_TYPE:
        at = _store(at, <uint32_t>error_code)
    if flags & HAS_SEQUENCE:
        at = _store(at, <uint32_t><int32_t>sequence)
    if flags & HAS_EVENT:
        at = _store(at, <uint32_t><int32_t>event)
    if connection_id != NULL:
        at = _store_block(at, connection_id, connection_size)
    if session_id != NULL:
        at = _store_block(at, session_id, session_size)
    _store_block(at, PyBytes_AS_STRING(payload), payload_size)
    return wire


@cython.final
cdef class Decoder:
    """Reads frames.

    Parameters
    ----------
    types, flags, serializations, compressions : tuple of 16 int
        What a decoded frame calls each number; an IntEnum's members, or the number itself.
    events : dict of int
        Likewise; a number that is not in it stays itself.
    """

    cdef tuple _types, _flags, _serializations, _compressions
    cdef dict _events

    def __init__(self, tuple types not None, tuple flags not None, tuple serializations not None,
                 tuple compressions not None, dict events not None):
        if not len(types) == len(flags) == len(serializations) == len(compressions) == 16:
            raise ValueError("each table must have 16 entries")
        self._types, self._flags = types, flags
        self._serializations, self._compressions = serializations, compressions
        self._events = events

    def decode(self, data, Py_ssize_t limit, /):
        """The frame that `data` is; (frame, offset of its payload) where that is still packed; or (code, offset)."""
        cdef Py_buffer view
        if PyBytes_CheckExact(data):
            return self._decode(<const unsigned char *>PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data), limit)
        PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
        try:
            return self._decode(<const unsigned char *>view.buf, view.len, limit)
        finally:
            PyBuffer_Release(&view)

    @cython.boundscheck(False)  # the tables have 16 entries, and four bits choose among them
    @cython.wraparound(False)
    cdef object _decode(self, const unsigned char *data, Py_ssize_t size, Py_ssize_t limit):
        cdef Py_ssize_t at
        cdef int message_type, flags, bad = 0
        cdef long long event, length
        cdef object number
        cdef Frame frame

        if size < 4:
            return CUT_HEADER, 0
        if data[0] >> 4 != VERSION:
            return BAD_VERSION, 0
        at = 4 * (data[0] & 15)
        if at == 0:
            return BAD_HEADER_SIZE, 0
        if size < at:
            return CUT_HEADER, 0
        message_type = data[1] >> 4
        flags = data[1] & 15

        frame = Frame.__new__(Frame)
        frame.message_type = self._types[message_type]
        frame.flags = self._flags[flags]
        frame.serialization = self._serializations[data[2] >> 4]
        frame.compression = self._compressions[data[2] & 15]
        frame.reserved = data[3]
        frame.extension = PyBytes_FromStringAndSize(<const char *>data + 4, at - 4) if at > 4 else b""
        if message_type == ERROR_TYPE:
            if size - at < 4:
                return CUT_ERROR_CODE, at
            frame.error_code = _load(data + at)
            at += 4
        if flags & HAS_SEQUENCE:
            if size - at < 4:
                return CUT_SEQUENCE, at
            frame.sequence = <int32_t>_load(data + at)
            at += 4
        if flags & HAS_EVENT:
            if size - at < 4:
                return CUT_EVENT, at
            event = <int32_t>_load(data + at)
            number = event
            frame.event = self._events.get(number, number)
            at += 4
            if _has_connection_id(event):
                frame.connection_id = _read_text(data, size, &at, &bad)
                if bad:
                    return BAD_CONNECTION_ID if bad == NOT_UTF8 else CUT_CONNECTION_ID, at
            if _has_session_id(event):
                frame.session_id = _read_text(data, size, &at, &bad)
                if bad:
                    return BAD_SESSION_ID if bad == NOT_UTF8 else CUT_SESSION_ID, at
        if size - at < 4:
            return CUT_PAYLOAD_SIZE, at
        length = _load(data + at)
        at += 4
        if size - at < length:
            return CUT_PAYLOAD, at
        if size - at > length:
            return TRAILING_BYTES, at + length
        if length > limit:
            return PAYLOAD_TOO_LARGE, at - 4
        frame.payload = PyBytes_FromStringAndSize(<const char *>data + at, <Py_ssize_t>length)
        if data[2] & 15 == GZIP and length:
            return frame, at
        return frame
