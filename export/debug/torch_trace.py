"""Trace of a torch network on one image: every operation, its module and its inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from export.errors import ExportError

_COPIES = frozenset({"clone", "_to_copy", "contiguous"})
"""Operations that only copy: their result is the same tensor in another layout."""


@dataclass(frozen=True, eq=False)
class TorchStep:
    """One operation that depends on the image.

    Attributes:
        module: qualified name of the innermost module that was running; "" for the network itself.
        operation: torch's name, such as ``convolution`` or ``softmax``.
        inputs: indices of the steps whose results it reads; empty where it reads the image alone.
        value: its result, float32, in C order of torch's own shape.
    """

    index: int
    module: str
    operation: str
    inputs: frozenset[int]
    value: np.ndarray


Substitute = Callable[[TorchStep], np.ndarray | None]
"""Called with each step: returns a value to continue with, in its shape; None to keep it."""


def trace_torch(
    model: nn.Module, image: np.ndarray, substitute: Substitute = lambda step: None
) -> list[TorchStep]:
    """Run a network in evaluation mode on float32 [1, 3, S, S]; the last step gives the logits.

    Operations are caught where torch dispatches them, so that functional calls in a ``forward``
    are seen like modules. Views are no steps; steps that do not lead to the logits are left out.

    Args:
        model: the network.
        image: its input.
        substitute: called after every step, including those that do not lead to the logits.

    Raises:
        ExportError: the network does not return one tensor computed from the image.
    """
    recorder = _Recorder(torch.from_numpy(np.array(image, dtype=np.float32)), substitute)
    with torch.no_grad(), _named_modules(model, recorder.running), recorder:
        logits = model(recorder.image)
    last = recorder.step_of(logits) if isinstance(logits, Tensor) else None
    if last is None:
        raise ExportError("the network does not answer with one tensor made from its image")
    needed, waiting = set(), [last]
    while waiting:
        index = waiting.pop()
        if index not in needed:
            needed.add(index)
            waiting.extend(recorder.steps[index].inputs)
    return [step for step in recorder.steps if step.index in needed]


@contextmanager
def _named_modules(model: nn.Module, running: list[str]) -> Iterator[None]:
    """Keep ``running`` the stack of names of the modules that are being called."""

    def entering(name: str) -> Callable[..., None]:
        return lambda *_: running.append(name)

    def leaving(*_: object) -> None:
        running.pop()

    hooks = []
    for name, module in model.named_modules():
        hooks.append(module.register_forward_pre_hook(entering(name)))
        hooks.append(module.register_forward_hook(leaving, always_call=True))
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


class _Recorder(TorchDispatchMode):
    """Records each result, and by its memory which step wrote what later ones read."""

    def __init__(self, image: Tensor, substitute: Substitute) -> None:
        super().__init__()
        self.substitute = substitute
        self.image = image
        self.steps: list[TorchStep] = []
        self.running = [""]
        # Step that last wrote a piece of memory; None for the image. The tensors are kept, so
        # that no memory is given out twice.
        self._writers: dict[int, int | None] = {_memory(image): None}
        self._kept: list[Tensor] = []

    def step_of(self, tensor: Tensor) -> int | None:
        """Index of the step that made a tensor; None where it is the image or a constant."""
        return self._writers.get(_memory(tensor))

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        answer = func(*args, **(kwargs or {}))
        read = {_memory(x) for x in tree_leaves((args, kwargs)) if isinstance(x, Tensor)}
        from_image = read & self._writers.keys()
        if from_image:
            writers = {self._writers[memory] for memory in from_image}
            inputs = frozenset(writer for writer in writers if writer is not None)
            for made in tree_leaves(answer):
                is_view = isinstance(made, Tensor) and _memory(made) in read
                if isinstance(made, Tensor) and (not is_view or func._schema.is_mutable):
                    self._record(func._schema.name.removeprefix("aten::"), inputs, made)
        return answer

    def _record(self, operation: str, inputs: frozenset[int], made: Tensor) -> None:
        self._kept.append(made)
        if (operation in _COPIES and len(inputs) == 1) or not made.is_floating_point():
            self._writers[_memory(made)] = max(inputs, default=None)
            return
        self._writers[_memory(made)] = len(self.steps)
        # Copied, because a later operation may work in place.
        value = np.array(made.detach().float().cpu().numpy(), order="C", copy=True)
        step = TorchStep(len(self.steps), self.running[-1], operation.strip("_"), inputs, value)
        self.steps.append(step)
        other = self.substitute(step)
        if other is not None:
            made.copy_(torch.from_numpy(other))


def _memory(tensor: Tensor) -> int:
    return tensor.untyped_storage().data_ptr()
