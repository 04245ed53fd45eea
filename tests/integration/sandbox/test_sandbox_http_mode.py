"""HTTP mode: signed requests to a real Bolt app behind a real web server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.http_carrier import HttpCarrier, RequestUrlRefused
from bot.sandbox.server import SandboxServer


class Endpoint:
    """The app's Request URL; `answers` lets a test put another answer before Bolt's."""

    def __init__(self, app: AsyncApp) -> None:
        self.app = app
        self.url = ""
        self.answers: list[web.Response] = []
        self.asked: list[dict[str, str]] = []

    async def serve(self, request: web.Request) -> web.Response:
        self.asked.append(dict(request.headers))
        if self.answers:
            return self.answers.pop(0)
        answer = await self.app.async_dispatch(await to_bolt_request(request))
        return await to_aiohttp_response(answer)


@pytest.fixture
async def endpoint(sandbox: SandboxServer, client: AsyncWebClient) -> AsyncIterator[Endpoint]:
    app = AsyncApp(client=client, signing_secret=sandbox.app.signing_secret)
    opened = Endpoint(app)
    site = web.Application()
    site.router.add_post("/slack/events", opened.serve)
    runner = web.AppRunner(site, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    opened.url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    yield opened
    await runner.cleanup()


@pytest.fixture
async def http(sandbox: SandboxServer, endpoint: Endpoint) -> HttpCarrier:
    """The sandbox, delivering to the endpoint once that has answered its challenge."""
    carrier = await sandbox.use_http(endpoint.url)
    endpoint.asked.clear()
    return carrier


async def hears(app: AsyncApp) -> list[dict[str, Any]]:
    heard: list[dict[str, Any]] = []

    @app.event("message")
    async def hear(event: dict[str, Any]) -> None:
        heard.append(event)

    return heard


async def test_an_event_arrives_signed_and_once(
    sandbox: SandboxServer, endpoint: Endpoint, http: HttpCarrier
) -> None:
    heard = await hears(endpoint.app)
    await sandbox.visitor.dm("priya", "hello")
    await sandbox.visitor.wait_for(lambda: heard)
    assert [event["text"] for event in heard] == ["hello"]
    assert [sent.status for sent in http.sent[1:]] == [200]
    assert "X-Slack-Retry-Num" not in endpoint.asked[0]


async def test_a_request_url_that_does_not_know_the_challenge_is_refused(
    sandbox: SandboxServer, endpoint: Endpoint
) -> None:
    endpoint.answers = [web.Response(text="hello")]
    with pytest.raises(RequestUrlRefused, match="not with the challenge"):
        await sandbox.use_http(endpoint.url)
    with pytest.raises(RequestUrlRefused):
        await sandbox.use_http("http://127.0.0.1:9/slack/events")


async def test_a_wrong_signature_and_an_old_one_are_not_taken(
    sandbox: SandboxServer, endpoint: Endpoint, http: HttpCarrier
) -> None:
    heard = await hears(endpoint.app)
    http.signing_secret = "somebody else's"
    await sandbox.visitor.dm("priya", "forged")
    await sandbox.visitor.wait_for(lambda: len(sandbox.deliveries) == 4)
    http.signing_secret, http.skew_seconds = sandbox.app.signing_secret, 301
    await sandbox.visitor.dm("priya", "stale")
    await sandbox.visitor.wait_for(lambda: len(sandbox.deliveries) == 8)
    assert {sent.status for sent in http.sent[1:]} == {401}
    assert heard == []


async def test_a_replayed_request_is_taken_while_its_signature_is_young(
    sandbox: SandboxServer, endpoint: Endpoint, http: HttpCarrier
) -> None:
    heard = await hears(endpoint.app)
    await sandbox.visitor.dm("priya", "hello")
    await sandbox.visitor.wait_for(lambda: heard)
    first = http.sent[-1]
    status, _, _ = await http.post(first.url, first.headers, first.body)
    assert (status, len(heard)) == (200, 2)  # whoever minds must tell by the event id
    status, _, _ = await http.post(first.url, first.headers, first.body.replace(b"hello", b"HELLO"))
    assert (status, len(heard)) == (401, 2)


async def test_a_failing_endpoint_is_tried_again_with_the_reason_and_the_number(
    sandbox: SandboxServer, endpoint: Endpoint, http: HttpCarrier
) -> None:
    heard = await hears(endpoint.app)
    endpoint.answers = [web.Response(status=500), web.Response(status=503)]
    await sandbox.visitor.dm("priya", "hello")
    await sandbox.visitor.wait_for(lambda: heard)
    retries = [
        (asked.get("X-Slack-Retry-Num"), asked.get("X-Slack-Retry-Reason")) for asked in endpoint.asked
    ]
    assert retries == [(None, None), ("1", "http_error"), ("2", "http_error")]


async def test_an_endpoint_can_ask_for_no_retries(
    sandbox: SandboxServer, endpoint: Endpoint, http: HttpCarrier
) -> None:
    endpoint.answers = [web.Response(status=500, headers={"X-Slack-No-Retry": "1"})]
    await sandbox.visitor.dm("priya", "hello")
    await sandbox.visitor.wait_for(lambda: sandbox.deliveries)
    await asyncio.sleep(0.3)
    assert len(endpoint.asked) == 1


async def test_a_slow_endpoint_hears_of_the_same_event_again(
    sandbox: SandboxServer, endpoint: Endpoint, http: HttpCarrier
) -> None:
    heard: list[str] = []

    @endpoint.app.event("message")
    async def hear(event: dict[str, Any], body: dict[str, Any], ack: Any) -> None:
        heard.append(body["event_id"])

    endpoint.app._process_before_response = True
    slow = endpoint.app.async_dispatch

    async def dawdle(request: Any) -> Any:
        await asyncio.sleep(0.6 if not heard else 0)
        return await slow(request)

    endpoint.app.async_dispatch = dawdle  # type: ignore[method-assign]
    await sandbox.visitor.dm("priya", "hello")
    await sandbox.visitor.wait_for(lambda: heard and sandbox.deliveries[-1].acknowledged)
    assert sandbox.deliveries[0].acknowledged is False
    assert sandbox.deliveries[1].reason == "http_timeout"
    assert len(set(heard)) == 1


async def test_commands_clicks_and_modals_come_as_forms_and_are_answered_in_the_response(
    sandbox: SandboxServer, endpoint: Endpoint, http: HttpCarrier, client: AsyncWebClient
) -> None:
    title = {"type": "plain_text", "text": "Title"}
    field = {"type": "plain_text_input", "action_id": "words"}
    block = {"type": "input", "block_id": "title", "label": title, "element": field}

    @endpoint.app.command("/ingest")
    async def ingest(ack: Any, body: dict[str, Any]) -> None:
        await ack(text=f"Thank you for {body['text']}.")
        view = {"type": "modal", "callback_id": "add", "title": title, "submit": title, "blocks": [block]}
        await client.views_open(trigger_id=body["trigger_id"], view=view)

    @endpoint.app.view("add")
    async def add(ack: Any) -> None:
        await ack(response_action="errors", errors={"title": "Shorter, please."})

    outcome = await sandbox.visitor.command("priya", "general", "/ingest", "the report")
    assert outcome.acknowledged
    [whisper] = sandbox.visitor.visible_to("priya", "general")
    assert (whisper.text, whisper.ephemeral) == ("Thank you for the report.", True)
    [view] = await sandbox.visitor.wait_for(lambda: sandbox.visitor.views_open_for("priya"))
    refused = await sandbox.visitor.submit_view("priya", view.id, {"words": "too long"})
    assert refused.field_errors == {"title": "Shorter, please."}


async def test_the_certificate_is_checked_now_and_then(
    sandbox: SandboxServer, endpoint: Endpoint, http: HttpCarrier
) -> None:
    assert await http.check_certificate() == 200


async def test_a_silent_endpoint_fails_a_command_and_nothing_tries_it_again(
    sandbox: SandboxServer, endpoint: Endpoint, http: HttpCarrier
) -> None:
    http._urls = replace(http._urls, commands="http://127.0.0.1:9/nobody")
    outcome = await sandbox.visitor.command("priya", "general", "/ingest")
    assert (outcome.acknowledged, outcome.error) == (False, "dispatch_failed")
    assert "dispatch_failed" in sandbox.visitor.visible_to("priya", "general")[0].text
