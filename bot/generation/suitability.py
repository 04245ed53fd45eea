"""Whether a language model suits this machine: by its memory, and by how long it would take to read passages."""

import os
import time
from dataclasses import dataclass

from retrieval.devices import Device, DeviceName, choose_device
from retrieval.weights import free_memory

# A prompt with three passages; as slow as this, nobody waits for the first word.
_PROMPT_TOKENS = 700
_PATIENCE_SECONDS = 10.0
# Beside the weights: keys and values of what is being written, and the program itself.
_BESIDE = 1.3
_GB = 1e9


@dataclass(frozen=True)
class Machine:
    """`memory` in bytes, free for a model; `speed` in multiplications a second, all cores or the GPU."""

    cores: int
    memory: int | None
    gpu: str | None
    speed: float
    bytes_per_weight: int

    @property
    def in_words(self) -> str:
        where = self.gpu or f"{self.cores} core{'s' if self.cores != 1 else ''}, no GPU"
        memory = f", {self.memory / _GB:.1f} GB of memory free" if self.memory is not None else ""
        return where + memory


@dataclass(frozen=True)
class Verdict:
    suits: bool
    reason: str


def judge(parameters: int, machine: Machine) -> Verdict:
    """Whether a model of so many parameters suits, and why."""
    needed = parameters * machine.bytes_per_weight * _BESIDE
    if machine.memory is not None and needed > machine.memory:
        return Verdict(
            False, f"needs {needed / _GB:.1f} GB of memory and {machine.memory / _GB:.1f} GB are free"
        )
    seconds = parameters * _PROMPT_TOKENS / machine.speed
    reads = f"needs {needed / _GB:.1f} GB, reads three passages in about {max(seconds, 0.1):.1f} s"
    if seconds > _PATIENCE_SECONDS:
        return Verdict(False, f"{reads}; too slow here without a GPU, or a server at OSTIARY_GENERATOR_URL")
    return Verdict(True, reads)


def this_machine(wanted: DeviceName) -> Machine:
    """Looks at this machine and lets it multiply for some milliseconds."""
    import torch

    device = choose_device(wanted)
    on_gpu = device.name != "cpu"
    return Machine(
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        memory=torch.cuda.mem_get_info()[0] if on_gpu else free_memory(),
        gpu=torch.cuda.get_device_name() if on_gpu else None,
        speed=_speed(device),
        bytes_per_weight=device.dtype.itemsize,
    )


def _speed(device: Device) -> float:
    """The best of several products as large as a model's layer makes of a prompt."""
    import torch

    width, taken = 1024, []
    left = torch.ones(256, width, dtype=device.dtype, device=device.name)
    right = torch.ones(width, width, dtype=device.dtype, device=device.name)
    for _ in range(5):
        began = time.perf_counter()
        float((left @ right)[0, 0])  # waits for the GPU
        taken.append(time.perf_counter() - began)
    return 256 * width * width / min(taken)
