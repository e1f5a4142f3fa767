"""Taking frames apart: prelude, checksum, headers, and the decoder that finds frames in a stream."""


cdef struct Prelude:
    uint32_t total, headers_len, crc


cdef inline int read_prelude(const uint8_t *p, Prelude *prelude, uint32_t max_message,
                             uint32_t max_headers) noexcept nogil:
    """0, or why the 12 bytes at p cannot begin a frame: checksum, then consistency, then limits.

    Nobody reads these bytes again: they may lie in a buffer that somebody else is changing.
    """
    cdef uint8_t[PRELUDE] bytes12
    memcpy(bytes12, p, PRELUDE)
    prelude.total = big32(bytes12)
    prelude.headers_len = big32(bytes12 + 4)
    prelude.crc = big32(bytes12 + 8)
    if crc32(0, bytes12, 8) != prelude.crc:
        return PRELUDE_CHECKSUM
    if prelude.total < OVERHEAD:
        return TOTAL_TOO_SMALL
    if prelude.headers_len > prelude.total - OVERHEAD:
        return HEADERS_OVERRUN
    if prelude.total > max_message:
        return MESSAGE_TOO_LARGE
    return HEADERS_TOO_LARGE if prelude.headers_len > max_headers else 0


cdef tuple prelude_fault(int code, const uint8_t *p, Prelude *prelude, uint32_t max_message, uint32_t max_headers):
    if code == PRELUDE_CHECKSUM:
        return code, 8, prelude.crc, crc32(0, p, 8)
    if code == TOTAL_TOO_SMALL:
        return code, 0, prelude.total, OVERHEAD
    if code == HEADERS_OVERRUN:
        return code, 4, prelude.headers_len, prelude.total - OVERHEAD
    if code == MESSAGE_TOO_LARGE:
        return code, 0, prelude.total, max_message
    return code, 4, prelude.headers_len, max_headers


cdef inline tuple check_message(const uint8_t *p, Prelude *prelude):
    """None, or the fault of a frame whose message checksum does not hold."""
    cdef uint32_t crc, wanted
    if prelude.total > SMALL:
        with nogil:
            crc = checksum(p, prelude.crc, prelude.total)
    else:
        crc = checksum(p, prelude.crc, prelude.total)
    wanted = big32(p + prelude.total - 4)
    if crc != wanted:
        return MESSAGE_CHECKSUM, <int64_t> prelude.total - 4, wanted, crc
    return None


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
            raw = PyBytes_FromStringAndSize(<const char *> block + start + 1, name_len)
            return NAME_NOT_UTF8, PRELUDE + start + 1, raw, None
        try:
            value = parse_value(form, block + at, kind, width)
        except UnicodeDecodeError:
            return VALUE_NOT_UTF8, PRELUDE + at, name, None
        if name in headers:
            return NAME_REPEATED, PRELUDE + start, name, None
        headers[name] = value
        at += width
    return headers


cdef inline Frame new_message(Format form, headers, bytes source, const uint8_t *p, Prelude *prelude):
    """The message of the checked frame at p, which lies in `source`, or else is gone soon."""
    cdef const char *payload = <const char *> p + PRELUDE + prelude.headers_len
    cdef Frame frame = <Frame> asrproto_new(form.message, ())
    frame.headers = headers
    frame.size = <Py_ssize_t> (prelude.total - OVERHEAD - prelude.headers_len)
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
        found = decode_whole(form, data if type(data) is bytes else None, <const uint8_t *> view.buf, view.len,
                             max_message, max_headers)
    finally:
        PyBuffer_Release(&view)
    if type(found) is tuple:
        raise form.wrong(*<tuple> found)
    return found


cdef decode_whole(Format form, bytes source, const uint8_t *p, Py_ssize_t size, uint32_t max_message,
                  uint32_t max_headers):
    cdef Prelude prelude
    cdef int code
    cdef tuple fault
    if size < PRELUDE:
        return FRAME_CUT, size, size, PRELUDE
    code = read_prelude(p, &prelude, max_message, max_headers)
    if code:
        return prelude_fault(code, p, &prelude, max_message, max_headers)
    if size < <Py_ssize_t> prelude.total:
        return FRAME_CUT, size, size, prelude.total
    fault = check_message(p, &prelude)
    if fault is not None:
        return fault
    headers = parse_headers(form, p + PRELUDE, prelude.headers_len)
    if type(headers) is tuple:
        return headers
    if size > <Py_ssize_t> prelude.total:
        return TRAILING_BYTES, prelude.total, size - <Py_ssize_t> prelude.total, None
    return new_message(form, headers, source, p, &prelude)


cdef class Decoder:
    """Frames out of a stream that comes in pieces.

    `held` is the beginning of a frame that is not complete, `offset` its place in the stream. Its prelude is checked
    as soon as it is there; the buffer grows with what has come, not with what the prelude promises.
    """

    cdef Format form
    cdef readonly uint32_t max_message_size, max_headers_size
    cdef Prelude prelude            # of the frame that is being read, once its 12 bytes are there
    cdef uint8_t *held
    cdef size_t held_size
    cdef readonly size_t _capacity
    cdef readonly uint64_t _copied  # bytes that were stored or moved so far, so that tests can count the work
    cdef uint64_t offset
    cdef bytes last_block           # the header block of the message before: mostly the next message has the same
    cdef object last_headers
    cdef tuple fault
    cdef list spare                 # an empty list given out before: small pieces mostly complete nothing
    cdef bint closed, busy

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
        cdef size_t size
        with cython.critical_section(self):
            if type(data) is bytes and self.held_size >= PRELUDE and not self.busy:
                size = <size_t> PyBytes_GET_SIZE(data)
                if size < self.prelude.total - self.held_size and size <= self._capacity - self.held_size:
                    # the short way for a small piece of a frame, whose prelude holds or there would be nothing held
                    memcpy(self.held + self.held_size, PyBytes_AS_STRING(data), size)
                    self.held_size += size
                    self._copied += size
                    return self.empty()
            return self.take(data)

    def close(self):
        """The stream has ended: raise where that leaves a frame incomplete."""
        with cython.critical_section(self):
            if self.closed and self.fault is None:
                return
            self.ready()
            self.closed = True
            if self.held_size:
                self.fail((FRAME_CUT, self.held_size, self.held_size,
                           self.prelude.total if self.held_size >= PRELUDE else PRELUDE), [])

    def _state(self):
        """What `_restore` needs to go on elsewhere."""
        with cython.critical_section(self):
            if self.busy:
                raise self.form.wrong(WISH_WHILE_BUSY, None, None, None)
            held = PyBytes_FromStringAndSize(<const char *> self.held, <Py_ssize_t> self.held_size)
            return self.offset, held, self.fault, self.closed

    def _restore(self, uint64_t offset, bytes held, tuple fault, bint closed):
        self.offset = offset
        self.take(held)
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

    cdef list take(self, data):
        cdef Py_buffer view
        cdef list messages
        cdef tuple fault
        self.ready()
        messages = self.empty()
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
        if messages:
            self.spare = None
        return messages

    cdef inline list empty(self):
        """An empty list: the one that was given out last if nobody has kept it."""
        if not asrproto_only_ours(<PyObject *> self.spare) or self.spare:
            self.spare = []
        return self.spare

    cdef int fail(self, tuple fault, list messages) except -1:
        """Keep the fault for good, with its place in the stream, and raise it."""
        self.fault = (fault[0], <object> self.offset + fault[1], fault[2], fault[3])
        self.release()
        raise self.form.wrong(*self.fault, messages)

    cdef void release(self) noexcept:
        free(self.held)
        self.held = NULL
        self.held_size = self._capacity = 0

    cdef int hold(self, const uint8_t *p, size_t size) except -1:
        """Append to what is held; room doubles as it is needed."""
        cdef size_t needed = self.held_size + size
        cdef size_t room
        cdef uint8_t *moved
        if needed > self._capacity:
            room = max(needed, 2 * self._capacity)
            if needed > PRELUDE:
                room = min(room, max(needed, <size_t> self.prelude.total))
            moved = <uint8_t *> realloc(self.held, room)
            if moved == NULL:
                raise MemoryError
            self._copied += self.held_size
            self.held = moved
            self._capacity = room
        memcpy(self.held + self.held_size, p, size)
        self._copied += size
        self.held_size = needed
        return 0

    cdef tuple consume(self, bytes source, const uint8_t *p, size_t size, list messages):
        """Append the messages that end in the `size` bytes at p; None, or the fault that ends the stream."""
        cdef size_t missing
        cdef tuple fault
        if size == 0:
            return None
        if self.held_size:
            if self.held_size < PRELUDE:
                missing = min(size, PRELUDE - self.held_size)
                self.hold(p, missing)
                p += missing
                size -= missing
                if self.held_size < PRELUDE:
                    return None
                fault = self.begin(self.held)
                if fault is not None:
                    return fault
            missing = min(size, self.prelude.total - self.held_size)
            self.hold(p, missing)
            p += missing
            size -= missing
            if self.held_size < self.prelude.total:
                return None
            fault = self.complete(None, self.held, messages)
            if fault is not None:
                return fault
            self.held_size = 0
            if self._capacity > SMALL:
                self.release()
        while size >= PRELUDE:
            fault = self.begin(p)
            if fault is not None:
                return fault
            if size < self.prelude.total:
                break
            fault = self.complete(source, p, messages)
            if fault is not None:
                return fault
            p += self.prelude.total
            size -= self.prelude.total
        if size:
            self.hold(p, size)
        return None

    cdef inline tuple begin(self, const uint8_t *p):
        """Check the prelude at p."""
        cdef int code = read_prelude(p, &self.prelude, self.max_message_size, self.max_headers_size)
        if code:
            return prelude_fault(code, p, &self.prelude, self.max_message_size, self.max_headers_size)
        return None

    cdef tuple complete(self, bytes source, const uint8_t *p, list messages):
        """Append the message of the whole frame at p."""
        cdef const uint8_t *block = p + PRELUDE
        cdef uint32_t size = self.prelude.headers_len
        cdef tuple fault = check_message(p, &self.prelude)
        if fault is not None:
            return fault
        if (self.last_block is not None and PyBytes_GET_SIZE(self.last_block) == size
                and memcmp(PyBytes_AS_STRING(self.last_block), block, size) == 0):
            headers = self.last_headers
        else:
            headers = parse_headers(self.form, block, size)
            if type(headers) is tuple:
                return headers
            if size <= REMEMBERED:
                self.last_block = PyBytes_FromStringAndSize(<const char *> block, size)
                self.last_headers = headers
        messages.append(new_message(self.form, headers, source, p, &self.prelude))
        self.offset += self.prelude.total
        return None
