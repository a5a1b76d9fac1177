import subprocess
import sys

import pytest

from hierattn.models.registry import find_model, list_models
from hierattn.models.sizes import ModelSize, known_sizes, measure_size


def test_the_table_holds_the_registry_in_its_order() -> None:
    assert [size.name for size in known_sizes()] == list_models()
    for size in known_sizes():
        assert size.source == find_model(size.name).source


@pytest.mark.slow
@pytest.mark.parametrize("size", known_sizes(), ids=lambda size: size.name)
def test_the_table_holds_what_the_networks_have(size: ModelSize) -> None:
    assert measure_size(size.name) == size


def test_the_list_of_models_waits_for_no_pytorch() -> None:
    code = (
        "import sys; sys.argv = ['hierattn', 'models']\n"
        "from hierattn.cli.main import main\n"
        "try: main()\n"
        "finally: print('torch' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "hierattn_xs.pad_ufes_20" in done.stdout and done.stdout.split()[-1] == "False"
