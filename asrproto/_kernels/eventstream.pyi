from collections.abc import Callable
from typing import Any

from typing_extensions import Buffer, disjoint_base

PRELUDE_CHECKSUM: int
MESSAGE_CHECKSUM: int
TOTAL_TOO_SMALL: int
HEADERS_OVERRUN: int
MESSAGE_TOO_LARGE: int
HEADERS_TOO_LARGE: int
NAME_EMPTY: int
HEADER_CUT: int
TYPE_UNKNOWN: int
VALUE_TOO_LONG: int
NAME_NOT_UTF8: int
VALUE_NOT_UTF8: int
NAME_REPEATED: int
FRAME_CUT: int
TRAILING_BYTES: int
WISH_NAME_TYPE: int
WISH_NAME_LENGTH: int
WISH_NAME_TEXT: int
WISH_VALUE_LENGTH: int
WISH_VALUE_TEXT: int
WISH_VALUE_RANGE: int
WISH_HEADERS_SIZE: int
WISH_MESSAGE_SIZE: int
WISH_LIMIT: int
WISH_AFTER_CLOSE: int
WISH_WHILE_BUSY: int

@disjoint_base
class Format:
    def __init__(self, message: type[Frame], mapping: type[dict[str, Any]], types: tuple[type, ...],
                 pairs: Callable[..., Any], typed: Callable[..., Any], wrong: Callable[..., Any]) -> None: ...

@disjoint_base
class Frame:
    @property
    def headers(self) -> dict[str, Any]: ...
    @property
    def payload(self) -> bytes: ...
    def __init__(self, headers: dict[str, Any], payload: bytes) -> None: ...

@disjoint_base
class Decoder:
    def __init__(self, form: Format, max_message_size: int, max_headers_size: int) -> None: ...
    @property
    def max_message_size(self) -> int: ...
    @property
    def max_headers_size(self) -> int: ...
    @property
    def _capacity(self) -> int: ...
    @property
    def _copied(self) -> int: ...
    @property
    def buffered(self) -> int: ...
    def feed(self, data: Buffer) -> list[Any]: ...
    def close(self) -> None: ...
    def _state(self) -> tuple[Any, ...]: ...
    def _restore(self, offset: int, held: bytes, fault: tuple[Any, ...] | None, closed: bool) -> None: ...

@disjoint_base
class Encoder:
    @property
    def headers(self) -> Any: ...
    @property
    def max_message_size(self) -> int: ...
    @property
    def max_headers_size(self) -> int: ...
    def __init__(self, form: Format, headers: Any, max_message_size: int, max_headers_size: int) -> None: ...
    def encode(self, payload: Buffer) -> bytes: ...

def decode(form: Format, data: Buffer, max_message_size: int, max_headers_size: int) -> Frame: ...
def encode(form: Format, headers: Any, payload: Buffer, max_message_size: int, max_headers_size: int) -> bytes: ...
def encode_frame(
    form: Format, block: bytes, payload: Buffer, max_message_size: int, max_headers_size: int
) -> bytes: ...
def encode_headers(form: Format, headers: Any, max_headers_size: int) -> bytes: ...
