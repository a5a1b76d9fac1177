"""Rewrite of the first layers: their rows in stripes, each small enough for the cache."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from export.passes.rewrite import Rewrite
from hierattn.models.blocks import ConvNormAct, MBConv
from hierattn.models.hierattn import HierAttn

CACHED_BYTES = 2**19
"""A float32 map of this size, with what is read and written beside it, fits a cache of 2 MiB."""
LEAST_STRIPES, MOST_STRIPES = 3, 4
"""Two earn little. XNNPACK takes no concatenation of eight, which the converter makes of nested
ones."""


class Rows(NamedTuple):
    """What some rows of a 3x3 convolution's result read: rows of its input, and zeros around."""

    first: int
    last: int
    above: int
    below: int

    @classmethod
    def read_by(cls, first: int, last: int, stride: int, height: int) -> Rows:
        """Of the result's rows ``first`` to ``last`` (not included); padding is 1."""
        start, end = first * stride - 1, (last - 1) * stride + 2
        return cls(max(start, 0), min(end, height), max(-start, 0), max(end - height, 0))


class Stripes(nn.Module):
    """Stem, layer 1 and the first block of layer 2 of HierAttn for square images of one size.

    The gate of layer 1 reads a whole map, so all stripes are taken up to there, then on from there;
    rows that two stripes need are computed twice, and counted once in the gate's mean. The stem
    reads images of even sides by pairs of pixels. Its modules keep their names; the two blocks are
    held elsewhere.

    Args:
        count: number of stripes, at most a quarter of ``image_size``.
    """

    def __init__(
        self, stem: ConvNormAct, first: MBConv, second: MBConv, image_size: int, count: int
    ) -> None:
        super().__init__()
        _take_children(self, stem)
        # In a tuple, modules are no children: parameters must have one name.
        self._layers = (stem, first, second)
        self.paired = image_size % 2 == 0
        self.height = -(-image_size // 2)
        quarter = -(-self.height // 2)
        edges = [quarter * index // count for index in range(count + 1)]
        self.second_reads = [
            Rows.read_by(start, end, 2, self.height) for start, end in pairwise(edges)
        ]
        self.first_reads = [
            Rows.read_by(rows.first, rows.last, 1, self.height) for rows in self.second_reads
        ]
        self.stem_reads = [
            Rows.read_by(rows.first, rows.last, 2, image_size) for rows in self.first_reads
        ]
        for convolution in (stem.conv, first.depthwise.conv, second.depthwise.conv):
            convolution.padding = (0, 0)
        if self.paired:
            stem.conv = self.conv = _pair_pixels(stem.conv)

    def forward(self, x: Tensor) -> Tensor:
        """[B, 3, S, S] to the output of layer 2's first block, [B, C, S / 4, S / 4]."""
        stem, first, second = self._layers
        # Cut channels last, as the file's input is, which saves two transpositions a stripe.
        picture = _channels_last(x)
        stems, wides, means = [], [], []
        done = 0
        reads = zip(self.stem_reads, self.first_reads, self.second_reads, strict=True)
        for of_picture, of_stem, kept in reads:
            cut = picture[:, of_picture.first : of_picture.last]
            if self.paired:
                cut = cut.reshape(*cut.shape[:2], -1, 2 * cut.shape[3])
            # The last pixel that is read is in the last pair: no zeros at the right.
            stripe = stem(_pad(cut, of_picture, right=0 if self.paired else 1))
            stems.append(stripe)
            wide = first.depthwise(_pad(_channels_last(first.expand(stripe)), of_stem))
            wides.append(wide)
            means.append(self._share(wide, done - kept.first))
            done = kept.last
        gate = sum(means[1:], means[0]).sigmoid()
        made = []
        stripes = zip(wides, stems, self.first_reads, self.second_reads, strict=True)
        for wide, stripe, of_stem, kept in stripes:
            y = first.project(wide * gate)
            if first.residual:
                # Cut here, not above, so that no second copy waits in memory for its turn.
                y = y + stripe[:, :, kept.first - of_stem.first : kept.last - of_stem.first]
            made.append(second.depthwise(_pad(_channels_last(second.expand(y)), kept)))
        return second.project(second.gate(torch.cat(made, dim=2)))

    def _share(self, wide: Tensor, repeated: int) -> Tensor:
        """A stripe's part of the mean of the whole map, without its first ``repeated`` rows.

        By means, never sums: those of a large map overflow half precision.
        """
        share = wide.mean((2, 3), keepdim=True) * (wide.shape[2] / self.height)
        if repeated <= 0:
            return share
        again = wide[:, :, :repeated].mean((2, 3), keepdim=True)
        return share - again * (repeated / self.height)


class Computed(nn.Module):
    """Holds a block's modules under their names, for :class:`Stripes`, which has computed it."""

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        _take_children(self, block)

    def forward(self, x: Tensor) -> Tensor:
        """The same tensor."""
        return x


def _take_children(holder: nn.Module, block: nn.Module) -> None:
    for name, child in block.named_children():
        holder.add_module(name, child)


def _pair_pixels(convolution: nn.Conv2d) -> nn.Conv2d:
    """A 3x3 convolution of stride 2 for pairs of pixels, each a pixel of twice the channels.

    XNNPACK keeps a table of the pixels that each result reads. With nine taps it is larger than the
    map itself, with these six a third smaller. Of the pair before, the first pixel is multiplied by
    zero.
    """
    before, left, right = convolution.weight.detach().unbind(3)
    pairs = torch.cat((torch.zeros_like(before), before), 1), torch.cat((left, right), 1)
    paired = nn.Conv2d(2 * before.shape[1], before.shape[0], (3, 2), (2, 1), device="meta")
    paired.weight = nn.Parameter(torch.stack(pairs, 3), requires_grad=False)
    paired.bias = convolution.bias
    return paired


def _channels_last(x: Tensor) -> Tensor:
    return x.permute(0, 2, 3, 1)


def _pad(x: Tensor, rows: Rows, right: int = 1) -> Tensor:
    """Zeros around an image that is channels last; channels first again."""
    padded = F.pad(x, (0, 0, 1, right, rows.above, rows.below))
    return padded.permute(0, 3, 1, 2)


def stripe_count(root: HierAttn, image_size: int) -> int:
    """Three or four, if these bring the largest map down to :data:`CACHED_BYTES`; else 1."""
    blocks = (root.layer1[0], root.layer2[0])
    widest = max(block.expand.conv.out_channels for block in blocks if isinstance(block, MBConv))
    side = -(-image_size // 2)
    count = -(-4 * widest * side * side // CACHED_BYTES)
    return count if LEAST_STRIPES <= count <= MOST_STRIPES else 1


def _use_stripes(root: nn.Module, image_size: int) -> None:
    if not isinstance(root, HierAttn) or (count := stripe_count(root, image_size)) == 1:
        return
    first, second = root.layer1[0], root.layer2[0]
    if isinstance(first, MBConv) and isinstance(second, MBConv):
        stripes = Stripes(root.stem, first, second, image_size, count)
        root.set_submodule("stem", stripes)
        root.layer1[0], root.layer2[0] = Computed(first), Computed(second)


ROW_STRIPES = Rewrite(
    "stripes",
    "rows of the first layers in stripes where their maps are larger than the cache",
    _use_stripes,
    optional=True,
)
