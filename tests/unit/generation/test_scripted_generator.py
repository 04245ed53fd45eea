"""What every generator promises, shown on the one that needs no weights: turns, places, stops, cancelling, LangChain."""

import asyncio

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

from bot.generation import GeneratorChatModel, Request, Turn, as_many_as_fit, asking, written
from bot.generation.generator import LineFull, PromptTooLong, WaitedTooLong
from bot.generation.scripted import ScriptedGenerator


def request(text: str, asker: str = "", **more: object) -> Request:
    return Request((Turn("user", text),), asker=asker, **more)  # type: ignore[arg-type]


def echo(asked: Request) -> str:
    return f"You said {asked.turns[-1].text}"


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_turns_go_round_by_person() -> None:
    generator = ScriptedGenerator(echo)
    generator.hold()
    asked = [("a1", "a"), ("a2", "a"), ("a3", "a"), ("b1", "b")]
    tasks = [asyncio.create_task(written(generator, request(text, asker))) for text, asker in asked]
    await settle()
    generator.go_on()
    assert await asyncio.gather(*tasks) == [f"You said {text}" for text, _ in asked]
    assert [one.turns[0].text for one in generator.requests] == ["a1", "a2", "b1", "a3"]


async def test_whoever_waits_sees_the_line_move() -> None:
    generator, seen = ScriptedGenerator(echo), list[int]()
    generator.hold()
    tasks = [asyncio.create_task(written(generator, request(name, name))) for name in "abc"]
    tasks.append(asyncio.create_task(written(generator, request("d", "d", on_position=seen.append))))
    await settle()
    assert seen == [3]
    generator.go_on()
    await asyncio.gather(*tasks)
    assert seen == [3, 2, 1, 0]


async def test_more_than_may_wait_are_refused_with_a_sentence() -> None:
    generator = ScriptedGenerator(echo, waiting=1)
    generator.hold()
    tasks = [asyncio.create_task(written(generator, request(name, name))) for name in "ab"]
    await settle()
    with pytest.raises(LineFull, match="Too many questions"):
        await written(generator, request("c", "c"))
    generator.go_on()
    assert await asyncio.gather(*tasks) == ["You said a", "You said b"]


async def test_whoever_waits_too_long_is_told_and_keeps_nobody_waiting() -> None:
    generator = ScriptedGenerator(echo, wait_seconds=0.05)
    generator.hold()
    first = asyncio.create_task(written(generator, request("a", "a")))
    await settle()
    with pytest.raises(WaitedTooLong, match="its turn did not come"):
        await written(generator, request("b", "b"))
    generator.go_on()
    assert [await first, await written(generator, request("c"))] == ["You said a", "You said c"]


async def test_closing_a_stream_stops_it_and_gives_the_turn_to_the_next() -> None:
    generator = ScriptedGenerator(lambda _: "one two three four")
    stream = generator.stream(request("a"))
    assert await anext(stream) == "one"
    waiting = asyncio.create_task(written(generator, request("b")))
    await settle()
    assert not waiting.done()
    await stream.aclose()
    assert await waiting == "one two three four"
    assert generator.broken_off == 1


async def test_whoever_goes_away_while_waiting_is_never_served() -> None:
    generator = ScriptedGenerator(echo)
    generator.hold()
    tasks = [asyncio.create_task(written(generator, request(name, name))) for name in "abc"]
    await settle()
    tasks[1].cancel()
    generator.go_on()
    assert [await tasks[0], await tasks[2]] == ["You said a", "You said c"]
    assert [one.turns[0].text for one in generator.requests] == ["a", "c"]


def test_passages_are_left_out_whole_until_the_prompt_fits() -> None:
    generator, passages = (
        ScriptedGenerator(echo, context=10),
        ["one two three", "four five six", "seven eight"],
    )

    def prompt(chosen: object) -> tuple[Turn, ...]:
        return (Turn("user", " ".join(chosen)),)  # type: ignore[arg-type]

    assert as_many_as_fit(passages, prompt, generator, max_tokens=4) == passages[:2]
    assert as_many_as_fit(passages, prompt, generator, max_tokens=8) == []


async def test_a_prompt_that_does_not_fit_is_refused_before_it_waits() -> None:
    generator = ScriptedGenerator(echo, context=10)
    with pytest.raises(PromptTooLong, match="fewer passages"):
        await written(generator, request("a", max_tokens=11))
    assert generator.requests == []


async def test_a_chat_model_passes_on_what_was_said_and_for_whom() -> None:
    generator = ScriptedGenerator(echo)
    model = GeneratorChatModel.over(generator, adapter="tuned", max_tokens=7)
    with asking("U1"):
        reply = await model.ainvoke(
            [SystemMessage("be brief"), AIMessage("hi"), HumanMessage("x y")], stop=["y"]
        )
    assert reply.text == "You said x "
    assert generator.requests == [
        Request(
            (Turn("system", "be brief"), Turn("assistant", "hi"), Turn("user", "x y")),
            max_tokens=7,
            stop=("y",),
            adapter="tuned",
            asker="U1",
        )
    ]


async def test_a_call_cannot_choose_an_adapter() -> None:
    generator = ScriptedGenerator(echo)
    await GeneratorChatModel.over(generator).ainvoke("x", adapter="tuned")
    assert [one.adapter for one in generator.requests] == [None]


async def test_a_chat_model_streams_what_it_returns_and_tells_the_place_in_the_line() -> None:
    generator, seen = ScriptedGenerator(echo), list[int]()
    model = GeneratorChatModel.over(generator)
    pieces = [str(chunk.text) async for chunk in model.astream("a b", asker="U2", on_position=seen.append)]
    assert "".join(pieces) == str((await model.ainvoke("a b")).text) == "You said a b"
    assert len([piece for piece in pieces if piece]) == 4
    assert (generator.requests[0].asker, seen) == ("U2", [0])


def test_a_chat_model_answers_programs_without_an_event_loop() -> None:
    assert GeneratorChatModel.over(ScriptedGenerator(echo)).invoke("a").text == "You said a"


async def test_a_message_that_no_template_knows_is_refused() -> None:
    model = GeneratorChatModel.over(ScriptedGenerator(echo))
    with pytest.raises(ValueError, match="not 'tool'"):
        await model.ainvoke([HumanMessage("hi"), ToolMessage("42", tool_call_id="1")])
