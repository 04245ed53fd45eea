"""Agent sessions and streams: the state of an answer at work, its stop button, its end."""

from __future__ import annotations

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.server import SandboxServer
from bot.sandbox.visitor import VisitorError
from tests.integration.sandbox.conftest import Clock

TASK = {"type": "task_update", "id": "t1", "title": "Looking it up", "status": "in_progress"}


async def asked(sandbox: SandboxServer) -> dict[str, str]:
    """Where a question was asked, as the methods of streams want it."""
    question = await sandbox.visitor.post("priya", "general", "@ostiary how long is leave?")
    who = {"recipient_team_id": "T0LANTERN", "recipient_user_id": "U0PRIYA"}
    return {"channel": "C0GENERAL", "thread_ts": question.ts, **who}


async def at_work(sandbox: SandboxServer, client: AsyncWebClient) -> tuple[str, str]:
    """A session at work, with an answer that grows: its thread, and the answer's time stamp."""
    where = await asked(sandbox)
    await client.agents_sessions_setStatus(
        channel_id="C0GENERAL", thread_ts=where["thread_ts"], status="processing", title="Leave"
    )
    stream = await client.chat_startStream(**where, markdown_text="Ten")
    return where["thread_ts"], stream["ts"]


async def test_the_stop_button_ends_the_stream_and_tells_the_app(
    sandbox: SandboxServer, client: AsyncWebClient, listener: Any
) -> None:
    thread, ts = await at_work(sandbox, client)
    await sandbox.visitor.stop_answer("priya", "general", thread)
    [request] = await sandbox.visitor.wait_for(lambda: listener.events("agent_session_stopped"))

    event = request.payload["event"]
    assert {name: event[name] for name in ("channel", "thread_ts", "user", "streaming_message_ts")} == {
        "channel": "C0GENERAL",
        "thread_ts": thread,
        "user": "U0PRIYA",
        "streaming_message_ts": [ts],
    }
    with pytest.raises(SlackApiError, match="stopped_by_user"):
        await client.chat_appendStream(channel="C0GENERAL", ts=ts, markdown_text=" days")
    assert not sandbox.visitor.visible_to("priya", "general", thread)[-1].streaming


async def test_a_stopped_answer_is_ended_by_the_app_and_its_button_goes(
    sandbox: SandboxServer, client: AsyncWebClient
) -> None:
    thread, ts = await at_work(sandbox, client)
    await sandbox.visitor.stop_answer("priya", "general", thread)
    await client.chat_stopStream(channel="C0GENERAL", ts=ts, session_status="active")

    with pytest.raises(VisitorError, match="no stop button"):
        await sandbox.visitor.stop_answer("priya", "general", thread)
    with pytest.raises(SlackApiError, match="message_not_in_streaming_state"):
        await client.chat_stopStream(channel="C0GENERAL", ts=ts)


async def test_without_the_subscription_there_is_a_warning_and_no_stop_button(
    sandbox: SandboxServer, client: AsyncWebClient
) -> None:
    sandbox.subscriptions.discard("agent_session_stopped")
    thread = (await asked(sandbox))["thread_ts"]
    answer = await client.agents_sessions_setStatus(
        channel_id="C0GENERAL", thread_ts=thread, status="processing"
    )

    assert answer["warning"] == "missing_agent_session_stopped_event_subscription"
    with pytest.raises(VisitorError, match="no stop button"):
        await sandbox.visitor.stop_answer("priya", "general", thread)


async def test_a_title_counts_when_the_session_opens_and_a_rename_afterwards(
    sandbox: SandboxServer, client: AsyncWebClient
) -> None:
    thread = (await asked(sandbox))["thread_ts"]
    session = {"channel_id": "C0GENERAL", "thread_ts": thread}
    await client.agents_sessions_setStatus(**session, status="processing", title="Leave")
    later = await client.agents_sessions_setStatus(**session, status="active", title="Something else")
    assert (later["title"], later["status"]) == ("Leave", "active")
    renamed = await client.api_call("agents.sessions.rename", json={**session, "title": "Days off"})
    assert renamed["title"] == "Days off"
    assert sandbox.sandbox.workspace.sessions["C0GENERAL", thread].title == "Days off"


async def test_a_stream_that_nobody_ends_expires_and_can_be_updated(
    sandbox: SandboxServer, client: AsyncWebClient, clock: Clock
) -> None:
    stream = await client.chat_startStream(**await asked(sandbox), markdown_text="Ten")
    growing = {"channel": "C0GENERAL", "ts": stream["ts"]}
    with pytest.raises(SlackApiError, match="streaming_state_conflict"):
        await client.chat_update(**growing, text="Twelve")
    clock.advance(301)
    for call in (client.chat_appendStream, client.chat_stopStream):
        with pytest.raises(SlackApiError, match="message_not_in_streaming_state"):
            await call(**growing, markdown_text="more")
    await client.chat_update(**growing, text="Twelve")


@pytest.mark.parametrize(
    "chunk",
    [
        {"type": "markdown_text"},
        {"type": "song", "text": "la"},
        TASK | {"status": "sleeping"},
        TASK | {"title": ""},
        TASK | {"sources": [{"type": "url", "url": "https://example.com"}]},
        {"type": "plan_update", "title": ""},
    ],
    ids=lambda chunk: f"{chunk['type']}-{len(chunk)}-{chunk.get('status', '')}",
)
async def test_a_chunk_that_says_nothing_sensible_is_refused(
    sandbox: SandboxServer, client: AsyncWebClient, chunk: dict[str, Any]
) -> None:
    with pytest.raises(SlackApiError, match="invalid_chunks"):
        await client.chat_startStream(**await asked(sandbox), chunks=[chunk])


async def test_tasks_are_shown_as_they_are_now_and_plans_hold_them(
    sandbox: SandboxServer, client: AsyncWebClient
) -> None:
    where = await asked(sandbox)
    stream = await client.chat_startStream(
        **where, chunks=[{"type": "plan_update", "title": "Two steps"}, TASK]
    )
    source = {"type": "url", "url": "https://example.com/leave", "text": "Leave"}
    done = TASK | {"status": "complete", "output": "found", "sources": [source]}
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "the end"}}
    await client.chat_appendStream(
        channel="C0GENERAL",
        ts=stream["ts"],
        chunks=[done, {"type": "markdown_text", "text": "Ten."}, {"type": "blocks", "blocks": [section]}],
    )

    seen = sandbox.visitor.visible_to("priya", "general", where["thread_ts"])[-1]
    plan, words, end = seen.blocks
    assert (plan["title"], [task["status"] for task in plan["tasks"]]) == ("Two steps", ["complete"])
    assert (words["text"], end["text"]["text"]) == ("Ten.", "the end")


async def test_one_stream_holds_twelve_thousand_characters_and_fifty_blocks(
    sandbox: SandboxServer, client: AsyncWebClient
) -> None:
    stream = await client.chat_startStream(**await asked(sandbox), markdown_text="a" * 11_000)
    growing = {"channel": "C0GENERAL", "ts": stream["ts"]}
    with pytest.raises(SlackApiError, match="msg_blocks_too_long"):
        await client.chat_appendStream(**growing, markdown_text="b" * 1_001)
    blocks = {"type": "blocks", "blocks": [{"type": "divider"}] * 25}
    await client.chat_appendStream(**growing, chunks=[blocks])
    with pytest.raises(SlackApiError, match="msg_blocks_too_many"):
        await client.chat_appendStream(**growing, chunks=[blocks])
