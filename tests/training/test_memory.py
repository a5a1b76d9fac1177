import os
import platform
import subprocess
import sys

import pytest

from hierattn.training.memory import keep_freed_memory

# Resident memory in MiB after taking and freeing 64 blocks of 4 MiB, which glibc would map.
CHILD = """
import sys
from hierattn.training.memory import keep_freed_memory
if sys.argv[1] == "keep":
    assert keep_freed_memory()
blocks = [b"x" * 2**22 for _ in range(64)]
del blocks
pages = int(open("/proc/self/statm").read().split()[1])
print(pages * 4096 // 2**20)
"""


def resident(mode: str) -> int:
    output = subprocess.run(
        [sys.executable, "-c", CHILD, mode],
        env={**os.environ, "MALLOC_ARENA_MAX": "1"},
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    return int(output)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has these settings")
def test_freed_memory_stays_with_the_process_only_when_asked() -> None:
    assert resident("leave") < 100
    assert resident("keep") > 200


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    assert keep_freed_memory() is False
