"""A generator behind a URL: any server that speaks OpenAI's chat completions, such as vLLM, llama.cpp or Ollama."""

import logging
import math
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from functools import cache
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from bot.generation.generator import (
    DEFAULT_TOKENS,
    GenerationFailed,
    GenerationRefused,
    PromptTooLong,
    Request,
    Turn,
)
from bot.generation.turns import Turns
from bot.generation.wording import Pieces

_log = logging.getLogger(__name__)
_SAID_BY = {"system": SystemMessage, "user": HumanMessage, "assistant": AIMessage}
# The tokenizer is the server's. Of texts in European languages three bytes a token is less than there are.
_BYTES_PER_TOKEN = 3
_TOKENS_PER_TURN = 8
_TOGETHER = 64


class OpenAIExtraMissing(GenerationRefused):
    """langchain-openai is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "OSTIARY_GENERATOR_URL needs a package that is not installed: `pip install 'ostiary[openai]'`."
        )


class ServerGenerator:
    """Has text written at `url` by the model `name`. An adapter is asked for as a model of its own name."""

    def __init__(
        self,
        url: str,
        name: str,
        *,
        key: str = "none",
        context: int = 8192,
        seconds: float = 60.0,
        waiting: int = 64,
        wait_seconds: float = 120.0,
    ) -> None:
        self.name = name
        self.url = url
        self._context = context
        self._turns = Turns(_TOGETHER, waiting, wait_seconds)
        self._model = cache(lambda model: _chat_model(model, url, key, seconds))
        self._model(name)  # what is not installed is missed now, not at the first question

    def count_tokens(self, turns: Sequence[Turn]) -> int:
        """More than there are, as a rule: the server's tokenizer is not at hand."""
        return sum(math.ceil(len(turn.text.encode()) / _BYTES_PER_TOKEN) + _TOKENS_PER_TURN for turn in turns)

    def fits(self, turns: Sequence[Turn], max_tokens: int = DEFAULT_TOKENS) -> bool:
        return self.count_tokens(turns) + max_tokens <= self._context

    async def stream(self, request: Request) -> AsyncGenerator[str, None]:
        if not self.fits(request.turns, request.max_tokens):
            raise PromptTooLong(
                f"The model at {self.url} holds {self._context} tokens; give it fewer passages."
            )
        async with self._turns.turn_of(request), aclosing(self._pieces(request)) as pieces:
            async for piece in pieces:
                yield piece

    async def close(self) -> None:
        """Nothing is held here."""

    async def _pieces(self, request: Request) -> AsyncGenerator[str, None]:
        told, text, finished = Pieces(request.stop), "", False
        model = self._model(request.adapter or self.name)
        try:
            async with aclosing(_answers(model, request)) as answers:
                async for answer in answers:
                    text += str(answer.text)
                    finished = finished or bool(answer.response_metadata.get("finish_reason"))
                    if piece := told.after(text, last=False):
                        yield piece
                    if told.ended:
                        return
        except Exception as error:  # each library below has errors of its own, some of them not OpenAI's
            _log.warning("The server at %s gave no answer: %s", self.url, type(error).__name__)
            raise self._refusal(error, model=request.adapter or self.name) from error
        if not finished:
            raise GenerationFailed(
                f"The server at {self.url} broke off in the middle of its answer. Ask again."
            )
        if piece := told.after(text, last=True):
            yield piece

    def _refusal(self, error: Exception, model: str) -> GenerationRefused:
        """The sentence for an error. What the server said is not repeated: it may quote the prompt."""
        import openai

        for kind, what in (
            (openai.APITimeoutError, "did not answer in time. Ask again, or raise OSTIARY_GENERATOR_SECONDS"),
            (TimeoutError, "stopped answering in the middle. Ask again"),
            (openai.APIConnectionError, "cannot be reached. Start it, or correct OSTIARY_GENERATOR_URL"),
            (openai.AuthenticationError, "refused the key. Correct OSTIARY_GENERATOR_KEY"),
            (openai.PermissionDeniedError, "refused the key. Correct OSTIARY_GENERATOR_KEY"),
            (
                openai.NotFoundError,
                f"has no model '{model}'. Load it there, or name another one in the settings",
            ),
            (openai.RateLimitError, "has too much to do. Ask again in a minute"),
            (openai.BadRequestError, "refused the prompt; it may be longer than its model holds"),
            (openai.APIStatusError, "failed over it. Ask again, or look into its log"),
        ):
            if isinstance(error, kind):
                return GenerationFailed(f"The server at {self.url} {what}.")
        return GenerationFailed(f"The server at {self.url} gave no answer that can be read. Ask again.")


def _chat_model(name: str, url: str, key: str, seconds: float) -> BaseChatModel:
    from langchain.chat_models import init_chat_model

    try:
        model = init_chat_model(
            name,
            model_provider="openai",
            base_url=url,
            api_key=key,
            temperature=0,
            timeout=seconds,
            stream_chunk_timeout=seconds,
            max_retries=1,
            stream_usage=False,
            use_responses_api=False,
        )
    except ImportError as error:
        raise OpenAIExtraMissing from error
    if not isinstance(model, BaseChatModel):
        raise OpenAIExtraMissing
    return model


async def _answers(model: BaseChatModel, request: Request) -> AsyncGenerator[Any, None]:
    messages: list[BaseMessage] = [_SAID_BY[turn.role](content=turn.text) for turn in request.turns]
    options: dict[str, Any] = {"stop": list(request.stop)} if request.stop else {}
    async for answer in model.astream(messages, max_tokens=request.max_tokens, **options):
        yield answer
