from typing_extensions import Buffer

PATHS: dict[str, int]
PATH: str

def crc32(data: Buffer, value: int = 0, *, path: str | None = None) -> int: ...
