"""Socket Mode: acknowledgements, retries, lost and replaced connections."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.server import SandboxServer


async def test_an_acknowledged_event_is_delivered_once(sandbox: SandboxServer, listener: Any) -> None:
    await sandbox.visitor.dm("priya", "hello")
    await sandbox.visitor.wait_for(lambda: sandbox.deliveries)
    await asyncio.sleep(0.5)

    assert [(delivery.attempt, delivery.acknowledged) for delivery in sandbox.deliveries] == [(0, True)]
    assert len(listener.events("message")) == 1


async def test_an_event_without_acknowledgement_comes_again_with_the_same_id(
    sandbox: SandboxServer, listener: Any
) -> None:
    listener.acknowledges = lambda request: request.retry_attempt == 2
    await sandbox.visitor.dm("priya", "hello")
    await sandbox.visitor.wait_for(lambda: len(sandbox.deliveries) == 3)

    heard = listener.events("message")
    assert len({request.payload["event_id"] for request in heard}) == 1
    assert len({request.envelope_id for request in heard}) == 3
    assert [(request.retry_attempt, request.retry_reason) for request in heard] == [
        (0, ""),
        (1, "timeout"),
        (2, "timeout"),
    ]


async def test_an_event_that_nobody_ever_acknowledges_is_given_up_after_three_retries(
    sandbox: SandboxServer, listener: Any
) -> None:
    listener.acknowledges = lambda request: False
    await sandbox.visitor.dm("priya", "hello")
    await sandbox.visitor.wait_for(lambda: len(sandbox.deliveries) == 4)
    await asyncio.sleep(0.6)

    assert [delivery.attempt for delivery in sandbox.deliveries] == [0, 1, 2, 3]
    assert not any(delivery.acknowledged for delivery in sandbox.deliveries)


async def test_an_event_said_while_nobody_listens_is_heard_by_a_later_retry(
    sandbox: SandboxServer, listening: Any
) -> None:
    await sandbox.visitor.dm("priya", "anybody?")
    await sandbox.visitor.wait_for(lambda: len(sandbox.deliveries) == 2)
    async with listening() as late:
        await sandbox.visitor.wait_for(lambda: late.events("message"))

    assert late.events("message")[0].retry_reason == "connection_failed"


async def test_each_event_goes_to_one_of_several_sockets(sandbox: SandboxServer, listening: Any) -> None:
    async with listening() as one, listening() as other:
        for number in range(6):
            await sandbox.visitor.dm("priya", f"number {number}")
        await sandbox.visitor.wait_for(lambda: len(sandbox.deliveries) == 6)

    assert len(one.events("message")) + len(other.events("message")) == 6
    assert one.events("message")
    assert other.events("message")


async def test_a_duplicate_delivery_carries_the_same_event_id(sandbox: SandboxServer, listener: Any) -> None:
    sandbox.deliver_twice = True
    await sandbox.visitor.dm("priya", "hello")
    await sandbox.visitor.wait_for(lambda: len(listener.events("message")) == 2)

    first, second = listener.events("message")
    assert first.payload["event_id"] == second.payload["event_id"]
    assert first.envelope_id != second.envelope_id


async def test_the_app_reconnects_when_asked_to_and_misses_nothing(
    sandbox: SandboxServer, connected: AsyncApp
) -> None:
    heard: list[str] = []

    @connected.event("message")
    async def hear(event: dict[str, Any]) -> None:
        heard.append(event["text"])

    before = sum(call.method == "apps.connections.open" for call in sandbox.calls)
    await sandbox.request_disconnect("refresh_requested")
    await sandbox.visitor.wait_for(
        lambda: sum(call.method == "apps.connections.open" for call in sandbox.calls) > before
    )
    await sandbox.wait_for_connection()
    await sandbox.visitor.dm("priya", "still there?")
    await sandbox.visitor.wait_for(lambda: heard)

    assert heard == ["still there?"]


async def test_the_app_reconnects_after_a_broken_connection_and_hears_the_retry(
    sandbox: SandboxServer, connected: AsyncApp
) -> None:
    heard: list[str] = []

    @connected.event("message")
    async def hear(event: dict[str, Any]) -> None:
        heard.append(event["text"])

    await sandbox.drop_sockets()
    assert sandbox.connections == 0
    await sandbox.visitor.dm("priya", "lost?")
    await sandbox.visitor.wait_for(lambda: heard)

    assert heard == ["lost?"]
    assert not sandbox.deliveries[0].acknowledged


async def test_a_command_is_never_retried_and_its_failure_is_shown_to_its_sender_alone(
    sandbox: SandboxServer, listener: Any
) -> None:
    listener.acknowledges = lambda request: False
    outcome = await sandbox.visitor.command("priya", "general", "/ingest", "x")
    await asyncio.sleep(0.6)

    assert outcome.error == "operation_timeout"
    assert len(listener.heard) == 1
    shown = sandbox.visitor.visible_to("priya", "general")[-1]
    assert (shown.author, shown.ephemeral) == ("Slackbot", True)
    assert shown.text == "/ingest failed with the error 'operation_timeout'"
    assert sandbox.visitor.visible_to("marta", "general") == ()


async def test_a_command_with_nobody_connected_fails_at_once(sandbox: SandboxServer) -> None:
    outcome = await sandbox.visitor.command("priya", "general", "/ingest", "x")
    assert outcome.error == "dispatch_failed"


async def test_an_eleventh_socket_is_sent_away(sandbox: SandboxServer, client: AsyncWebClient) -> None:
    app_client = AsyncWebClient(token=sandbox.app_token, base_url=sandbox.api_url)
    async with aiohttp.ClientSession() as session:
        sockets = []
        for _ in range(11):
            url = (await app_client.apps_connections_open(app_token=sandbox.app_token))["url"]
            sockets.append(await session.ws_connect(url))
        greetings = [await socket.receive_json() for socket in sockets]

    assert [greeting["type"] for greeting in greetings] == ["hello"] * 10 + ["disconnect"]
    assert greetings[-1]["reason"] == "too_many_websockets"


async def test_a_socket_address_opens_only_one_socket(sandbox: SandboxServer) -> None:
    app_client = AsyncWebClient(token=sandbox.app_token, base_url=sandbox.api_url)
    url = (await app_client.apps_connections_open(app_token=sandbox.app_token))["url"]
    async with aiohttp.ClientSession() as session, session.ws_connect(url):
        refused = await session.get(url.replace("ws://", "http://"))
        assert refused.status == 403


async def test_a_half_open_socket_loses_an_event_that_the_next_attempt_brings_by_another(
    sandbox: SandboxServer, listening: Any
) -> None:
    async with listening() as first, listening() as second:
        sandbox.freeze_sockets(1)
        for number in range(2):  # the sockets take turns, so one of two meets the frozen one
            await sandbox.visitor.dm("priya", f"number {number}")
        await sandbox.visitor.wait_for(lambda: sum(one.acknowledged for one in sandbox.deliveries) == 2)
        heard = {request.payload["event"]["text"] for request in second.events("message")}

    assert heard == {"number 0", "number 1"}
    assert first.events("message") == []
    assert [one.reason for one in sandbox.deliveries if one.attempt == 1] == ["timeout"]


async def test_the_app_opens_a_new_socket_for_one_that_is_half_open(
    sandbox: SandboxServer, connected: AsyncApp
) -> None:
    before = sandbox.sockets._open[0]
    sandbox.freeze_sockets()
    await sandbox.visitor.wait_for(
        lambda: any(one is not before for one in sandbox.sockets._open), timeout=20
    )


async def test_one_of_two_sockets_is_lost_and_the_other_carries_on(
    sandbox: SandboxServer, listening: Any
) -> None:
    async with listening(), listening() as second:
        await sandbox.drop_sockets(1)
        await sandbox.visitor.dm("priya", "still there?")
        await sandbox.visitor.wait_for(lambda: sandbox.deliveries and sandbox.deliveries[-1].acknowledged)
        assert [request.payload["event"]["text"] for request in second.events("message")] == ["still there?"]
