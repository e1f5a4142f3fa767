LEVELS: dict[str, int]
AVAILABLE: tuple[str, ...]
LEVEL_NAME: str
LEVEL: int
