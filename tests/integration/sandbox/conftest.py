"""A small workspace on a free port, and a real Bolt app on a real socket."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
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
    groups=(GroupSeed("S0ENG", "engineers", "Engineers", ("priya",)),),
)
QUICK = DeliveryPolicy(ack_seconds=0.4, retry_delays=(0.0, 0.2, 0.4))


@pytest.fixture
async def server() -> AsyncIterator[SandboxServer]:
    async with SandboxServer(SEED, delivery=QUICK) as running:
        yield running


@pytest.fixture
def client(server: SandboxServer) -> AsyncWebClient:
    return AsyncWebClient(token=server.bot_token, base_url=server.api_url)


@pytest.fixture
def app(client: AsyncWebClient) -> AsyncApp:
    return AsyncApp(client=client)


@pytest.fixture
async def connected(server: SandboxServer, app: AsyncApp) -> AsyncIterator[AsyncApp]:
    """The app, listening. Listeners may be added before and after."""
    handler = AsyncSocketModeHandler(app, server.app_token, ping_interval=0.2)
    await handler.connect_async()
    await server.wait_for_connection()
    yield app
    await handler.close_async()
