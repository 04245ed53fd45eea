"""The language model of this machine behind LangChain's chat interface: one call at a time, cancellable."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import PrivateAttr

from auth.errors import OstiaryError
from bot.answering.generator import Generator
from finetune.adapters import Adapter, AdapterRefused, load_adapter
from retrieval.weights import PACKAGED, Progress, language_model_folder, silent

# Of a question, more tells no sentence from the next, and costs time and memory for each sentence weighed.
_WEIGHED_TOKENS = 128
_ROLES = {"system": "system", "human": "user", "ai": "assistant"}


class PromptTooLong(OstiaryError):
    """The prompt and its answer exceed what the model can hold; leave passages out, whole ones."""


class LikelihoodModel(Protocol):
    """A model that says how likely a text is: what only weights at hand can tell."""

    def log_likelihood(self, prefixes: Sequence[str], continuation: str) -> list[float]:
        """Mean log-probability per token of `continuation` after each prefix."""
        ...


class LocalChatModel(BaseChatModel):
    """A Hugging Face model in this process. Generation is greedy; every call runs on one thread of its own."""

    model_name: str = PACKAGED
    max_new_tokens: int = 64
    use_adapter: bool = False
    _generator: Generator = PrivateAttr()
    _thread: ThreadPoolExecutor = PrivateAttr()

    @classmethod
    def load(
        cls,
        name: str = PACKAGED,
        *,
        cache: Path,
        adapter: Path | None = None,
        max_new_tokens: int = 64,
        threads: int | None = None,
        progress: Progress = silent,
    ) -> "LocalChatModel":
        """Find and load the model `name`; takes seconds, half a minute the first time.

        Raises a WeightsError or AdapterRefused, whose messages are sentences.
        """
        checked = load_adapter(adapter, name) if adapter is not None else None
        folder = language_model_folder(name, cache=cache, progress=progress)
        # Always the same thread: torch keeps a pool of workers for each thread that computes.
        thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="language-model")
        model = cls(model_name=name, max_new_tokens=max_new_tokens)
        model._thread = thread
        try:
            model._generator = thread.submit(
                Generator.load, folder, adapter=checked, threads=threads
            ).result()
        except BaseException:
            thread.shutdown(wait=False)
            raise
        return model

    @property
    def adapter(self) -> Adapter | None:
        """The adapter that is loaded beside the base weights; its readers decide who may be served by it."""
        return self._generator.adapter

    def adapted(self) -> "LocalChatModel":
        """This model with its adapter on; the weights in memory are shared. Raises AdapterRefused."""
        if self.adapter is None:
            raise AdapterRefused("No adapter is loaded; name one in the settings.")
        other = LocalChatModel(
            model_name=f"{self.model_name}+{self.adapter.name}",
            max_new_tokens=self.max_new_tokens,
            use_adapter=True,
        )
        other._generator, other._thread = self._generator, self._thread
        return other

    def close(self) -> None:
        """Let the running call end and take no more."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    def log_likelihood(self, prefixes: Sequence[str], continuation: str) -> list[float]:
        """Mean log-probability per token of `continuation` after each prefix, by the base weights; blocking."""
        return self._thread.submit(self._log_likelihood, list(prefixes), continuation).result()

    @property
    def _llm_type(self) -> str:
        return "ostiary-local"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model_name": self.model_name, "use_adapter": self.use_adapter}

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        prompt = self._prompt(messages)
        return _result(self._start(prompt, stop, kwargs, threading.Event(), _ignore).result())

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        prompt, cancelled = self._prompt(messages), threading.Event()
        try:
            text = await asyncio.wrap_future(self._start(prompt, stop, kwargs, cancelled, _ignore))
        finally:
            cancelled.set()
        return _result(text)

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        prompt, cancelled = self._prompt(messages), threading.Event()
        loop, pieces = asyncio.get_running_loop(), asyncio.Queue[str | None]()

        def hand_over(piece: str | None) -> None:
            if not cancelled.is_set():
                loop.call_soon_threadsafe(pieces.put_nowait, piece)

        running = self._start(prompt, stop, kwargs, cancelled, hand_over)
        running.add_done_callback(lambda _: hand_over(None))
        try:
            while (piece := await pieces.get()) is not None:
                chunk = ChatGenerationChunk(message=AIMessageChunk(content=piece))
                if run_manager is not None:
                    await run_manager.on_llm_new_token(piece, chunk=chunk)
                yield chunk
            await asyncio.wrap_future(running)
        finally:
            cancelled.set()

    def _start(
        self,
        prompt: list[int],
        stop: Sequence[str] | None,
        options: dict[str, Any],
        cancelled: threading.Event,
        hand_over: Callable[[str], None],
    ) -> "Future[str]":
        limit = int(options.get("max_tokens") or self.max_new_tokens)
        room = self._generator.context - len(prompt)
        if room < limit:
            raise PromptTooLong(
                f"The prompt has {len(prompt)} tokens and the model holds {self._generator.context} with the "
                f"{limit} of the answer; give it fewer passages."
            )
        return self._thread.submit(self._run, prompt, limit, stop or (), cancelled, hand_over)

    def _run(
        self,
        prompt: list[int],
        limit: int,
        stop: Sequence[str],
        cancelled: threading.Event,
        hand_over: Callable[[str], None],
    ) -> str:
        tokens = self._generator.greedy(prompt, limit, cancelled.is_set, adapted=self.use_adapter)
        text = ""
        for whole in _growing_text(tokens, self._generator.tokenizer, stop):
            if len(whole) > len(text):
                hand_over(whole[len(text) :])
            text = whole
        return text

    def _prompt(self, messages: Sequence[BaseMessage]) -> list[int]:
        """Token ids of the conversation in the model's own template; raises ValueError for tool messages."""
        tokenizer = self._generator.tokenizer
        turns = []
        for message in messages:
            if message.type not in _ROLES:
                raise ValueError(
                    f"The local model takes system, human and AI messages, not '{message.type}'."
                )
            content = without_markers(str(message.text), tokenizer.get_added_vocab())
            turns.append({"role": _ROLES[message.type], "content": content})
        text = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        return list(tokenizer.encode(text, add_special_tokens=False))

    def _log_likelihood(self, prefixes: Sequence[str], continuation: str) -> list[float]:
        tokenizer = self._generator.tokenizer

        def ids(text: str) -> list[int]:
            clean = without_markers(text, tokenizer.get_added_vocab())
            return list(tokenizer.encode(clean, add_special_tokens=False))

        tail = ids(continuation)[:_WEIGHED_TOKENS]
        return self._generator.log_likelihood([ids(text) for text in prefixes], tail)


def without_markers(text: str, markers: Sequence[str] | dict[str, int]) -> str:
    """`text` less the model's turn markers, so that a document cannot pose as another speaker."""
    found = True
    while found:  # each round shortens the text: taking one marker out may put another together
        found = False
        for marker in markers:
            if marker in text:
                text, found = text.replace(marker, ""), True
    return text


def _growing_text(tokens: Iterator[int], tokenizer: Any, stop: Sequence[str]) -> Iterator[str]:
    """The text so far after each token, cut before the first of `stop`; half a character is held back."""
    ids: list[int] = []
    for token in tokens:
        ids.append(token)
        text = str(tokenizer.decode(ids, skip_special_tokens=True))
        cuts = [text.find(word) for word in stop if word in text]
        if cuts:
            yield text[: min(cuts)]
            return
        if not text.endswith("\N{REPLACEMENT CHARACTER}"):
            yield text


def _ignore(_piece: str) -> None:
    """Nobody listens for the pieces of a call that returns the whole."""


def _result(text: str) -> ChatResult:
    return ChatResult(generations=[ChatGeneration(message=AIMessage(content=text))])
