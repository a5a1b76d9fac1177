"""Abilities of TorchScript files."""

from pathlib import Path

from export.formats.abilities import Abilities, Platform, Runtime

RUNTIME = Runtime(
    "torchscript",
    "torch",
    "torch",
    frozenset({Platform.HOST, Platform.ANDROID}),
    str(Path(__file__).with_name("engine.py")),
)

ABILITIES = Abilities(
    name="torchscript",
    title="TorchScript",
    suffix=".torchscript",
    extra="torchscript",
    implementation="tests.export.formats.torchscript.format:TorchscriptFormat",
    packages=("torch",),
    packages_to_run=("torch",),
    runtimes=(RUNTIME,),
    precisions=("fp32",),
    tools=("torch",),
    evaluators=("torchscript",),
    by_default=False,
)
