"""The commands of this room: what cannot be is one line on stderr and exit code 2, as a wrong option is."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from ..checks import printable


@contextmanager
def command(name: str) -> Iterator[None]:
    """Run the block as the command `name`."""
    try:
        yield
    except (ValueError, TypeError, OSError) as error:
        print(f"{name}: {printable(' '.join(str(error).split()))}", file=sys.stderr)
        sys.exit(2)
