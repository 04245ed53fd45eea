"""Stand-ins with the real interfaces: a chat model that says what it is told to, an embedder that counts words."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Sequence
from typing import Any

import numpy as np
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from numpy.typing import NDArray
from pydantic import ConfigDict, Field

from bot.answering.words import content_words


class ScriptedChatModel(BaseChatModel):
    """Says `reply` to everything, after `delay` seconds; remembers the prompts."""

    model_name: str = "scripted"
    reply: str = ""
    delay: float = 0.0
    fails: bool = False
    heard: list[str] = Field(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        self.heard.append("\n".join(str(message.text) for message in messages))
        if self.fails:
            raise ConnectionError("the model's server is down")
        return ChatResult(generations=[ChatGeneration(message=AIMessage(content=self.reply))])

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        await asyncio.sleep(self.delay)
        return self._generate(messages, stop, None, **kwargs)


class StreamingChatModel(ScriptedChatModel):
    """Says `pieces` one after the other; waits before each until `let` says so, if there is one."""

    pieces: list[str] = Field(default_factory=list)
    let: asyncio.Semaphore | None = None
    ended: list[bool] = Field(default_factory=list)

    model_config = ConfigDict(arbitrary_types_allowed=True)

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        try:
            for piece in self.pieces:
                if self.let is not None:
                    await self.let.acquire()
                yield ChatGenerationChunk(message=AIMessageChunk(content=piece))
        finally:
            self.ended.append(True)


def embed_by_words(texts: Sequence[str]) -> NDArray[np.float32]:
    """Texts that share words are similar: each content word adds one to its place among 384; rows of length 1."""
    rows = np.zeros((len(texts), 384), dtype=np.float32)
    for row, text in zip(rows, texts, strict=True):
        for word in content_words(text):
            row[zlib.crc32(word.encode()) % 384] += 1
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    found: NDArray[np.float32] = rows / np.where(lengths == 0, 1, lengths)
    return found


class LikelihoodByTable:
    """Says for each prefix the number that belongs to the first key it contains."""

    def __init__(self, table: dict[str, float]) -> None:
        self.table = table
        self.asked: list[str] = []

    def log_likelihood(self, prefixes: Sequence[str], continuation: str) -> list[float]:
        self.asked.extend(prefixes)
        return [next((value for key, value in self.table.items() if key in text), -9.0) for text in prefixes]
