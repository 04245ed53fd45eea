"""A language model in this process, ready to write rows: its weights, tokenizer and adapters. Not thread-safe."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from bot.generation.number_formats import dtype_for, pack, packs_half
from bot.generation.rows import ATTENTION, Row, Shape, attend_by_rows, next_tokens
from finetune.adapters import Adapter, AdapterRefused
from retrieval.devices import Device, DtypeName, QuantisationName
from retrieval.weights import ModelUnusable, NotEnoughMemory, require_memory, without_progress_bars

# Long enough that places and shares of heads matter, in one pass of a few milliseconds.
_TRIAL = 24


@dataclass
class Weights:
    """What `load_weights` found fit. `ends` are the tokens after which nothing is said."""

    model: Any
    tokenizer: Any
    device: torch.device
    shape: Shape
    ends: frozenset[int]
    adapters: tuple[Adapter, ...] = ()
    one_at_a_time: bool = False
    """Whether what is computed together would be seen in each other's numbers."""
    _in_use: str | None = field(default=None, init=False)
    _certain: bool = field(default=True, init=False)

    @property
    def context(self) -> int:
        """Tokens that prompt and answer may have together."""
        config = self.model.config.get_text_config()
        return int(getattr(config, "max_position_embeddings", None) or 2048)

    def use(self, adapter: str | None) -> None:
        """Switch an adapter on, or all off; raises AdapterRefused for one that is not loaded."""
        if self._certain and adapter == self._in_use:
            return
        if adapter is not None and adapter not in {known.name for known in self.adapters}:
            raise AdapterRefused(f"No adapter '{adapter}' is loaded; name its folder in the settings.")
        self._certain = False  # what breaks half-way leaves nobody with weights that are not for them
        if adapter is not None:
            self.model.base_model.enable_adapter_layers()
            self.model.set_adapter(adapter)
        elif self.adapters:
            self.model.base_model.disable_adapter_layers()
        self._in_use, self._certain = adapter, True


def load_weights(
    folder: Path,
    device: Device,
    *,
    adapters: Sequence[Adapter] = (),
    threads: int | None = None,
    dtype: DtypeName = "auto",
    quantisation: QuantisationName = "none",
) -> Weights:
    """Load from `folder`; raises ModelUnusable, NotEnoughMemory or AdapterRefused. Takes seconds."""
    torch.set_num_threads(threads or _available_cores())
    kept = dtype_for(device, dtype)
    if device.name == "cpu":
        require_memory(folder, what="language model", bytes_per_weight=kept.itemsize)
    model, tokenizer = _read(folder, torch.device(device.name), kept)
    if not getattr(tokenizer, "chat_template", None):
        raise ModelUnusable(
            f"The model in '{folder}' has no chat template; choose an instruction-tuned model."
        )
    _write_by_rows(model, folder)
    if adapters:
        model = _with_adapters(model, adapters)
    if quantisation == "int8" or packs_half(device, dtype):
        pack(model, int8=quantisation == "int8")
    weights = Weights(
        model.eval(),
        tokenizer,
        torch.device(device.name),
        Shape.of(model.config, kept),
        _end_tokens(model, tokenizer),
        tuple(adapters),
        one_at_a_time=quantisation == "int8",
    )
    weights._certain = not adapters  # they are on when they come
    weights.use(None)
    return weights


def _read(folder: Path, device: torch.device, dtype: torch.dtype) -> tuple[Any, Any]:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    try:
        with without_progress_bars():
            tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
            model = AutoModelForCausalLM.from_pretrained(
                str(folder), dtype=dtype, local_files_only=True, use_safetensors=True
            ).to(device)
    except (MemoryError, torch.OutOfMemoryError) as error:
        raise NotEnoughMemory("The language model does not fit in memory; choose a smaller model.") from error
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ModelUnusable(f"The model in '{folder}' cannot be loaded: {error}") from error
    return model, tokenizer


def _write_by_rows(model: Any, folder: Path) -> None:
    """Let the model attend by rows, and see whether it says the same as before: not every architecture can."""
    from transformers import AttentionInterface

    vocabulary = int(model.config.get_text_config().vocab_size)
    trial = [(number * 7919) % vocabulary for number in range(_TRIAL)]
    with torch.inference_mode():
        ids = torch.tensor([trial], device=model.device)
        expected = model(input_ids=ids, use_cache=False).logits[0].argmax(dim=-1).tolist()
    AttentionInterface.register(ATTENTION, attend_by_rows)
    first, second = Row(trial[:9]), Row(trial)
    try:
        model.set_attn_implementation(ATTENTION)
        for row in (first, second):
            row.feed(_TRIAL)
        found = next_tokens(model, [first, second], range(9 + _TRIAL), model.device)
    except Exception as error:  # what an architecture does not know it meets in ways of its own
        raise _cannot_be_batched(folder) from error
    # A tie may fall either way; a model that attends otherwise than by rows agrees on next to nothing.
    same = sum(a == b for a, b in zip(found, expected[:9] + expected, strict=True))
    if same < 0.8 * len(found):
        raise _cannot_be_batched(folder)


def _cannot_be_batched(folder: Path) -> ModelUnusable:
    return ModelUnusable(
        f"Models of the kind in '{folder.name}' cannot be run in this process. Serve it with vLLM or another "
        "OpenAI-compatible server and set OSTIARY_GENERATOR_URL, or choose another model."
    )


def _end_tokens(model: Any, tokenizer: Any) -> frozenset[int]:
    stated = getattr(model.generation_config, "eos_token_id", None)
    ends = stated if isinstance(stated, list) else [stated]
    return frozenset(int(token) for token in (*ends, tokenizer.eos_token_id) if token is not None)


def _with_adapters(model: Any, adapters: Sequence[Adapter]) -> Any:
    from peft import PeftModel

    names = [adapter.name for adapter in adapters]
    if len(set(names)) < len(names):
        raise AdapterRefused("Two adapters have the same name; rename the folder of one of them.")
    for adapter in adapters:
        try:
            if isinstance(model, PeftModel):
                model.load_adapter(str(adapter.folder), adapter_name=adapter.name, is_trainable=False)
            else:
                model = PeftModel.from_pretrained(
                    model, str(adapter.folder), adapter_name=adapter.name, is_trainable=False
                )
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise AdapterRefused(
                f"The adapter '{adapter.name}' does not fit the model in use: {error}"
            ) from error
    return model


def _available_cores() -> int:
    """torch's own count (it honours OMP_NUM_THREADS), less the cores that this process may not use."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(torch.get_num_threads(), allowed))
