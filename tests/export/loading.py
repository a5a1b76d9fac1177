"""Loads an exported file in a process of its own, to hear what that writes on stderr."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_LOAD = """
import sys
from pathlib import Path
from export.errors import ArtefactError
from export.formats.load import load_artefact
from hierattn.cli.console import set_up_logging
set_up_logging(verbose=False)
try:
    load_artefact(Path(sys.argv[1]))
except ArtefactError as error:
    print(error)
"""


def loading_says(path: Path) -> str:
    """All of stderr, with logging as the commands set it up; a refusal is not in it."""
    done = subprocess.run(
        [sys.executable, "-c", _LOAD, path], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stderr
