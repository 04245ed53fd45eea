"""Any generator behind LangChain's chat interface, so that LangChain programs can use it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import PrivateAttr

from bot.generation.asking import present_asker, present_listener
from bot.generation.generator import DEFAULT_TOKENS, Generator, Request, Turn, written

_ROLES = {"system": "system", "human": "user", "ai": "assistant"}


class GeneratorChatModel(BaseChatModel):
    """A generator as a chat model.

    A call takes `stop`, `max_tokens`, `asker` (whose turn it is) and `on_position` (hears the place in the line);
    the last two may also be said around it, by `asking`.
    `adapter` is fixed when it is made, never by a call: it decides who may be answered.
    """

    model_name: str = ""
    max_tokens: int = DEFAULT_TOKENS
    adapter: str | None = None
    _generator: Generator = PrivateAttr()

    @classmethod
    def over(
        cls, generator: Generator, *, adapter: str | None = None, max_tokens: int = DEFAULT_TOKENS
    ) -> "GeneratorChatModel":
        """A chat model that writes by `generator`, which stays whoever's it is: many may share one."""
        name = f"{generator.name}+{adapter}" if adapter else generator.name
        model = cls(model_name=name, max_tokens=max_tokens, adapter=adapter)
        model._generator = generator
        return model

    @property
    def generator(self) -> Generator:
        return self._generator

    @property
    def _llm_type(self) -> str:
        return "ostiary"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model_name": self.model_name, "adapter": self.adapter}

    def get_num_tokens_from_messages(
        self, messages: list[BaseMessage], tools: Sequence[Any] | None = None
    ) -> int:
        return self._generator.count_tokens(turns_of(messages))

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        """Blocks; for programs without an event loop."""
        request = self._request(messages, stop, kwargs)
        with ThreadPoolExecutor(1) as thread:
            return _result(thread.submit(asyncio.run, written(self._generator, request)).result())

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return _result(await written(self._generator, self._request(messages, stop, kwargs)))

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        request = self._request(messages, stop, kwargs)
        async with aclosing(self._generator.stream(request)) as pieces:
            async for piece in pieces:
                chunk = ChatGenerationChunk(message=AIMessageChunk(content=piece))
                if run_manager is not None:
                    await run_manager.on_llm_new_token(piece, chunk=chunk)
                yield chunk

    def _request(
        self, messages: Sequence[BaseMessage], stop: Sequence[str] | None, options: dict[str, Any]
    ) -> Request:
        request = Request(
            turns_of(messages),
            max_tokens=int(options.get("max_tokens") or self.max_tokens),
            stop=tuple(stop or ()),
            adapter=self.adapter,
            asker=str(options.get("asker") or present_asker()),
        )
        listener = options.get("on_position") or present_listener()
        return replace(request, on_position=listener) if listener else request


def turns_of(messages: Sequence[BaseMessage]) -> tuple[Turn, ...]:
    """LangChain's messages as turns; raises ValueError for those of tools."""
    for message in messages:
        if message.type not in _ROLES:
            raise ValueError(f"Generators take system, human and AI messages, not '{message.type}'.")
    return tuple(Turn(_ROLES[message.type], str(message.text)) for message in messages)  # type: ignore[arg-type]


def _result(text: str) -> ChatResult:
    return ChatResult(generations=[ChatGeneration(message=AIMessage(content=text))])
