# distutils: sources = _ext/crc32_paths.c
"""CRC-32 by every path that this machine has, and the one that the kernels take."""

import os

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport uint8_t, uint32_t

from asrproto._kernels import cpu

cdef extern from "cpu.h" nogil:
    int asrproto_cpu_features()

cdef extern from "crc32.h" nogil:
    ctypedef uint32_t (*asrproto_crc32_fn)(uint32_t crc, const uint8_t *data, size_t size) noexcept
    ctypedef struct asrproto_crc32_path:
        const char *name
        int level
        int features
        asrproto_crc32_fn run
    const asrproto_crc32_path asrproto_crc32_paths[]
    void asrproto_crc32_init()

asrproto_crc32_init()


def _available():
    """Position in the table of paths by name, slowest first."""
    cdef int features = asrproto_cpu_features()
    cdef int i = 0
    found = {}
    while asrproto_crc32_paths[i].name != NULL:
        if asrproto_crc32_paths[i].features & ~features == 0:
            found[asrproto_crc32_paths[i].name.decode()] = i
        i += 1
    return found


PATHS = _available()


def _choose():
    """The fastest path, within the level that ASRPROTO_SIMD allows where it forces one."""
    if not os.environ.get("ASRPROTO_SIMD"):
        return list(PATHS)[-1]
    return [name for name, i in PATHS.items() if asrproto_crc32_paths[<int> i].level <= cpu.LEVEL][-1]


PATH = _choose()


def crc32(data, uint32_t value=0, *, path=None):
    """The CRC-32 of `data`, continued from `value`, by the path named `path` (else by `PATH`)."""
    if path is None:
        path = PATH
    cdef int i = PATHS[path]
    cdef asrproto_crc32_fn run = asrproto_crc32_paths[i].run
    cdef Py_buffer view
    cdef uint32_t crc
    PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
    with nogil:
        crc = run(value, <const uint8_t *> view.buf, <size_t> view.len)
    PyBuffer_Release(&view)
    return crc
