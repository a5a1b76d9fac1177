"""Weight initialisation beyond each network's own: whitening and Dirac."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hierattn.errors import ConfigError
from hierattn.models.peers import CentredInput

EPSILON = 5e-4
"""Added to each eigenvalue of the patches' covariance, of pixels in [0, 1] (Jordan's constant)."""


def start(network: nn.Module, name: str, images: Tensor) -> None:
    """Set the weights of a freshly made network in place; ``default`` leaves all as they are.

    ``whitening`` sets the first convolution, ``dirac`` the others that are not grouped, as far as
    their shapes allow; linear layers, norms and depthwise convolutions stay as they are.

    Args:
        network: made by ``create_model``.
        name: ``default``, ``dirac``, ``whitening`` or ``whitening_dirac``.
        images: float [N, 3, S, S] in [0, 1], of the training part; read for ``whitening`` alone.

    Raises:
        ConfigError: the network's first convolution cannot be whitened.
    """
    first = first_convolution(network)
    if name.endswith("dirac"):
        for module in network.modules():
            if isinstance(module, nn.Conv2d) and module.groups == 1 and module is not first:
                set_dirac(module)
    if name.startswith("whitening"):
        if first is None or first.groups != 1:
            raise ConfigError(
                f"initialisation {name}: the network begins with no plain convolution to whiten; "
                "use 'default' or 'dirac'"
            )
        whiten(first, images * 2 - 1 if isinstance(network, CentredInput) else images)


def first_convolution(network: nn.Module) -> nn.Conv2d | None:
    """The first convolution of a network, in the order its parts were made."""
    return next((part for part in network.modules() if isinstance(part, nn.Conv2d)), None)


@torch.no_grad()
def set_dirac(convolution: nn.Conv2d) -> None:
    """Let the first output channels repeat the input channels; the others stay random.

    Jordan, 94 % on CIFAR-10 in 3.29 seconds (arXiv 2404.00498), section 3.3.
    """
    weight = convolution.weight
    channels = min(weight.shape[:2])
    nn.init.dirac_(weight[:channels])


@torch.no_grad()
def whiten(convolution: nn.Conv2d, images: Tensor) -> None:
    """Set a convolution to the eigenvectors of its input patches' covariance, scaled to variance 1.

    Each filter comes once and once negated, the widest direction first, as far as the output
    channels go; channels beyond twice the patch size stay random. Page, How to train your ResNet 8
    (2018); Jordan, arXiv 2404.00498, section 3.2. A bias is set to 0.

    Args:
        convolution: not grouped.
        images: float [N, C, S, S], N at least 1.
    """
    weight = convolution.weight
    values, vectors = torch.linalg.eigh(patch_covariance(images, convolution))
    # An eigenvector's sign is the library's whim.
    largest = vectors.gather(0, vectors.abs().argmax(0, keepdim=True))
    scaled = vectors * largest.sign() / (values.clamp_min(0) + EPSILON).sqrt()
    filters = scaled.T.flip(0).to(weight.dtype).reshape(-1, *weight.shape[1:])
    count = min(len(filters), (len(weight) + 1) // 2)
    both = torch.cat([filters[:count], -filters[:count]])[: len(weight)]
    weight[: len(both)] = both
    if convolution.bias is not None:
        convolution.bias.zero_()


def patch_covariance(images: Tensor, convolution: nn.Conv2d) -> Tensor:
    """Covariance of what a convolution sees, float64 [C k k, C k k]; patches that overhang are out.

    Args:
        images: float [N, C, S, S].
        convolution: whose kernel and stride count.
    """
    kernel, stride = convolution.kernel_size, convolution.stride
    size = images.shape[1] * kernel[0] * kernel[1]
    mean, product, count = torch.zeros(size).double(), torch.zeros(size, size).double(), 0
    # In pieces: the patches of many images would fill the memory.
    for piece in images.split(16):
        patches = F.unfold(piece.double(), kernel, stride=stride).transpose(1, 2).reshape(-1, size)
        mean += patches.sum(0)
        product += patches.T @ patches
        count += len(patches)
    mean /= count
    return product / count - torch.outer(mean, mean)
