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
    assert min(outcome.values()) > 0 and sum(outcome.values()) == 300
