from pathlib import Path

import pytest

from tests.mutated_files import Kind, kinds, try_damaged


@pytest.mark.parametrize("kind", tuple(kinds()), ids=lambda kind: kind.name)
@pytest.mark.filterwarnings("ignore:::PIL")
def test_damaged_files_are_read_or_refused_in_one_line(kind: Kind, tmp_path: Path) -> None:
    for content in kind.whole:
        (tmp_path / kind.name).write_bytes(content)
        kind.read(tmp_path / kind.name)
    outcome = try_damaged(kind, 300, 0, tmp_path)
    # Of JSON hardly any damaged file is whole; each file that is read was read above as it is.
    assert outcome["refused"] > 0 and sum(outcome.values()) == 300
