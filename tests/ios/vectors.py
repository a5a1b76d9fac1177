"""``python -m tests.ios.vectors FOLDER``: what the Swift tests compare with, for a Mac."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.android.vectors import Amounts, photos_folder, write_vectors

if __name__ == "__main__":
    print(f"{write_vectors(Path(sys.argv[1]), photos_folder(), Amounts())} real photos")
