"""A generator behind a URL, against a server on this machine that speaks OpenAI's chat completions, well or badly."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from bot.cli.doctor import check_generator
from bot.generation import Request, Turn, written
from bot.generation.elsewhere import ServerGenerator
from bot.generation.generator import GenerationFailed, GenerationRefused, PromptTooLong
from bot.generation.opening import GeneratorUnnamed, server_of
from bot.settings import Settings

Behaviour = Callable[[web.Request, dict[str, Any]], Awaitable[web.StreamResponse]]
ASKED = Request((Turn("system", "Be brief."), Turn("user", "A secret question")), max_tokens=20)


class Server:
    """Remembers what it was asked, and behaves as `behaviour` says."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.left_alone = asyncio.Event()
        self.behaviour: Behaviour = says("The office ", "closes ", "at 19:00.")
        self.url = ""

    async def complete(self, request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        self.asked.append(asked)
        self.keys.append(request.headers.get("Authorization"))
        try:
            return await self.behaviour(request, asked)
        except (ConnectionError, asyncio.CancelledError):
            self.left_alone.set()
            raise


async def begin(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    return response


async def say(response: web.StreamResponse, text: str, finish: str | None = None) -> None:
    chunk = {
        "id": "1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": finish}],
    }
    await response.write(f"data: {json.dumps(chunk)}\n\n".encode())


def says(*pieces: str) -> Behaviour:
    async def behave(request: web.Request, _asked: dict[str, Any]) -> web.StreamResponse:
        response = await begin(request)
        for piece in pieces:
            await say(response, piece)
        await say(response, "", finish="stop")
        await response.write(b"data: [DONE]\n\n")
        return response

    return behave


def answers_with(status: int) -> Behaviour:
    async def behave(_request: web.Request, asked: dict[str, Any]) -> web.StreamResponse:
        error = {"message": f"no: {asked['messages'][-1]['content']}", "type": "x", "code": None}
        return web.json_response({"error": error}, status=status, headers={"retry-after-ms": "1"})

    return behave


async def breaks_off(request: web.Request, _asked: dict[str, Any]) -> web.StreamResponse:
    response = await begin(request)
    await say(response, "The office ")
    return response


async def never_answers(_request: web.Request, _asked: dict[str, Any]) -> web.StreamResponse:
    await asyncio.sleep(30)
    raise AssertionError("somebody waited for half a minute")


async def falls_silent(request: web.Request, _asked: dict[str, Any]) -> web.StreamResponse:
    response = await begin(request)
    await say(response, "The office ")
    await asyncio.sleep(30)
    return response


async def talks_on(request: web.Request, _asked: dict[str, Any]) -> web.StreamResponse:
    response = await begin(request)
    for number in range(10_000):
        await say(response, f"{number} ")
        await asyncio.sleep(0.005)
    return response


async def talks_nonsense(_request: web.Request, _asked: dict[str, Any]) -> web.StreamResponse:
    return web.Response(text="<html>Welcome to the router</html>", content_type="text/html")


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    serving = Server()
    application = web.Application(handler_args={"handler_cancellation": True})
    application.router.add_post("/v1/chat/completions", serving.complete)
    runner = web.AppRunner(application, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    serving.url = f"http://{host}:{port}/v1"
    yield serving
    await runner.cleanup()


def generator(server: Server, **more: Any) -> ServerGenerator:
    return ServerGenerator(server.url, "big", key="sesame", **more)


async def test_the_servers_words_arrive_in_pieces(server: Server) -> None:
    pieces = [piece async for piece in generator(server).stream(ASKED)]
    assert pieces == ["The office ", "closes ", "at 19:00."]
    asked = server.asked[0]
    assert (asked["model"], asked["temperature"]) == ("big", 0)
    assert 20 in (asked.get("max_tokens"), asked.get("max_completion_tokens"))
    assert [message["role"] for message in asked["messages"]] == ["system", "user"]
    assert server.keys == ["Bearer sesame"]


async def test_an_adapter_is_asked_for_as_a_model_of_its_name(server: Server) -> None:
    asked = Request((Turn("user", "x"),), adapter="engineering-lora")
    writer = generator(server)
    await written(writer, asked)
    await written(writer, Request((Turn("user", "x"),)))
    assert [one["model"] for one in server.asked] == ["engineering-lora", "big"]


async def test_a_stop_ends_the_text_even_where_the_server_knows_none(server: Server) -> None:
    server.behaviour = says("Yes.", "\n", "\nQuestion: more")
    asked = Request((Turn("user", "x"),), stop=("\n\n",))
    assert await written(generator(server), asked) == "Yes."
    assert server.asked[0]["stop"] == ["\n\n"]


async def test_closing_the_stream_hangs_up_so_that_the_server_stops(server: Server) -> None:
    server.behaviour = talks_on
    stream = generator(server).stream(ASKED)
    assert await anext(stream) == "0 "
    await stream.aclose()
    await asyncio.wait_for(server.left_alone.wait(), 30)


@pytest.mark.parametrize(
    ("behaviour", "sentence"),
    [
        (answers_with(400), "refused the prompt"),
        (answers_with(401), "Correct OSTIARY_GENERATOR_KEY"),
        (answers_with(403), "Correct OSTIARY_GENERATOR_KEY"),
        (answers_with(404), "has no model 'big'"),
        (answers_with(429), "Ask again in a minute"),
        (answers_with(500), "look into its log"),
        (never_answers, "did not answer in time"),
        (falls_silent, "Ask again"),
        (breaks_off, "broke off in the middle"),
        (talks_nonsense, "The server at"),
    ],
)
async def test_what_goes_wrong_there_is_told_in_a_sentence(
    server: Server, behaviour: Behaviour, sentence: str
) -> None:
    server.behaviour = behaviour
    with pytest.raises(GenerationFailed, match=sentence) as raised:
        await asyncio.wait_for(written(generator(server, seconds=0.3), ASKED), 60)
    assert "secret" not in str(raised.value)
    assert "sesame" not in str(raised.value)


async def test_a_server_that_is_not_there_is_told_in_a_sentence() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    with pytest.raises(GenerationFailed, match=r"cannot be reached\. Start it"):
        await written(ServerGenerator(url, "big"), ASKED)


async def test_a_prompt_longer_than_the_model_holds_is_not_sent(server: Server) -> None:
    with pytest.raises(PromptTooLong, match="fewer passages"):
        await written(generator(server, context=256), Request((Turn("user", "word " * 300),)))
    assert server.asked == []


async def test_more_than_may_wait_are_refused(server: Server) -> None:
    server.behaviour = talks_on
    writer = generator(server, waiting=1)
    streams = [writer.stream(Request((Turn("user", "x"),), asker=str(n))) for n in range(64)]
    assert {await anext(stream) for stream in streams} == {"0 "}
    waiting = asyncio.create_task(written(writer, Request((Turn("user", "x"),), asker="next")))
    await asyncio.sleep(0.01)
    with pytest.raises(GenerationRefused, match="Too many questions"):
        await written(writer, Request((Turn("user", "x"),), asker="late"))
    waiting.cancel()
    for stream in streams:
        await stream.aclose()


async def test_the_doctor_tries_the_server(server: Server) -> None:
    settings = Settings(generator_url=server.url, generator_model="big")
    assert await check_generator(settings) == [(True, "Texts", f"written by big at {server.url}")]
    server.behaviour = answers_with(404)
    with pytest.raises(GenerationFailed, match="has no model 'big'"):
        await check_generator(settings)


def test_a_server_without_a_models_name_is_a_mistake_in_the_settings() -> None:
    with pytest.raises(GeneratorUnnamed, match="OSTIARY_GENERATOR_MODEL"):
        server_of(Settings(generator_url="http://127.0.0.1:1/v1"))
    assert server_of(Settings()) is None
