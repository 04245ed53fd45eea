"""A small workspace on a free port, and a real Bolt app on a real socket."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.delivery import DeliveryPolicy
from bot.sandbox.seed import ChannelSeed, GroupSeed, PersonSeed, WorkspaceSeed
from bot.sandbox.server import SandboxServer

SEED = WorkspaceSeed(
    team_id="T0LANTERN",
    name="Lantern Works",
    people=(
        PersonSeed("U0PRIYA", "priya", "Priya Raman", "Engineering"),
        PersonSeed("U0MARTA", "marta", "Marta Lind", "Finance", is_admin=True),
        PersonSeed("U0OMAR", "omar", "Omar Haddad", "Support", deleted=True),
        PersonSeed("U0GUS", "gus", "Gus Visser", "Contractor", kind="single_channel_guest"),
        PersonSeed("U0STELLA", "stella", "Stella Park", "Partner Co", kind="outsider"),
    ),
    channels=(
        ChannelSeed("C0GENERAL", "general", members=("priya", "marta", "gus", "ostiary"), topic="All of us"),
        ChannelSeed("C0RANDOM", "random", members=("priya", "marta")),
        ChannelSeed("G0BOARD", "board", private=True, members=("marta", "ostiary")),
        ChannelSeed("G0PAY", "pay", private=True, members=("marta",)),
        ChannelSeed("C0OLD", "old", members=("priya", "ostiary"), archived=True),
    ),
    commands=(("/ingest", "Add a document", "a link or text"),),
    global_shortcuts=(("ask", "Ask a question"),),
    groups=(GroupSeed("S0ENG", "engineers", "Engineers", ("priya", "omar")),),
)
QUICK = DeliveryPolicy(ack_seconds=0.4, retry_delays=(0.0, 0.2, 0.4))


class Clock:
    """The real time, plus whatever a test lets pass."""

    def __init__(self) -> None:
        self.passed = 0.0

    def __call__(self) -> float:
        return time.time() + self.passed

    def advance(self, seconds: float) -> None:
        self.passed += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def sandbox(clock: Clock) -> AsyncIterator[SandboxServer]:
    async with SandboxServer(SEED, delivery=QUICK, clock=clock) as running:
        yield running


@pytest.fixture
def client(sandbox: SandboxServer) -> AsyncWebClient:
    return AsyncWebClient(token=sandbox.bot_token, base_url=sandbox.api_url)


@pytest.fixture
def app(client: AsyncWebClient) -> AsyncApp:
    return AsyncApp(client=client)


@pytest.fixture
async def connected(sandbox: SandboxServer, app: AsyncApp) -> AsyncIterator[AsyncApp]:
    """The app, listening. Listeners may still be added."""
    handler = AsyncSocketModeHandler(app, sandbox.app_token, ping_interval=0.2)
    await handler.connect_async()  # type: ignore[no-untyped-call]
    await sandbox.wait_for_connection()
    yield app
    await handler.close_async()  # type: ignore[no-untyped-call]


class Listener:
    """The SDK's own socket client, with acknowledgements in the test's hand."""

    def __init__(self, client: SocketModeClient) -> None:
        self.client = client
        self.heard: list[SocketModeRequest] = []
        self.acknowledges: Callable[[SocketModeRequest], bool] = lambda request: True
        self.answer: dict[str, Any] | None = None
        client.socket_mode_request_listeners.append(self._hear)  # type: ignore[arg-type]

    async def _hear(self, client: SocketModeClient, request: SocketModeRequest) -> None:
        self.heard.append(request)
        if self.acknowledges(request):
            await client.send_socket_mode_response(SocketModeResponse(request.envelope_id, self.answer))

    def events(self, kind: str) -> list[SocketModeRequest]:
        events = [request for request in self.heard if request.type == "events_api"]
        return [request for request in events if request.payload["event"]["type"] == kind]


Listening = Callable[[], AbstractAsyncContextManager[Listener]]


@pytest.fixture
def listening(sandbox: SandboxServer, client: AsyncWebClient) -> Listening:
    """Opens one more socket."""

    @asynccontextmanager
    async def listen() -> AsyncIterator[Listener]:
        before = sandbox.connections
        socket = SocketModeClient(sandbox.app_token, web_client=client, ping_interval=0.2)
        listener = Listener(socket)
        await socket.connect()  # type: ignore[no-untyped-call]
        await sandbox.visitor.wait_for(lambda: sandbox.connections > before)
        yield listener
        await socket.close()  # type: ignore[no-untyped-call]

    return listen


@pytest.fixture
async def listener(listening: Listening) -> AsyncIterator[Listener]:
    async with listening() as opened:
        yield opened
