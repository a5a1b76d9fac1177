"""Folding of batch norm into the convolution before it."""

from __future__ import annotations

from collections import Counter

from torch import Tensor, nn

from export.passes.rewrite import Rewrite, affine_of, run_once, set_affine


def fold_batch_norm(convolution: nn.Conv2d, norm: nn.BatchNorm2d) -> None:
    """Make a convolution compute ``norm(convolution(x))`` with the norm's running statistics.

    Raises:
        ValueError: the norm keeps no statistics, so that it depends on the batch.
    """
    if norm.running_mean is None or norm.running_var is None:
        raise ValueError("a batch norm without running statistics cannot be folded")
    weight, bias = affine_of(convolution)
    scale = (norm.running_var.double() + norm.eps).rsqrt()
    shift = -norm.running_mean.double() * scale
    if norm.affine:
        gain = norm.weight.detach().double()
        scale, shift = scale * gain, shift * gain + norm.bias.detach().double()
    set_affine(convolution, weight * scale[:, None, None, None], bias * scale + shift)


def find_pairs(root: nn.Module, image_size: int) -> list[tuple[str, str]]:
    """Names of every convolution and the batch norm that reads its output, found in one run.

    Either must be called once only. Another reader of the convolution's output, if it is no
    module, would not be seen; none of the networks has one.
    """
    outputs: list[tuple[Tensor, str]] = []
    pairs: list[tuple[str, str]] = []
    calls: Counter[str] = Counter()
    handles = []
    for name, module in root.named_modules():
        if isinstance(module, nn.Conv2d):

            def made(_: nn.Module, __: object, output: Tensor, name: str = name) -> None:
                calls[name] += 1
                outputs.append((output, name))

            handles.append(module.register_forward_hook(made))
        elif isinstance(module, nn.BatchNorm2d) and module.track_running_stats:

            def read(_: nn.Module, inputs: tuple[Tensor, ...], name: str = name) -> None:
                calls[name] += 1
                pairs.extend((maker, name) for made, maker in outputs if made is inputs[0])

            handles.append(module.register_forward_pre_hook(read))
    try:
        run_once(root, image_size)
    finally:
        for handle in handles:
            handle.remove()
    return [(maker, name) for maker, name in pairs if calls[maker] == calls[name] == 1]


def _fold(root: nn.Module, image_size: int) -> None:
    modules = dict(root.named_modules())
    for maker, name in find_pairs(root, image_size):
        convolution, norm = modules[maker], modules[name]
        if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            fold_batch_norm(convolution, norm)
            # timm's batch norm carries the activation with it.
            root.set_submodule(name, getattr(norm, "act", nn.Identity()))


FOLD_BATCH_NORM = Rewrite(
    "batch norm", "a fixed scale and shift by channel: folded into the convolution before", _fold
)
