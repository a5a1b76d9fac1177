"""Depthwise convolutions that learn in bfloat16 on a CPU, by a backward pass of their own.

Gradient of a map of 32 photos, 32 channels, 64 x 64 pixels, one thread of an Intel with AMX, torch
2.13, milliseconds of CPU time: with a stride of 1 the library's kernel 3.2, this one 1.3; with 2
the library's 34, in float32 2.4 and as much again for the conversions, this one 2.0. Gradient of
96 kernels of 5 x 5 on 32 x 32 pixels: in bfloat16 127, in float32 25 and 6 for the conversions.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

_SAME = "timm.layers.conv2d_same"
"""Of the convolution that pads its input by itself, as TensorFlow does."""
_SMALL = 3
"""Largest side of a kernel whose gradient is quicker in bfloat16."""


def hasten(network: nn.Module) -> None:
    """Let the depthwise convolutions of a network take this module's way, in place.

    Only under autocast to bfloat16 on a CPU, and where a gradient is wanted; anything else, and
    the names of the weights, stay as they were.
    """
    for part in network.modules():
        if isinstance(part, nn.Conv2d) and _can_be_hastened(part):
            own = DepthwiseConv2d if type(part) is nn.Conv2d else SameDepthwiseConv2d
            part.__class__ = own


def _can_be_hastened(part: nn.Conv2d) -> bool:
    known = type(part) is nn.Conv2d or type(part).__module__ == _SAME
    square = len(set(part.kernel_size)) == 1 and len(set(part.stride)) == 1
    inside = isinstance(part.padding, tuple) and all(
        pad == part.padding[0] < side
        for pad, side in zip(part.padding, part.kernel_size, strict=True)
    )
    return (
        known
        and 1 < part.groups == part.in_channels == part.out_channels
        and square
        and inside
        and part.bias is None
        and part.padding_mode == "zeros"
        and set(part.dilation) == {1}
    )


class DepthwiseConv2d(nn.Conv2d):
    """A plain depthwise convolution."""

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, H, W] to the same channels."""
        if _learns_in_bfloat16(x):
            return _convolve(self, x, int(self.padding[0]))
        return super().forward(x)


class SameDepthwiseConv2d(nn.Conv2d):
    """A depthwise convolution that pads to ceil(side / stride) outputs."""

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, H, W] to [B, C, ceil(H / stride), ceil(W / stride)]."""
        (kernel, _), (stride, _) = self.kernel_size, self.stride
        pads: list[int] = []
        for side in (x.shape[3], x.shape[2]):
            missing = max(0, (-(-side // stride) - 1) * stride + kernel - side)
            pads += [missing // 2, missing - missing // 2]
        x = F.pad(x, pads)
        if _learns_in_bfloat16(x):
            return _convolve(self, x, 0)
        return F.conv2d(x, self.weight, None, self.stride, 0, 1, self.groups)


def _learns_in_bfloat16(x: Tensor) -> bool:
    return (
        x.device.type == "cpu"
        and torch.is_grad_enabled()
        and torch.is_autocast_enabled("cpu")
        and torch.get_autocast_dtype("cpu") == torch.bfloat16
    )


def _convolve(part: nn.Conv2d, x: Tensor, padding: int) -> Tensor:
    result: Tensor = _Depthwise.apply(x.bfloat16(), part.weight, part.stride[0], padding)
    return result


class _Depthwise(torch.autograd.Function):
    """The gradient of the map is a depthwise convolution, too.

    It is that of the output's gradient, spread by the stride, under the turned kernel.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, stride: int, padding: int) -> Tensor:
        """Keep the map and the kernel in bfloat16."""
        kernel = weight.to(x.dtype)
        ctx.save_for_backward(x, kernel)
        ctx.stride, ctx.padding = stride, padding
        return F.conv2d(x, kernel, None, stride, padding, 1, len(kernel))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        """Gradients of map and kernel."""
        x, kernel = ctx.saved_tensors
        stride, padding = ctx.stride, ctx.padding
        of_x = of_kernel = None
        if ctx.needs_input_grad[0]:
            of_x = _gradient_of_map(gradient, x, kernel, stride, padding)
        if ctx.needs_input_grad[1]:
            if kernel.shape[-1] > _SMALL:
                gradient, x, kernel = gradient.float(), x.float(), kernel.float()
            _, of_kernel, _ = torch.ops.aten.convolution_backward(
                gradient, x, kernel, None, [stride] * 2, [padding] * 2, [1, 1], False, [0, 0],
                len(kernel), [False, True, False],
            )  # fmt: skip
            of_kernel = of_kernel.float()
        return of_x, of_kernel, None, None


def _gradient_of_map(
    gradient: Tensor, x: Tensor, kernel: Tensor, stride: int, padding: int
) -> Tensor:
    reach = kernel.shape[-1] - 1
    if stride > 1:
        height, width = (side + 2 * padding - reach for side in x.shape[2:])
        spread = gradient.new_zeros(len(x), height, width, len(kernel)).permute(0, 3, 1, 2)
        spread[:, :, ::stride, ::stride] = gradient
        gradient = spread
    return F.conv2d(gradient, kernel.flip(2, 3), None, 1, reach - padding, 1, len(kernel))
