# distutils: sources = _ext/crc32_paths.c
# cython: binding=False
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
    is copied when it is asked for; until then it lies in `source`, the bytes that were fed.
    """

    cdef readonly object headers
    cdef bytes own_payload, source
    cdef Py_ssize_t start, size

    def __init__(self, headers, bytes payload not None):
        self.headers = headers
        self.own_payload = payload

    @property
    def payload(self):
        with cython.critical_section(self):
            if self.own_payload is None:
                self.own_payload = PyBytes_FromStringAndSize(PyBytes_AS_STRING(self.source) + self.start, self.size)
                self.source = None
            return self.own_payload


cdef inline uint32_t big32(const uint8_t *p) noexcept nogil:
    return <uint32_t> p[0] << 24 | <uint32_t> p[1] << 16 | <uint32_t> p[2] << 8 | p[3]


cdef inline void put_big32(uint8_t *p, uint32_t value) noexcept nogil:
    p[0] = <uint8_t> (value >> 24)
    p[1] = <uint8_t> (value >> 16)
    p[2] = <uint8_t> (value >> 8)
    p[3] = <uint8_t> value


cdef inline int64_t signed_big(const uint8_t *p, int width) noexcept nogil:
    cdef uint64_t value = 0
    cdef int i
    for i in range(width):
        value = value << 8 | p[i]
    if width == 1:
        return <int8_t> value
    if width == 2:
        return <int16_t> value
    return <int32_t> value if width == 4 else <int64_t> value


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


# -- Decoding ---------------------------------------------------------------------------------------------------------


cdef inline int check_prelude(const uint8_t *p, uint32_t max_message, uint32_t max_headers) noexcept nogil:
    """0, or why the 12 bytes at p cannot begin a frame: checksum, then consistency, then limits."""
    cdef uint32_t total, headers_len
    if crc32(0, p, 8) != big32(p + 8):
        return PRELUDE_CHECKSUM
    total = big32(p)
    headers_len = big32(p + 4)
    if total < OVERHEAD:
        return TOTAL_TOO_SMALL
    if headers_len > total - OVERHEAD:
        return HEADERS_OVERRUN
    if total > max_message:
        return MESSAGE_TOO_LARGE
    return HEADERS_TOO_LARGE if headers_len > max_headers else 0


cdef tuple prelude_fault(int code, const uint8_t *p, uint32_t max_message, uint32_t max_headers):
    if code == PRELUDE_CHECKSUM:
        return code, 8, big32(p + 8), crc32(0, p, 8)
    if code == TOTAL_TOO_SMALL:
        return code, 0, big32(p), OVERHEAD
    if code == HEADERS_OVERRUN:
        return code, 4, big32(p + 4), <int64_t> big32(p) - OVERHEAD
    if code == MESSAGE_TOO_LARGE:
        return code, 0, big32(p), max_message
    return code, 4, big32(p + 4), max_headers


cdef parse_value(Format form, const uint8_t *p, int kind, Py_ssize_t width):
    if kind == STRING:
        return PyUnicode_DecodeUTF8(<const char *> p, width, NULL)
    if kind == BYTES:
        return PyBytes_FromStringAndSize(<const char *> p, width)
    if kind < INT8:
        return kind == 0
    wanted = form.types[kind]
    if kind == UUID:
        return wanted(bytes=PyBytes_FromStringAndSize(<const char *> p, width))
    return asrproto_new_int(wanted, (signed_big(p, <int> width),))


cdef parse_headers(Format form, const uint8_t *block, Py_ssize_t size):
    """The headers in `block`, which starts at byte 12 of its frame, as a dict, or a fault as a tuple."""
    cdef dict headers = <dict> asrproto_new(form.mapping, ())
    cdef Py_ssize_t at = 0, start, name_len, width
    cdef int kind
    while at < size:
        start = at
        name_len = block[at]
        if name_len == 0:
            return NAME_EMPTY, PRELUDE + start, None, None
        at += 1 + name_len
        if at >= size:
            return HEADER_CUT, PRELUDE + start, at + 1, size
        kind = block[at]
        if kind > UUID:
            return TYPE_UNKNOWN, PRELUDE + at, kind, None
        at += 1
        width = WIDTHS[kind]
        if width < 0:
            if at + 2 > size:
                return HEADER_CUT, PRELUDE + start, at + 2, size
            width = block[at] << 8 | block[at + 1]
            if width > LONGEST_VALUE:
                return VALUE_TOO_LONG, PRELUDE + at, width, LONGEST_VALUE
            at += 2
        if at + width > size:
            return HEADER_CUT, PRELUDE + start, at + width, size
        try:
            name = PyUnicode_DecodeUTF8(<const char *> block + start + 1, name_len, NULL)
        except UnicodeDecodeError:
            return NAME_NOT_UTF8, PRELUDE + start + 1, PyBytes_FromStringAndSize(<const char *> block + start + 1,
                                                                                name_len), None
        try:
            value = parse_value(form, block + at, kind, width)
        except UnicodeDecodeError:
            return VALUE_NOT_UTF8, PRELUDE + at, name, None
        if name in headers:
            return NAME_REPEATED, PRELUDE + start, name, None
        headers[name] = value
        at += width
    return headers


cdef inline uint32_t checksum(const uint8_t *p, size_t total) noexcept nogil:
    """The checksum that the frame at p should end with, continued from that of the prelude, which holds."""
    return crc32(big32(p + 8), p + 8, total - 12)


cdef inline tuple check_message(const uint8_t *p, uint32_t total):
    """None, or the fault of a frame whose message checksum does not hold."""
    cdef uint32_t crc
    if total > SMALL:
        with nogil:
            crc = checksum(p, total)
    else:
        crc = checksum(p, total)
    if crc != big32(p + total - 4):
        return MESSAGE_CHECKSUM, <int64_t> total - 4, big32(p + total - 4), crc
    return None


cdef inline Frame new_message(Format form, headers, bytes source, const uint8_t *p):
    """The message of the checked frame at p, which lies in `source`, or else is gone soon."""
    cdef uint32_t total = big32(p), headers_len = big32(p + 4)
    cdef const char *payload = <const char *> p + PRELUDE + headers_len
    cdef Frame frame = <Frame> asrproto_new(form.message, ())
    frame.headers = headers
    frame.size = <Py_ssize_t> (total - OVERHEAD - headers_len)
    if source is None:
        frame.own_payload = PyBytes_FromStringAndSize(payload, frame.size)
    else:
        frame.source = source
        frame.start = payload - PyBytes_AS_STRING(source)
    return frame


def decode(Format form not None, data, max_message_size, max_headers_size):
    """The one message that `data` is."""
    cdef uint32_t max_message = message_limit(form, max_message_size)
    cdef uint32_t max_headers = headers_limit(form, max_headers_size)
    cdef Py_buffer view
    acquire(data, &view)
    try:
        found = decode_whole(form, <const uint8_t *> view.buf, view.len, max_message, max_headers)
    finally:
        PyBuffer_Release(&view)
    if type(found) is tuple:
        raise form.wrong(*<tuple> found)
    return found


cdef decode_whole(Format form, const uint8_t *p, Py_ssize_t size, uint32_t max_message, uint32_t max_headers):
    cdef int code
    cdef Py_ssize_t total
    if size < PRELUDE:
        return FRAME_CUT, size, size, PRELUDE
    code = check_prelude(p, max_message, max_headers)
    if code:
        return prelude_fault(code, p, max_message, max_headers)
    total = big32(p)
    if size < total:
        return FRAME_CUT, size, size, total
    fault = check_message(p, <uint32_t> total)
    if fault is not None:
        return fault
    headers = parse_headers(form, p + PRELUDE, big32(p + 4))
    if type(headers) is tuple:
        return headers
    if size > total:
        return TRAILING_BYTES, total, size - total, None
    return new_message(form, headers, None, p)


cdef class Decoder:
    """Frames out of a stream that comes in pieces.

    `held` is the beginning of a frame that is not complete, `offset` its place in the stream. Its prelude is checked
    as soon as it is there; the buffer grows with what has come, not with what the prelude promises.
    """

    cdef Format form
    cdef readonly uint32_t max_message_size, max_headers_size
    cdef uint8_t *held
    cdef size_t held_size, total
    cdef readonly size_t capacity
    cdef readonly uint64_t copied   # bytes that were stored or moved so far, so that tests can count the work
    cdef uint64_t offset
    cdef bytes last_block      # the header block of the message before: most messages of a stream have the same
    cdef object last_headers
    cdef tuple fault
    cdef list spare            # an empty list given out before, for another time: small pieces mostly complete nothing
    cdef bint closed, busy

    def __cinit__(self):
        self.held = NULL

    def __init__(self, Format form not None, max_message_size, max_headers_size):
        self.form = form
        self.max_message_size = message_limit(form, max_message_size)
        self.max_headers_size = headers_limit(form, max_headers_size)

    def __dealloc__(self):
        free(self.held)

    @property
    def buffered(self):
        return self.held_size

    def feed(self, data):
        """Take the next bytes of the stream, any number; return the messages that they complete."""
        cdef Py_buffer view
        cdef list messages
        cdef tuple fault
        self.ready()
        if asrproto_only_ours(<PyObject *> self.spare) and not self.spare:
            messages = self.spare
        else:
            messages = []
        self.busy = True
        try:
            if type(data) is bytes:
                fault = self.consume(data, <const uint8_t *> PyBytes_AS_STRING(data), <size_t> PyBytes_GET_SIZE(data),
                                     messages)
            else:
                acquire(data, &view)
                try:
                    fault = self.consume(None, <const uint8_t *> view.buf, <size_t> view.len, messages)
                finally:
                    PyBuffer_Release(&view)
        finally:
            self.busy = False
        if fault is not None:
            self.fail(fault, messages)
        self.spare = None if messages else messages
        return messages

    def close(self):
        """The stream has ended: raise where that leaves a frame incomplete."""
        if self.closed and self.fault is None:
            return
        self.ready()
        self.closed = True
        if self.held_size:
            self.fail((FRAME_CUT, self.held_size, self.held_size,
                       self.total if self.held_size >= PRELUDE else PRELUDE), [])

    def state(self):
        """What `restore` needs to go on elsewhere."""
        held = PyBytes_FromStringAndSize(<const char *> self.held, <Py_ssize_t> self.held_size)
        return self.offset, held, self.fault, self.closed

    def restore(self, uint64_t offset, bytes held, tuple fault, bint closed):
        self.offset = offset
        self.feed(held)
        self.fault = fault
        self.closed = closed

    cdef inline int ready(self) except -1:
        if self.busy:
            raise self.form.wrong(WISH_WHILE_BUSY, None, None, None)
        if self.fault is not None:
            raise self.form.wrong(*self.fault)
        if self.closed:
            raise self.form.wrong(WISH_AFTER_CLOSE, None, None, None)
        return 0

    cdef int fail(self, tuple fault, list messages) except -1:
        """Keep the fault for good, with its place in the stream, and raise it."""
        self.fault = (fault[0], <object> self.offset + fault[1], fault[2], fault[3])
        self.forget()
        raise self.form.wrong(*self.fault, messages)

    cdef void forget(self) noexcept:
        free(self.held)
        self.held = NULL
        self.held_size = self.capacity = 0

    cdef int hold(self, const uint8_t *p, size_t size) except -1:
        """Append to what is held; room doubles as it is needed."""
        cdef size_t needed = self.held_size + size
        cdef size_t room
        cdef uint8_t *moved
        if needed > self.capacity:
            room = max(needed, 2 * self.capacity)
            if needed > PRELUDE:
                room = min(room, max(needed, self.total))
            moved = <uint8_t *> realloc(self.held, room)
            if moved == NULL:
                raise MemoryError
            self.copied += self.held_size
            self.held = moved
            self.capacity = room
        memcpy(self.held + self.held_size, p, size)
        self.copied += size
        self.held_size = needed
        return 0

    cdef tuple consume(self, bytes source, const uint8_t *p, size_t size, list messages):
        """Append the messages that end in the `size` bytes at p; None, or the fault that ends the stream."""
        cdef size_t take
        cdef tuple fault
        if size == 0:
            return None
        if self.held_size:
            if self.held_size < PRELUDE:
                take = min(size, PRELUDE - self.held_size)
                self.hold(p, take)
                p += take
                size -= take
                if self.held_size < PRELUDE:
                    return None
                fault = self.begin(self.held)
                if fault is not None:
                    return fault
            take = min(size, self.total - self.held_size)
            self.hold(p, take)
            p += take
            size -= take
            if self.held_size < self.total:
                return None
            fault = self.complete(None, self.held, messages)
            if fault is not None:
                return fault
            self.held_size = 0
            if self.capacity > SMALL:
                self.forget()
        while size >= PRELUDE:
            fault = self.begin(p)
            if fault is not None:
                return fault
            if size < self.total:
                break
            fault = self.complete(source, p, messages)
            if fault is not None:
                return fault
            p += self.total
            size -= self.total
        if size:
            self.hold(p, size)
        return None

    cdef inline tuple begin(self, const uint8_t *p):
        """Check the prelude at p and learn the frame's length from it."""
        cdef int code = check_prelude(p, self.max_message_size, self.max_headers_size)
        if code:
            return prelude_fault(code, p, self.max_message_size, self.max_headers_size)
        self.total = big32(p)
        return None

    cdef tuple complete(self, bytes source, const uint8_t *p, list messages):
        """Append the message that the whole frame at p holds."""
        cdef uint32_t headers_len = big32(p + 4)
        cdef tuple fault = check_message(p, <uint32_t> self.total)
        if fault is not None:
            return fault
        if (self.last_block is not None and PyBytes_GET_SIZE(self.last_block) == headers_len
                and memcmp(PyBytes_AS_STRING(self.last_block), p + PRELUDE, headers_len) == 0):
            headers = self.last_headers
        else:
            headers = parse_headers(self.form, p + PRELUDE, headers_len)
            if type(headers) is tuple:
                return headers
            if headers_len <= REMEMBERED:
                self.last_block = PyBytes_FromStringAndSize(<const char *> p + PRELUDE, headers_len)
                self.last_headers = headers
        messages.append(new_message(self.form, headers, source, p))
        self.offset += self.total
        return None


# -- Encoding ---------------------------------------------------------------------------------------------------------


cdef struct Block:
    uint8_t *data
    size_t size, capacity
    uint8_t[SCRATCH] scratch    # where data points until more is needed


cdef void begin_block(Block *block) noexcept:
    block.data = block.scratch
    block.size = 0
    block.capacity = SCRATCH


cdef void end_block(Block *block) noexcept:
    if block.data != block.scratch:
        free(block.data)


cdef uint8_t *extend(Block *block, size_t size) except NULL:
    """Where the next `size` bytes of the block go."""
    cdef size_t needed = block.size + size
    cdef uint8_t *moved
    if needed > block.capacity:
        moved = <uint8_t *> realloc(NULL if block.data == block.scratch else block.data, 2 * needed)
        if moved == NULL:
            raise MemoryError
        if block.data == block.scratch:
            memcpy(moved, block.scratch, block.size)
        block.data = moved
        block.capacity = 2 * needed
    moved = block.data + block.size
    block.size = needed
    return moved


cdef int put_name(Format form, Block *block, name) except -1:
    cdef const char *text
    cdef Py_ssize_t size
    cdef uint8_t *p
    if not isinstance(name, str):
        raise form.wrong(WISH_NAME_TYPE, name, None, None)
    try:
        text = PyUnicode_AsUTF8AndSize(name, &size)
    except UnicodeEncodeError:
        raise form.wrong(WISH_NAME_TEXT, name, None, None) from None
    if size < 1 or size > LONGEST_NAME:
        raise form.wrong(WISH_NAME_LENGTH, name, size, LONGEST_NAME)
    p = extend(block, 1 + size)
    p[0] = <uint8_t> size
    memcpy(p + 1, text, size)
    return 0


cdef int put_sized(Format form, Block *block, name, int kind, const char *data, Py_ssize_t size) except -1:
    cdef uint8_t *p
    if size > LONGEST_VALUE:
        raise form.wrong(WISH_VALUE_LENGTH, name, size, LONGEST_VALUE)
    p = extend(block, 3 + size)
    p[0] = <uint8_t> kind
    p[1] = <uint8_t> (size >> 8)
    p[2] = <uint8_t> size
    memcpy(p + 3, data, size)
    return 0


cdef int put_text(Format form, Block *block, name, value) except -1:
    cdef Py_ssize_t size
    cdef const char *text
    try:
        text = PyUnicode_AsUTF8AndSize(value, &size)
    except UnicodeEncodeError:
        raise form.wrong(WISH_VALUE_TEXT, name, None, None) from None
    return put_sized(form, block, name, STRING, text, size)


cdef int put_integer(Format form, Block *block, name, value, int kind) except -1:
    cdef int i, overflow = 0, width = WIDTHS[kind]
    cdef int64_t number = PyLong_AsLongLongAndOverflow(value, &overflow)
    cdef int64_t limit = (<int64_t> 1) << (8 * width - 1) if width < 8 else 0
    cdef uint8_t *p
    if overflow or (limit and not -limit <= number < limit):
        raise form.wrong(WISH_VALUE_RANGE, name, value, form.types[kind])
    p = extend(block, 1 + width)
    p[0] = <uint8_t> kind
    for i in range(width):
        p[width - i] = <uint8_t> (<uint64_t> number >> 8 * i)
    return 0


cdef int put_value(Format form, Block *block, name, value, bint again) except -1:
    cdef int kind
    if value is True or value is False:
        extend(block, 1)[0] = 0 if value is True else 1
        return 0
    if type(value) is str:
        return put_text(form, block, name, value)
    if type(value) is bytes:
        return put_sized(form, block, name, BYTES, PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value))
    for kind in range(INT8, TIMESTAMP + 1):
        if type(value) is form.types[kind]:
            return put_integer(form, block, name, value, kind)
    if type(value) is form.types[UUID]:
        raw = value.bytes
        extend(block, 1)[0] = UUID
        memcpy(extend(block, 16), PyBytes_AS_STRING(raw), 16)
        return 0
    if again:
        raise TypeError("typed() must give one of the types of the format")
    return put_value(form, block, name, form.typed(name, value), True)


cdef int put_headers(Format form, Block *block, headers, uint32_t max_headers) except -1:
    if type(headers) is not dict and type(headers) is not form.mapping:
        headers = form.pairs(headers)
    for name, value in (<dict> headers).items():
        put_name(form, block, name)
        put_value(form, block, name, value, False)
    if block.size > max_headers:
        raise form.wrong(WISH_HEADERS_SIZE, None, block.size, max_headers)
    return 0


cdef void write_frame(uint8_t *out, const uint8_t *headers, size_t headers_len, const uint8_t *payload,
                      size_t size) noexcept nogil:
    cdef uint32_t total = <uint32_t> (OVERHEAD + headers_len + size)
    put_big32(out, total)
    put_big32(out + 4, <uint32_t> headers_len)
    put_big32(out + 8, crc32(0, out, 8))
    memcpy(out + PRELUDE, headers, headers_len)
    memcpy(out + PRELUDE + headers_len, payload, size)
    put_big32(out + total - 4, checksum(out, total))


cdef bytes new_frame(Format form, const uint8_t *headers, size_t headers_len, payload, uint32_t max_message):
    cdef Py_buffer view
    cdef uint64_t total
    cdef uint8_t *out
    acquire(payload, &view)
    try:
        total = OVERHEAD + headers_len + <size_t> view.len
        if total > max_message:
            raise form.wrong(WISH_MESSAGE_SIZE, None, total, max_message)
        frame = PyBytes_FromStringAndSize(NULL, <Py_ssize_t> total)
        out = <uint8_t *> PyBytes_AS_STRING(frame)
        if total > SMALL:
            with nogil:
                write_frame(out, headers, headers_len, <const uint8_t *> view.buf, <size_t> view.len)
        else:
            write_frame(out, headers, headers_len, <const uint8_t *> view.buf, <size_t> view.len)
    finally:
        PyBuffer_Release(&view)
    return frame


def encode_headers(Format form not None, headers, max_headers_size):
    """The header block alone."""
    cdef uint32_t max_headers = headers_limit(form, max_headers_size)
    cdef Block block
    begin_block(&block)
    try:
        put_headers(form, &block, headers, max_headers)
        return PyBytes_FromStringAndSize(<const char *> block.data, <Py_ssize_t> block.size)
    finally:
        end_block(&block)


def encode(Format form not None, headers, payload, max_message_size, max_headers_size):
    """One frame; `headers` may be a header block."""
    cdef uint32_t max_message = message_limit(form, max_message_size)
    cdef uint32_t max_headers = headers_limit(form, max_headers_size)
    cdef Block block
    if type(headers) is bytes:
        if PyBytes_GET_SIZE(headers) > max_headers:
            raise form.wrong(WISH_HEADERS_SIZE, None, PyBytes_GET_SIZE(headers), max_headers)
        return new_frame(form, <const uint8_t *> PyBytes_AS_STRING(headers), <size_t> PyBytes_GET_SIZE(headers),
                         payload, max_message)
    begin_block(&block)
    try:
        put_headers(form, &block, headers, max_headers)
        return new_frame(form, block.data, block.size, payload, max_message)
    finally:
        end_block(&block)


cdef class Encoder:
    """Frames that have their header block in common."""

    cdef Format form
    cdef bytes block
    cdef uint32_t max_message

    def __init__(self, Format form not None, headers, max_message_size, max_headers_size):
        self.form = form
        self.max_message = message_limit(form, max_message_size)
        self.block = encode_headers(form, headers, max_headers_size)

    def encode(self, payload):
        """One frame with the encoder's headers and this payload, which may be any bytes-like object."""
        return new_frame(self.form, <const uint8_t *> PyBytes_AS_STRING(self.block),
                         <size_t> PyBytes_GET_SIZE(self.block), payload, self.max_message)
