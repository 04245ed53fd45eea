"""Where the encoder computes, and in which numbers: the fastest that change nothing in what is found."""

import time
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

from auth.errors import OstiaryError

if TYPE_CHECKING:
    import torch

DeviceName = Literal["auto", "cpu", "cuda"]
DtypeName = Literal["auto", "float32", "float16", "bfloat16"]
QuantisationName = Literal["none", "int8"]
# Half the digits must be worth it: a processor that has no unit for them is slower with them.
_WORTH_IT = 1.5


class DeviceMissing(OstiaryError):
    """The device that was asked for is not there; the message says what to do."""


@dataclass(frozen=True)
class Device:
    """A device, the numbers to compute in, and how much at once.

    `batch_tokens` counts padding; `texts` is how many are given to the device before the next look at whether
    somebody still wants them.
    """

    name: str
    dtype: "torch.dtype"
    batch_tokens: int
    texts: int


def choose_device(wanted: DeviceName = "auto") -> Device:
    """The device to use; `auto` is a GPU where there is one. Raises DeviceMissing."""
    import torch

    if wanted == "cuda" and not torch.cuda.is_available():
        raise DeviceMissing(
            "OSTIARY_DEVICE is cuda, but PyTorch finds no GPU. Install a build of PyTorch for it, or set"
            " OSTIARY_DEVICE to auto or cpu."
        )
    if wanted != "cpu" and torch.cuda.is_available():
        half = torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
        return Device("cuda", half, batch_tokens=65_536, texts=1024)
    # A batch that stays in the processor's caches: a thousand tokens take less time each than eight thousand.
    dtype = torch.bfloat16 if has_fast_bfloat16() else torch.float32
    return Device("cpu", dtype, batch_tokens=1024, texts=32)


@cache
def has_fast_bfloat16() -> bool:
    """Whether this processor multiplies bfloat16 faster by half than float32: measured once, in milliseconds."""
    import torch

    if torch.backends.cpu.get_cpu_capability() != "AVX512":  # what has units for it has these registers
        return False
    return _seconds(torch.bfloat16) * _WORTH_IT < _seconds(torch.float32)


def _seconds(dtype: "torch.dtype") -> float:
    """The best of several products of the size that a small encoder makes."""
    import torch

    rows, weights = torch.ones(512, 384, dtype=dtype), torch.ones(1536, 384, dtype=dtype)
    taken = []
    with torch.inference_mode():
        for _ in range(5):
            began = time.perf_counter()
            torch.nn.functional.linear(rows, weights)
            taken.append(time.perf_counter() - began)
    return min(taken)
