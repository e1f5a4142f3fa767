"""What encode_multipart writes is read back by the ``multipart`` package, and agrees with httpx's encoder."""

from __future__ import annotations

import io

import httpx2
import multipart
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrproto.errors import LocalProtocolError
from asrproto.http import FilePart, MultipartBody, encode_multipart


def parse(body: MultipartBody) -> list[tuple[str, str | None, str, bytes]]:
    data = bytes(body)
    assert len(data) == len(body) == body.content_length
    _, options = multipart.parse_options_header(body.content_type)
    parser = multipart.MultipartParser(io.BytesIO(data), options["boundary"], content_length=len(data), strict=True)
    return [(part.name, part.filename, part.content_type, part.raw) for part in parser]


def test_known_form() -> None:
    """The layout of RFC 7578, section 4, written out."""
    body = encode_multipart([("model", "whisper-1"), FilePart("file", "a.wav", b"RIFF", "audio/wav"), ("x", "ü")],
                            boundary="AaB03x")
    assert body.content_type == "multipart/form-data; boundary=AaB03x"
    assert bytes(body) == (
        b'--AaB03x\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n'
        b'--AaB03x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n'
        b'Content-Type: audio/wav\r\n\r\nRIFF\r\n'
        b'--AaB03x\r\nContent-Disposition: form-data; name="x"\r\n\r\n\xc3\xbc\r\n'
        b'--AaB03x--\r\n')
    assert bytes(encode_multipart([], boundary="x")) == b"--x--\r\n"


@given(st.lists(st.tuples(st.text("abü\"\r\n;=[]", min_size=1), st.text()), max_size=5), st.binary(), st.booleans())
def test_round_trip(fields: list[tuple[str, str]], content: bytes, streamed: bool) -> None:
    pieces = (content[i:i + 7] for i in range(0, len(content), 7))
    file = FilePart("file", 'sp"e\r\nech.wav', pieces if streamed else content, "audio/wav", length=len(content))
    found = parse(encode_multipart([*fields, file]))  # the parser undoes the escapes, as servers do
    assert [(part[0], part[3]) for part in found[:-1]] == [(name, value.encode()) for name, value in fields]
    assert found[-1] == ("file", 'sp"e\r\nech.wav', "audio/wav", content)


def test_escapes() -> None:
    """The example of the HTML standard: a name of quote, CR, LF, and text that stays raw."""
    data = bytes(encode_multipart([('a"\r\nü\\%', "")], boundary="x"))
    assert 'name="a%22%0D%0Aü\\%"\r\n\r\n'.encode() in data


@given(st.lists(st.tuples(st.text("abü\"\r\n\t;=[]", min_size=1), st.text()), max_size=5, unique_by=lambda row: row[0]),
       st.binary())
def test_same_bytes_as_httpx(fields: list[tuple[str, str]], content: bytes) -> None:
    ours = encode_multipart([*fields, FilePart("file", "spéech.mp3", content, "audio/mpeg")], boundary="b0undary")
    theirs = httpx2.Request("POST", "https://example.org/", data=dict(fields),
                            files={"file": ("spéech.mp3", content, "audio/mpeg")},
                            headers={"Content-Type": ours.content_type})
    assert bytes(ours) == theirs.read()
    assert theirs.headers["Content-Length"] == str(len(ours))


def test_pieces() -> None:
    content = b"x" * 1000
    body = encode_multipart([("a", "1"), ("b", "2"), FilePart("f", "f", content)])
    pieces = list(body)
    assert len(pieces) == 3
    assert pieces[1] is content  # not copied
    assert b"".join(pieces) == bytes(body)
    assert encode_multipart([]).boundary != encode_multipart([]).boundary
    assert bytes(encode_multipart([FilePart("f", "f", memoryview(bytearray(b"abc")))], boundary="x")).count(b"abc") == 1


def test_streamed_length_is_checked() -> None:
    for pieces, word in (([b"abc"], "fewer"), ([b"abc", b"de"], "more"), ([], "fewer")):
        body = encode_multipart([FilePart("f", "f.wav", iter(pieces), length=4)])
        with pytest.raises(LocalProtocolError, match=word):
            list(body)
    with pytest.raises(LocalProtocolError, match="length"):
        encode_multipart([FilePart("f", "f.wav", iter([b""]))])


@pytest.mark.parametrize("boundary", ["", "a" * 71, "ends in space ", "ü", "a\r\nb", 'a"b', "a;b"])
def test_boundaries_that_rfc_2046_forbids(boundary: str) -> None:
    with pytest.raises(LocalProtocolError, match="boundary"):
        encode_multipart([], boundary=boundary)


def test_boundary_in_content() -> None:
    for field in (("a", "xxAaB03xxx"), FilePart("f", "f", b"--AaB03x")):
        with pytest.raises(LocalProtocolError, match="boundary stands in the content"):
            encode_multipart([field], boundary="AaB03x")
    body = encode_multipart([("a", "b")], boundary="with (all) of: it's?/=+_,.-x")
    assert parse(body) == [("a", None, "text/plain", b"b")]


def test_wrong_use() -> None:
    with pytest.raises(LocalProtocolError, match="control characters"):
        encode_multipart([FilePart("f", "f", b"", "audio/wav\r\nX: y")])
    for field in (("a", "\ud800"), ("\ud800", "a"), FilePart("f", "\udcff", b"")):
        with pytest.raises(LocalProtocolError, match="UTF-8"):
            encode_multipart([field])


def test_repr_is_short() -> None:
    assert "secretsecret" not in repr(FilePart("f", "f.wav", b"secretsecret"))
