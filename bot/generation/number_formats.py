"""In which numbers weights are kept: what is fastest on this machine, or what the settings say."""

import warnings
from typing import Any

import torch
from torch import nn

from retrieval.devices import Device, DtypeName, has_fast_bfloat16
from retrieval.weights import ModelUnusable

_DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


def dtype_for(device: Device, wanted: DtypeName) -> torch.dtype:
    """The format to load weights in. On a processor float16 is packed after loading, see `pack`."""
    if device.name != "cpu":
        return device.dtype if wanted == "auto" else _DTYPES[wanted]
    if wanted == "auto":
        return torch.bfloat16 if has_fast_bfloat16() else torch.float32
    return torch.float32 if wanted == "float16" else _DTYPES[wanted]


def packs_half(device: Device, wanted: DtypeName) -> bool:
    """Whether weights are packed as float16, and computed with in float32: half to read for each token.

    By itself only where bfloat16 is slow, and where the library that does it runs.
    """
    if device.name != "cpu" or (wanted == "auto" and has_fast_bfloat16()):
        return False
    if wanted == "float16" and not _has_fbgemm():
        raise ModelUnusable(
            "This processor does not compute with float16 weights; set OSTIARY_DTYPE to auto."
        )
    return wanted == "float16" or (wanted == "auto" and _has_fbgemm())


def pack(model: nn.Module, *, int8: bool) -> None:
    """Replace linear layers by packed ones, in place; an adapter's own layers stay as they are."""
    if int8 and (not _has_fbgemm() or next(model.parameters()).device.type != "cpu"):
        raise ModelUnusable(
            "int8 weights need a processor that computes with them, and no GPU; set OSTIARY_QUANTISATION to none."
        )
    kind = _Int8Linear if int8 else _HalfLinear
    found = [
        (parent, name, child)
        for path, parent in model.named_modules()
        for name, child in parent.named_children()
        if type(child) is nn.Linear and "lora_" not in f"{path}.{name}"
    ]
    for parent, name, child in found:
        setattr(parent, name, kind(child))


def _has_fbgemm() -> bool:
    return "fbgemm" in torch.backends.quantized.supported_engines


class _HalfLinear(nn.Module):
    """float16 weights, float32 arithmetic: each token's numbers depend on that token alone."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.in_features, self.out_features = linear.in_features, linear.out_features
        self._packed = torch.ops.quantized.linear_prepack_fp16(linear.weight.detach().float(), linear.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: Any = torch.ops.quantized.linear_dynamic_fp16(x, self._packed)
        return torch.as_tensor(result)


class _Int8Linear(nn.Module):
    """int8 weights, one scale a row, and int8 activations with one scale a pass.

    That one scale makes a text's numbers depend on what is computed beside it: whoever uses it writes one text
    at a time.
    """

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.in_features, self.out_features = linear.in_features, linear.out_features
        weight = linear.weight.detach().float()
        scales = weight.abs().amax(dim=1).clamp(min=1e-8).double() / 127
        with (
            warnings.catch_warnings()
        ):  # a later torch will do it otherwise; the one that is pinned does it so
            warnings.filterwarnings("ignore", message="torch.quantize_per_tensor")
            whole = torch.quantize_per_channel(
                weight, scales, torch.zeros(len(scales), dtype=torch.int64), 0, torch.qint8
            )
        self._packed = torch.ops.quantized.linear_prepack(whole, linear.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: Any = torch.ops.quantized.linear_dynamic(x, self._packed, reduce_range=True)
        return torch.as_tensor(result)
