"""From the settings to a voice: the model that writes, the one that weighs, and the adapter that may be used."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from auth.errors import OstiaryError
from bot.generation.chat_model import GeneratorChatModel
from bot.generation.elsewhere import ServerGenerator
from bot.generation.generator import Generator
from bot.generation.local import LocalGenerator
from bot.settings import Settings
from finetune.adapters import Adapter, load_adapter
from retrieval.weights import Progress, silent


class GeneratorUnnamed(OstiaryError):
    """A server is set, and not which of its models."""

    def __init__(self) -> None:
        super().__init__(
            "OSTIARY_GENERATOR_URL is set: say in OSTIARY_GENERATOR_MODEL which model to use there."
        )


@dataclass(frozen=True)
class Voice:
    """`generator` writes; `weights`, on this machine, say how likely a text is."""

    generator: Generator
    weights: LocalGenerator
    adapter: Adapter | None
    max_tokens: int

    def chat_model(self) -> GeneratorChatModel:
        return GeneratorChatModel.over(self.generator, max_tokens=self.max_tokens)

    def adapted(self) -> GeneratorChatModel | None:
        """The chat model for those who may read all that the adapter was trained on."""
        if self.adapter is None:
            return None
        return GeneratorChatModel.over(self.generator, adapter=self.adapter.name, max_tokens=self.max_tokens)


@asynccontextmanager
async def open_voice(settings: Settings, progress: Progress = silent) -> AsyncIterator[Voice]:
    """Load what the settings name, and let it go at the end.

    Raises WeightsError, AdapterRefused, DeviceMissing, GeneratorUnnamed or OpenAIExtraMissing: sentences all.
    """
    server = server_of(settings)
    weights = await asyncio.to_thread(_load, settings, with_adapter=server is None, progress=progress)
    try:
        adapter = weights.adapters[0] if weights.adapters else None
        if server is not None and settings.adapter is not None:
            adapter = load_adapter(settings.adapter, settings.writer)
        yield Voice(server or weights, weights, adapter, settings.max_tokens)
    finally:
        await weights.close()


def server_of(settings: Settings) -> ServerGenerator | None:
    """The generator behind OSTIARY_GENERATOR_URL, if it is set."""
    if not settings.generator_url:
        return None
    if not settings.generator_model:
        raise GeneratorUnnamed
    key = settings.generator_key.get_secret_value() if settings.generator_key else ""
    return ServerGenerator(
        settings.generator_url,
        settings.generator_model,
        key=key or "none",
        context=settings.generator_context,
        seconds=settings.generator_seconds,
        waiting=settings.queue,
        wait_seconds=settings.queue_seconds,
    )


def _load(settings: Settings, *, with_adapter: bool, progress: Progress) -> LocalGenerator:
    return LocalGenerator.load(
        settings.language_model,
        cache=settings.cache,
        adapters=[settings.adapter] if with_adapter and settings.adapter else [],
        device=settings.device,
        threads=settings.threads,
        dtype=settings.dtype,
        quantisation=settings.quantisation,
        together=settings.together,
        waiting=settings.queue,
        wait_seconds=settings.queue_seconds,
        progress=progress,
    )
