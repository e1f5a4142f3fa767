"""The `asrproto` command starts here; it needs the extra ``cli``, and says so where that is not installed.

Nothing of the extra may be imported by this module itself.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

EXTRA = frozenset({"click", "rich", "soundfile"})
INSTALL = "asrproto: the command line needs a few more packages: pip install 'asrproto[cli]'"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the result is the exit status."""
    try:
        from asrproto.cli.app import run
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in EXTRA:
            raise
        print(INSTALL, file=sys.stderr)
        return 2
    return run(arguments)


if __name__ == "__main__":
    sys.exit(main())
