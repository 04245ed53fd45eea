"""The whole once: somebody speaks, the app hears it over a socket and answers over the Web API."""

from __future__ import annotations

from typing import Any

from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.server import SandboxServer
from bot.sandbox.visitor import NewFile


def listen(app: AsyncApp, kind: str) -> list[dict[str, Any]]:
    """Collect the bodies of all events of a kind."""
    heard: list[dict[str, Any]] = []

    @app.event(kind)
    async def hear(body: dict[str, Any]) -> None:
        heard.append(body)

    return heard


async def test_a_mention_is_answered_in_its_thread(sandbox: SandboxServer, connected: AsyncApp) -> None:
    @connected.event("app_mention")
    async def answer(event: dict[str, Any], client: AsyncWebClient) -> None:
        await client.chat_postMessage(channel=event["channel"], thread_ts=event["ts"], text="Ten days.")

    listen(connected, "message")
    asked = await sandbox.visitor.post("priya", "#general", "@ostiary how long is leave?")
    reply = await sandbox.visitor.wait_for_reply("marta", "#general", asked.ts)

    assert reply.plain == "Ten days."
    assert reply.author == "ostiary"


async def test_a_direct_message_reaches_the_app_with_its_file(
    sandbox: SandboxServer, connected: AsyncApp
) -> None:
    heard = listen(connected, "message")
    await sandbox.visitor.dm("priya", "please add", files=[NewFile("leave.md", b"# Leave")])
    body = (await sandbox.visitor.wait_for(lambda: heard))[0]

    event = body["event"]
    assert (event["channel_type"], event["subtype"], event["user"]) == ("im", "file_share", "U0PRIYA")
    assert event["files"][0]["name"] == "leave.md"
    assert event["files"][0]["url_private"].startswith(sandbox.url)


async def test_one_mention_makes_two_events_that_share_time_and_client_id(
    sandbox: SandboxServer, connected: AsyncApp
) -> None:
    mentions, messages = listen(connected, "app_mention"), listen(connected, "message")
    await sandbox.visitor.post("priya", "general", "<@" + sandbox.bot_user_id + "> hello")
    await sandbox.visitor.wait_for(lambda: mentions and messages)

    mention, message = mentions[0], messages[0]
    assert mention["event_id"] != message["event_id"]
    assert mention["event"]["ts"] == message["event"]["ts"]
    assert mention["event"]["client_msg_id"] == message["event"]["client_msg_id"]
    assert message["event"]["channel_type"] == "channel"
    assert "channel_type" not in mention["event"]
