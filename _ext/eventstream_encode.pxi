"""Putting frames together: a header block in a buffer that grows, then the frame in one piece."""


cdef inline void put_big32(uint8_t *p, uint32_t value) noexcept nogil:
    p[0] = <uint8_t> (value >> 24)
    p[1] = <uint8_t> (value >> 16)
    p[2] = <uint8_t> (value >> 8)
    p[3] = <uint8_t> value


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
    cdef uint32_t prelude_crc
    put_big32(out, total)
    put_big32(out + 4, <uint32_t> headers_len)
    prelude_crc = crc32(0, out, 8)
    put_big32(out + 8, prelude_crc)
    memcpy(out + PRELUDE, headers, headers_len)
    memcpy(out + PRELUDE + headers_len, payload, size)
    put_big32(out + total - 4, checksum(out, prelude_crc, total))


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
    """One frame."""
    cdef uint32_t max_message = message_limit(form, max_message_size)
    cdef uint32_t max_headers = headers_limit(form, max_headers_size)
    cdef Block block
    begin_block(&block)
    try:
        put_headers(form, &block, headers, max_headers)
        return new_frame(form, block.data, block.size, payload, max_message)
    finally:
        end_block(&block)


def encode_frame(Format form not None, bytes block not None, payload, max_message_size, max_headers_size):
    """One frame with a header block that is encoded already."""
    cdef uint32_t max_message = message_limit(form, max_message_size)
    cdef uint32_t max_headers = headers_limit(form, max_headers_size)
    if PyBytes_GET_SIZE(block) > max_headers:
        raise form.wrong(WISH_HEADERS_SIZE, None, PyBytes_GET_SIZE(block), max_headers)
    return new_frame(form, <const uint8_t *> PyBytes_AS_STRING(block), <size_t> PyBytes_GET_SIZE(block), payload,
                     max_message)


cdef class Encoder:
    """Frames that have their headers in common."""

    cdef Format form
    cdef bytes block
    cdef readonly object headers
    cdef readonly uint32_t max_message_size, max_headers_size

    def __init__(self, Format form not None, headers, max_message_size, max_headers_size):
        self.form = form
        self.headers = headers
        self.max_message_size = message_limit(form, max_message_size)
        self.max_headers_size = headers_limit(form, max_headers_size)
        self.block = encode_headers(form, headers, max_headers_size)

    def encode(self, payload):
        """One frame with the encoder's headers and this payload, which may be any bytes-like object."""
        return new_frame(self.form, <const uint8_t *> PyBytes_AS_STRING(self.block),
                         <size_t> PyBytes_GET_SIZE(self.block), payload, self.max_message_size)
