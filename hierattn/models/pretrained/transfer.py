"""Transfer initialisation: MobileViT weights (ImageNet) into HierAttn.

HierAttn xs, s and m have the layer shapes of MobileViT xxs, xs and s in the stem and the layers 1
to 5 (Mehta and Rastegari, arXiv 2110.02178). The official code matches tensors in order by shape;
here they are matched by name and checked by shape, which gives the same pairs and does not depend
on the order of the file (safetensors files are sorted).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from hierattn.errors import CheckpointError
from hierattn.models.hierattn import HierAttn

Rules = tuple[tuple[re.Pattern[str], str], ...]


def _compile(*rules: tuple[str, str]) -> Rules:
    return tuple((re.compile(pattern), replacement) for pattern, replacement in rules)


# ml-cvnets: layer_3.1.global_rep.0.pre_norm_mha.1.qkv_proj.weight and the like.
_CVNETS = _compile(
    (r"^conv_1\.", "stem."),
    (r"^layer_([1-5])\.", r"layer\1."),
    (r"\.block\.exp_1x1\.", ".expand."),
    (r"\.block\.conv_3x3\.", ".depthwise."),
    (r"\.block\.red_1x1\.", ".project."),
    (r"\.local_rep\.conv_3x3\.", ".local."),
    (r"\.local_rep\.conv_1x1\.block\.conv\.", ".widen."),
    (r"\.global_rep\.(\d+)\.pre_norm_mha\.0\.", r".blocks.\1.attention_norm."),
    (r"\.global_rep\.(\d+)\.pre_norm_mha\.1\.qkv_proj\.", r".blocks.\1.attention.qkv."),
    (r"\.global_rep\.(\d+)\.pre_norm_mha\.1\.out_proj\.", r".blocks.\1.attention.out."),
    (r"\.global_rep\.(\d+)\.pre_norm_ffn\.0\.", r".blocks.\1.mlp_norm."),
    (r"\.global_rep\.(\d+)\.pre_norm_ffn\.1\.", r".blocks.\1.mlp.0."),
    (r"\.global_rep\.(\d+)\.pre_norm_ffn\.4\.", r".blocks.\1.mlp.2."),
    (r"\.global_rep\.\d+\.(weight|bias)$", r".norm.\1"),
    (r"\.conv_proj\.", ".narrow."),
    (r"\.fusion\.", ".fuse."),
    (r"\.block\.(conv|norm)\.", r".\1."),
)

# timm: stages.2.1.transformer.0.attn.qkv.weight and the like; stages.0 is layer 1.
_TIMM = _compile(
    (r"^stages\.0\.", "layer1."),
    (r"^stages\.1\.", "layer2."),
    (r"^stages\.2\.", "layer3."),
    (r"^stages\.3\.", "layer4."),
    (r"^stages\.4\.", "layer5."),
    (r"\.conv1_1x1\.", ".expand."),
    (r"\.conv2_kxk\.", ".depthwise."),
    (r"\.conv3_1x1\.", ".project."),
    (r"\.conv_kxk\.", ".local."),
    (r"\.conv_1x1\.", ".widen."),
    (r"\.transformer\.(\d+)\.norm1\.", r".blocks.\1.attention_norm."),
    (r"\.transformer\.(\d+)\.attn\.qkv\.", r".blocks.\1.attention.qkv."),
    (r"\.transformer\.(\d+)\.attn\.proj\.", r".blocks.\1.attention.out."),
    (r"\.transformer\.(\d+)\.norm2\.", r".blocks.\1.mlp_norm."),
    (r"\.transformer\.(\d+)\.mlp\.fc1\.", r".blocks.\1.mlp.0."),
    (r"\.transformer\.(\d+)\.mlp\.fc2\.", r".blocks.\1.mlp.2."),
    (r"\.conv_proj\.", ".narrow."),
    (r"\.conv_fusion\.", ".fuse."),
    (r"\.bn\.", ".norm."),
)

_BODY = re.compile(r"^(stem|layer[1-5])\.")


@dataclass(frozen=True)
class Transfer:
    """What :func:`transfer_mobilevit` did.

    Attributes:
        taken: our state-dict names that were filled.
        left_out: names of the checkpoint that have no place here.
        untouched: our state-dict names that kept their random start.
        transferred_parameters: the filled trainable parameters, to freeze first and unfreeze
            later; batch-norm statistics are in ``taken`` only.
    """

    taken: tuple[str, ...]
    left_out: tuple[str, ...]
    untouched: tuple[str, ...]
    transferred_parameters: frozenset[str]


def mobilevit_dialect(state_dict: Mapping[str, Tensor]) -> str | None:
    """``"ml-cvnets"`` or ``"timm"`` if the names are those of a MobileViT (v1), else None."""
    if any(".global_rep.0.pre_norm_mha.1.qkv_proj." in name for name in state_dict):
        return "ml-cvnets" if "conv_1.block.conv.weight" in state_dict else None
    if "stages.2.1.transformer.0.attn.qkv.weight" in state_dict:
        return "timm"
    return None


def convert_mobilevit_name(name: str, dialect: str) -> str:
    """The name of a HierAttn tensor that a MobileViT tensor belongs to, as far as there is one."""
    for pattern, replacement in _CVNETS if dialect == "ml-cvnets" else _TIMM:
        name = pattern.sub(replacement, name)
    return name


def transfer_mobilevit(model: HierAttn, state_dict: Mapping[str, Tensor]) -> Transfer:
    """Copy the stem and the layers 1 to 5 of a MobileViT into ``model``.

    The classifier and the last convolution of MobileViT are left out; the head and classifier of
    ``model`` stay as they are. On an error the model is unchanged.

    Raises:
        CheckpointError: not a MobileViT, or one of another size.
    """
    dialect = mobilevit_dialect(state_dict)
    if dialect is None:
        raise CheckpointError(
            "not a MobileViT checkpoint: expected the names of ml-cvnets or of timm's mobilevit"
        )
    targets = model.state_dict()
    pairs: dict[str, str] = {}
    left_out = []
    for name, value in state_dict.items():
        own = convert_mobilevit_name(name, dialect)
        if _BODY.match(own) and own in targets and value.shape == targets[own].shape:
            pairs[own] = name
        else:
            left_out.append(name)
    lacking = [
        name
        for name in targets
        if _BODY.match(name) and name not in pairs and not name.endswith("num_batches_tracked")
    ]
    if lacking:
        raise CheckpointError(
            f"the MobileViT checkpoint does not fit this HierAttn: {len(lacking)} tensors of the "
            f"stem and layers 1-5 find no partner (first: {lacking[0]}); xxs fits hierattn_xs, "
            "xs fits hierattn_s, s fits hierattn_m"
        )
    with torch.no_grad():
        for own, name in pairs.items():
            targets[own].copy_(state_dict[name])
    parameters = dict(model.named_parameters())
    return Transfer(
        taken=tuple(name for name in targets if name in pairs),
        left_out=tuple(left_out),
        untouched=tuple(name for name in targets if name not in pairs),
        transferred_parameters=frozenset(name for name in pairs if name in parameters),
    )
