"""Every path of the CRC-32 kernel against zlib and crcmod."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import zlib

import crcmod.predefined
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrproto._kernels import cpu
from asrproto._kernels import crc32 as kernel

crcmod_crc32 = crcmod.predefined.mkPredefinedCrcFun("crc-32")

BYTES = random.Random(0).randbytes(2048)

every_path = pytest.mark.parametrize("path", kernel.PATHS)


@every_path
def test_known_values(path: str) -> None:
    # "check" of CRC-32/ISO-HDLC in the catalogue of parametrised CRC algorithms (G. Cook)
    assert kernel.crc32(b"123456789", path=path) == 0xCBF43926
    assert kernel.crc32(b"", path=path) == 0
    assert kernel.crc32(b"", 0x12345678, path=path) == 0x12345678


@every_path
def test_every_length_and_start_value_as_zlib_and_crcmod(path: str) -> None:
    for length in range(1100):
        piece = BYTES[:length]
        for start in (0, 1, 0xFFFFFFFF, 0x9ABCDEF0):
            assert kernel.crc32(piece, start, path=path) == zlib.crc32(piece, start), (length, start)
        assert kernel.crc32(piece, path=path) == crcmod_crc32(piece), length


@every_path
def test_every_length_at_every_alignment(path: str) -> None:
    for offset in range(64):
        view = memoryview(bytearray(offset) + BYTES)[offset:]
        for length in range(0, 601, 1 if offset in (0, 1, 15, 63) else 13):
            assert kernel.crc32(view[:length], 77, path=path) == zlib.crc32(view[:length], 77), (offset, length)


@every_path
@given(data=st.binary(max_size=5000), start=st.integers(0, 2**32 - 1), cut=st.integers(0, 5000))
def test_any_bytes_in_two_pieces(path: str, data: bytes, start: int, cut: int) -> None:
    whole = kernel.crc32(data, start, path=path)
    assert whole == zlib.crc32(data, start)
    assert kernel.crc32(data[cut:], kernel.crc32(data[:cut], start, path=path), path=path) == whole


@every_path
def test_large(path: str) -> None:
    data = random.Random(1).randbytes(3_000_001)
    assert kernel.crc32(data, path=path) == zlib.crc32(data)


def test_the_fastest_path_is_taken_unless_told_otherwise() -> None:
    code = "from asrproto._kernels import crc32; print(crc32.PATH)"

    def path(level: str) -> str:
        environment = {**os.environ, "ASRPROTO_SIMD": level}
        return subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True,
                              text=True).stdout.strip()

    assert path("") == list(kernel.PATHS)[-1]
    assert path("baseline") == "table"
    allowed = {"avx2": ("table", "pclmul"), "avx512": ("pclmul", "vpclmul"), "neon": ("table", "armcrc")}
    for level in cpu.AVAILABLE:
        if level != "baseline":
            assert path(level) in allowed[level]
