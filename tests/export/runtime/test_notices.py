import os

import pytest

from export.runtime.notices import without_notices


def test_notices_are_left_out_and_all_else_is_shown(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError), without_notices():
        os.write(2, b"INFO: Created a delegate.\nWARNING: slow\nINFO: more\n")
        os.write(2, b"ERROR: it ends here")
        raise ValueError
    os.write(2, b"\nINFO: of somebody else\n")
    assert capfd.readouterr().err == "WARNING: slow\nERROR: it ends here\nINFO: of somebody else\n"
