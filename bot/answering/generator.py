"""The language model in this process: loading, greedy generation, and the likelihood of a text. Not thread-safe."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from finetune.adapters import Adapter, AdapterRefused
from retrieval.weights import ModelUnusable, NotEnoughMemory, require_memory, without_progress_bars

# A guess is verified for the price of one token while the weights are being read anyway; more rarely holds.
_LOOKAHEAD = 8
_BATCH_TOKENS = 512


@dataclass(frozen=True)
class Processor:
    """Where the model runs, and the number format that is fast there."""

    device: torch.device
    dtype: torch.dtype


def best_processor() -> Processor:
    """A GPU if there is one; else bfloat16 where the processor multiplies it natively, and float32 elsewhere."""
    if torch.cuda.is_available():
        return Processor(torch.device("cuda"), torch.bfloat16)
    able = torch.cpu.get_capabilities()
    native = bool(able.get("amx_bf16") or able.get("avx512_bf16"))
    return Processor(torch.device("cpu"), torch.bfloat16 if native else torch.float32)


class Generator:
    """A causal model with its tokenizer, and at most one adapter that is off unless asked for."""

    def __init__(self, model: Any, tokenizer: Any, processor: Processor, adapter: Adapter | None) -> None:
        self.tokenizer = tokenizer
        self.adapter = adapter
        self._model = model
        self._processor = processor
        self._ends = _end_tokens(model, tokenizer)
        self._lookahead = _LOOKAHEAD if _can_take_back(model.config) else 0

    @classmethod
    def load(cls, folder: Path, *, adapter: Adapter | None, threads: int | None) -> "Generator":
        """Load from `folder`; raises ModelUnusable, NotEnoughMemory or AdapterRefused. Takes seconds."""
        from transformers import AutoModelForCausalLM, AutoTokenizer

        processor = best_processor()
        torch.set_num_threads(threads or _available_cores())
        if processor.device.type == "cpu":
            require_memory(folder, what="language model", bytes_per_weight=processor.dtype.itemsize)
        try:
            with without_progress_bars():
                tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
                model = AutoModelForCausalLM.from_pretrained(
                    str(folder), dtype=processor.dtype, local_files_only=True, use_safetensors=True
                ).to(processor.device)
        except (MemoryError, torch.OutOfMemoryError) as error:
            raise NotEnoughMemory(
                "The language model does not fit in memory; choose a smaller model."
            ) from error
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise ModelUnusable(f"The model in '{folder}' cannot be loaded: {error}") from error
        if not getattr(tokenizer, "chat_template", None):
            raise ModelUnusable(
                f"The model in '{folder}' has no chat template; choose an instruction-tuned model."
            )
        if adapter is not None:
            model = _with_adapter(model, adapter)
        return cls(model.eval(), tokenizer, processor, adapter)

    @property
    def context(self) -> int:
        """Tokens that prompt and answer may have together."""
        return int(getattr(self._model.config, "max_position_embeddings", 2048))

    def greedy(
        self, prompt: Sequence[int], limit: int, stopped: Callable[[], bool], *, adapted: bool = False
    ) -> Iterator[int]:
        """The most likely continuation, token by token, until the end of the turn, `limit`, or `stopped()`.

        Answers copy much from their prompt: the tokens that followed the last two before are guessed and
        verified together (prompt lookup decoding), which changes the time and not the choice.
        """
        from transformers import DynamicCache

        ids, waiting = list(prompt), list(prompt)
        cache = DynamicCache(config=self._model.config)
        last = len(ids) + limit
        while len(ids) < last and not stopped():
            guess = lookahead(ids, min(self._lookahead, last - len(ids) - 1))
            best = self._next_tokens(waiting + guess, len(guess) + 1, cache, adapted)
            agreed = next((i for i, token in enumerate(guess) if token != best[i]), len(guess))
            if agreed < len(guess):
                cache.crop(agreed - len(guess))
            waiting = [best[agreed]]
            for token in best[: agreed + 1]:
                if token in self._ends:
                    return
                ids.append(token)
                yield token

    def log_likelihood(self, prefixes: Sequence[Sequence[int]], continuation: Sequence[int]) -> list[float]:
        """Mean log-probability per token of `continuation` after each prefix, by the base weights."""
        order = sorted(range(len(prefixes)), key=lambda i: len(prefixes[i]))
        found = [0.0] * len(prefixes)
        for batch in _batches(order, [len(p) + len(continuation) for p in prefixes]):
            for index, value in zip(
                batch, self._likelihoods([prefixes[i] for i in batch], continuation), strict=True
            ):
                found[index] = value
        return found

    def _next_tokens(self, feed: list[int], keep: int, cache: Any, adapted: bool) -> list[int]:
        with torch.inference_mode(), self._weights(adapted):
            ids = torch.tensor([feed], device=self._processor.device)
            output = self._model(input_ids=ids, past_key_values=cache, use_cache=True, logits_to_keep=keep)
            best: list[int] = output.logits[0].argmax(dim=-1).tolist()
        return best

    def _likelihoods(self, prefixes: Sequence[Sequence[int]], continuation: Sequence[int]) -> list[float]:
        """Prefixes are padded on the left, so that the continuation stands in the same columns of each row."""
        width = max(len(p) for p in prefixes)
        device, tail = self._processor.device, list(continuation)
        rows = [[0] * (width - len(p)) + list(p) + tail for p in prefixes]
        mask = [[0] * (width - len(p)) + [1] * (len(p) + len(tail)) for p in prefixes]
        attention = torch.tensor(mask, device=device)
        with torch.inference_mode(), self._weights(adapted=False):
            logits = self._model(
                input_ids=torch.tensor(rows, device=device),
                attention_mask=attention,
                position_ids=(attention.cumsum(dim=1) - 1).clamp(min=0),
                logits_to_keep=len(tail) + 1,
                use_cache=False,
            ).logits[:, :-1]
            chosen = torch.tensor(tail, device=device).expand(len(rows), -1).unsqueeze(-1)
            scores = logits.float().log_softmax(dim=-1).gather(-1, chosen).squeeze(-1)
            means: list[float] = scores.mean(dim=1).tolist()
        return means

    def _weights(self, adapted: bool) -> AbstractContextManager[Any]:
        if adapted and self.adapter is None:
            raise AdapterRefused("No adapter is loaded; name one in the settings.")
        if adapted or self.adapter is None:
            return nullcontext()
        off: AbstractContextManager[Any] = self._model.disable_adapter()
        return off


def lookahead(ids: Sequence[int], count: int) -> list[int]:
    """The tokens that followed the latest earlier occurrence of the last two, at most `count`."""
    if count <= 0 or len(ids) < 3:
        return []
    first, second = ids[-2], ids[-1]
    for start in range(len(ids) - 3, -1, -1):
        if ids[start] == first and ids[start + 1] == second:
            return list(ids[start + 2 : start + 2 + count])
    return []


def _batches(order: Sequence[int], lengths: Sequence[int]) -> Iterator[list[int]]:
    """Runs of `order` (shortest first) that stay under _BATCH_TOKENS once padded to their longest."""
    batch: list[int] = []
    for index in order:
        if batch and lengths[index] * (len(batch) + 1) > _BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def _can_take_back(config: Any) -> bool:
    """Whether a wrong guess can be cut from the cache: not with sliding windows or recurrent layers."""
    kinds = set(getattr(config, "layer_types", None) or ["full_attention"])
    return kinds == {"full_attention"} and not getattr(config, "sliding_window", None)


def _end_tokens(model: Any, tokenizer: Any) -> frozenset[int]:
    stated = getattr(model.generation_config, "eos_token_id", None)
    ends = stated if isinstance(stated, list) else [stated]
    return frozenset(int(token) for token in (*ends, tokenizer.eos_token_id) if token is not None)


def _with_adapter(model: Any, adapter: Adapter) -> Any:
    from peft import PeftModel

    try:
        return PeftModel.from_pretrained(model, str(adapter.folder), is_trainable=False)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise AdapterRefused(
            f"The adapter '{adapter.name}' does not fit the model in use: {error}"
        ) from error


def _available_cores() -> int:
    """torch's own count (it honours OMP_NUM_THREADS), less the cores that this process may not use."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(torch.get_num_threads(), allowed))
