from typing import final

from typing_extensions import Buffer

FIELDS: tuple[str, ...]

@final
class Frame:
    def __init__(
        self,
        message_type: int,
        *,
        flags: int = 0,
        serialization: int = 0,
        compression: int = 0,
        sequence: int | None = None,
        event: int | None = None,
        connection_id: str | None = None,
        session_id: str | None = None,
        error_code: int | None = None,
        payload: Buffer = b"",
        extension: Buffer = b"",
        reserved: int = 0,
    ) -> None: ...
    @property
    def message_type(self) -> int: ...
    @property
    def flags(self) -> int: ...
    @property
    def serialization(self) -> int: ...
    @property
    def compression(self) -> int: ...
    @property
    def sequence(self) -> int | None: ...
    @property
    def event(self) -> int | None: ...
    @property
    def connection_id(self) -> str | None: ...
    @property
    def session_id(self) -> str | None: ...
    @property
    def error_code(self) -> int | None: ...
    @property
    def payload(self) -> bytes: ...
    @property
    def extension(self) -> bytes: ...
    @property
    def reserved(self) -> int: ...
    def with_payload(self, payload: bytes) -> Frame: ...
    def __eq__(self, other: object) -> bool: ...
    def __hash__(self) -> int: ...

def encode(frame: Frame, packed: bytes | None = None) -> bytes | int: ...
@final
class Decoder:
    def __init__(
        self,
        types: tuple[int, ...],
        flags: tuple[int, ...],
        serializations: tuple[int, ...],
        compressions: tuple[int, ...],
        events: dict[int, int],
    ) -> None: ...
    def decode(self, data: Buffer, limit: int) -> Frame | tuple[int, int]: ...
