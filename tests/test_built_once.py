"""What is built once for all of pytest's processes is also tried only once."""

from pathlib import Path

import pytest

from tests.conftest import built_once


def test_a_failed_build_is_not_tried_by_the_next_process(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    tried: list[Path] = []

    def build(out: Path) -> None:
        tried.append(out)
        raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        built_once(tmp_path_factory, "tests/failing", build)
    with pytest.raises(pytest.fail.Exception, match=r"tests/failing failed .*no room"):
        built_once(tmp_path_factory, "tests/failing", build)
    assert len(tried) == 1


def test_a_finished_build_serves_all(tmp_path_factory: pytest.TempPathFactory) -> None:
    tried: list[Path] = []

    def build(out: Path) -> None:
        tried.append(out)
        out.mkdir()

    first, second = (built_once(tmp_path_factory, "tests/working", build) for _ in range(2))
    assert first == second == tried[0] and first.is_dir() and len(tried) == 1
