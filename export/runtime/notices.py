"""What a runtime writes on stderr while this process loads it, or opens a file in it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from hierattn.common.temporary import memory_file


@contextmanager
def without_notices(beginning: bytes = b"INFO:") -> Iterator[None]:
    """Leave out the lines of stderr that begin so, with b"" all; others appear after the block.

    For runtimes that have no setting for it. Their own code writes to the file descriptor, which
    Python's ``sys.stderr`` does not see.
    """
    sys.stderr.flush()
    real = os.dup(2)
    with memory_file() as said:
        os.dup2(said.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(real, 2)
            said.seek(0)
            for line in said:
                if not line.startswith(beginning):
                    os.write(real, line)
            os.close(real)
