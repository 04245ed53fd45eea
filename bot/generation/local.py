"""The generator of this machine: a Hugging Face model in this process, for many askers at a time."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from pathlib import Path

import torch

from bot.generation.batch import WrittenRow
from bot.generation.engine import Engine, Job, Limits
from bot.generation.generator import DEFAULT_TOKENS, PromptTooLong, Request, Turn
from bot.generation.prompting import prompt_tokens, text_tokens
from bot.generation.rows import likelihoods
from bot.generation.weights import Weights, load_weights
from bot.generation.wording import Wording
from finetune.adapters import Adapter, AdapterRefused, load_adapter
from retrieval.devices import DeviceName, DtypeName, QuantisationName, choose_device
from retrieval.weights import PACKAGED, Progress, free_memory, language_model_folder, silent

# Of a question, more tells no sentence from the next, and costs time and memory for each sentence weighed.
_WEIGHED_TOKENS = 128
_LIKELIHOOD_TOKENS = 512
_GIB = 2**30


class LocalGenerator:
    """Writes the most likely text, as transformers' own `generate` would, and says how likely a text is."""

    def __init__(self, name: str, weights: Weights, limits: Limits) -> None:
        self.name = name
        self._weights = weights
        self._writing = Engine(weights, limits)

    @classmethod
    def load(
        cls,
        name: str = PACKAGED,
        *,
        cache: Path,
        adapters: Sequence[Path] = (),
        device: DeviceName = "auto",
        threads: int | None = None,
        dtype: DtypeName = "auto",
        quantisation: QuantisationName = "none",
        together: int = 16,
        waiting: int = 64,
        wait_seconds: float = 120.0,
        progress: Progress = silent,
    ) -> "LocalGenerator":
        """Find and load the model `name`; takes seconds, half a minute the first time.

        Raises a WeightsError, AdapterRefused or DeviceMissing, whose messages are sentences.
        """
        checked = [load_adapter(folder, name) for folder in adapters]
        folder, chosen = language_model_folder(name, cache=cache, progress=progress), choose_device(device)
        weights = load_weights(
            folder, chosen, adapters=checked, threads=threads, dtype=dtype, quantisation=quantisation
        )
        return cls(name, weights, limits_of(weights, together, waiting, wait_seconds))

    @property
    def adapters(self) -> tuple[Adapter, ...]:
        """What is loaded beside the base weights; the readers of each decide who may be served by it."""
        return self._weights.adapters

    def count_tokens(self, turns: Sequence[Turn]) -> int:
        return len(prompt_tokens(self._weights.tokenizer, turns))

    def fits(self, turns: Sequence[Turn], max_tokens: int = DEFAULT_TOKENS) -> bool:
        return self._too_long(self.count_tokens(turns), max_tokens) is None

    async def stream(self, request: Request) -> AsyncGenerator[str, None]:
        job = self._job(request)
        self._writing.submit(job)
        try:
            while (piece := await job.heard()) is not None:
                yield piece
        finally:
            self._writing.cancel(job)

    def log_likelihood(self, prefixes: Sequence[str], continuation: str) -> list[float]:
        """Mean log-probability per token of `continuation` after each prefix, by the base weights; blocking."""
        tail = text_tokens(self._weights.tokenizer, continuation)[:_WEIGHED_TOKENS]
        tokens = [text_tokens(self._weights.tokenizer, prefix) for prefix in prefixes]
        return self._writing.call(lambda: self._likelihoods(tokens, tail)).result()

    def stop(self) -> None:
        """Let the model go; blocks for as long as one pass takes."""
        self._writing.stop()

    async def close(self) -> None:
        await asyncio.to_thread(self.stop)

    def _job(self, request: Request) -> Job:
        if request.adapter is not None and request.adapter not in {known.name for known in self.adapters}:
            raise AdapterRefused(
                f"No adapter '{request.adapter}' is loaded; name its folder in the settings."
            )
        prompt = prompt_tokens(self._weights.tokenizer, request.turns)
        refused = self._too_long(len(prompt), request.max_tokens)
        if refused is not None:
            raise refused
        row = WrittenRow(prompt, request.max_tokens, request.adapter)
        return Job(request, row, Wording(self._weights.tokenizer, request.stop))

    def _too_long(self, prompt: int, limit: int) -> PromptTooLong | None:
        """Said before anything is computed: what does not fit would otherwise break what is written beside it."""
        held = self._writing.limits.cache_bytes // self._weights.shape.bytes_per_token
        room = min(self._weights.context, held)
        if prompt + limit <= room:
            return None
        return PromptTooLong(
            f"The prompt has {prompt} tokens and the model holds {room} with the {limit} of the answer; "
            "give it fewer passages."
        )

    def _likelihoods(self, prefixes: list[list[int]], tail: list[int]) -> list[float]:
        self._weights.use(None)
        order = sorted(range(len(prefixes)), key=lambda at: len(prefixes[at]))
        found = [0.0] * len(prefixes)
        for group in _groups(order, [len(prefix) + len(tail) for prefix in prefixes]):
            chosen = [prefixes[at] for at in group]
            values = likelihoods(self._weights.model, chosen, tail, self._weights.device)
            for at, value in zip(group, values, strict=True):
                found[at] = value
        return found


def limits_of(weights: Weights, together: int, waiting: int, wait_seconds: float) -> Limits:
    """Limits that this machine bears: what is being written may take a share of the memory that is free."""
    if weights.device.type == "cuda":
        free, tokens = torch.cuda.mem_get_info(weights.device)[0] * 6 // 10, 2048
    else:
        free, tokens = min((free_memory() or 4 * _GIB) // 4, 8 * _GIB), 256
    return Limits(together, waiting, wait_seconds, cache_bytes=int(free), tokens_per_pass=tokens)


def _groups(order: Sequence[int], lengths: Sequence[int]) -> Iterator[list[int]]:
    """Runs of `order` whose lengths together stay under _LIKELIHOOD_TOKENS, each of one at least."""
    group: list[int] = []
    for index in order:
        if group and sum(lengths[at] for at in group) + lengths[index] > _LIKELIHOOD_TOKENS:
            yield group
            group = []
        group.append(index)
    if group:
        yield group
