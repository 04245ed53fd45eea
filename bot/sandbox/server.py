"""One aiohttp server on one port: Slack's side for the bot, the page for the visitor."""

from __future__ import annotations

import asyncio
import errno
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Literal

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.sandbox.delivery import Delivery, DeliveryPolicy
from bot.sandbox.file_routes import MOST_UPLOAD_BYTES, FileRoutes
from bot.sandbox.page_api import PageApi
from bot.sandbox.rate_limits import RateLimits
from bot.sandbox.recorders import Call, Notification, Unfurl
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.seed import WorkspaceSeed
from bot.sandbox.storage import Storage
from bot.sandbox.visitor import Visitor
from bot.sandbox.web_api import WebApi

BOT_TOKEN = "xoxb-sandbox-bot-token"  # noqa: S105  opens nothing but a sandbox on this machine
APP_TOKEN = "xapp-sandbox-app-token"  # noqa: S105
_SHUTDOWN_SECONDS = 1.0
_OVERLAP_SECONDS = 1.0
DisconnectReason = Literal["warning", "refresh_requested", "link_disabled", "too_many_websockets"]


class SandboxPortTaken(OSError):
    """Another program listens on the sandbox's port."""


class SandboxServer:
    """A workspace to talk to. Not reachable from other machines unless `host` says so."""

    def __init__(
        self,
        seed: WorkspaceSeed,
        host: str = "127.0.0.1",
        port: int = 0,
        bot_token: str = BOT_TOKEN,
        app_token: str = APP_TOKEN,
        state_file: Path | None = None,
        clock: Callable[[], float] = time.time,
        delivery: DeliveryPolicy | None = None,
    ) -> None:
        self._host = host
        self._port = port
        self.bot_token = bot_token
        self.app_token = app_token
        self.sandbox = Sandbox(seed, clock, delivery or DeliveryPolicy(), bot_token, app_token)
        self.visitor = Visitor(self.sandbox)
        self._storage = Storage(state_file, self.sandbox.workspace) if state_file else None
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen. Raises SandboxPortTaken."""
        runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._port).start()
        except OSError as refused:
            await runner.cleanup()
            raise self._explained(refused) from refused
        self._runner = runner
        self._port = runner.addresses[0][1]
        self.sandbox.workspace.base_url = self.url
        if self._storage is not None:
            self._storage.load()
            self.sandbox.tasks.start(self._storage.keep_saving(self.sandbox.workspace.changes))

    def _explained(self, refused: OSError) -> OSError:
        if refused.errno != errno.EADDRINUSE:
            return refused
        return SandboxPortTaken(
            f"Port {self._port} on {self._host} is taken by another program; "
            "stop it, or start the sandbox on another port."
        )

    def _application(self) -> web.Application:
        app = web.Application(middlewares=[self._only_own_pages], client_max_size=MOST_UPLOAD_BYTES)
        WebApi(self.sandbox).add_routes(app)
        FileRoutes(self.sandbox).add_routes(app)
        PageApi(self.sandbox, self.visitor).add_routes(app)
        app.router.add_get("/socket/link", self.sandbox.sockets.serve)
        return app

    @web.middleware
    async def _only_own_pages(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Another site in the same browser must not play the people: neither by name tricks nor by forms."""
        own = {f"{name}:{self._port}" for name in (self._host, "127.0.0.1", "localhost")}
        origin = request.headers.get("Origin")
        if request.host not in own or (
            origin is not None and origin not in {f"http://{name}" for name in own}
        ):
            return web.Response(status=403, text="The sandbox answers only to its own page.")
        return await handler(request)

    async def stop(self) -> None:
        """Close every connection and write the last changes."""
        await self.sandbox.tasks.cancel()
        if self._runner is not None:
            await self.sandbox.sockets.close()
            await self._runner.cleanup()
            self._runner = None
            if self._storage is not None:
                self._storage.save()

    async def __aenter__(self) -> SandboxServer:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def url(self) -> str:
        return f"http://{self._host}:{self._port}/"

    @property
    def api_url(self) -> str:
        return f"{self.url}api/"

    @property
    def bot_user_id(self) -> str:
        return self.sandbox.workspace.bot_user_id

    # Knobs

    @property
    def scopes(self) -> set[str]:
        return self.sandbox.scopes

    @property
    def subscriptions(self) -> set[str]:
        return self.sandbox.events.subscriptions

    @property
    def limits(self) -> RateLimits:
        return self.sandbox.limits

    @property
    def deliver_twice(self) -> bool:
        return self.sandbox.deliveries.twice

    @deliver_twice.setter
    def deliver_twice(self, twice: bool) -> None:
        self.sandbox.deliveries.twice = twice

    @property
    def connections(self) -> int:
        return self.sandbox.sockets.count

    async def wait_for_connection(self, timeout: float = 10.0) -> None:  # noqa: ASYNC109
        async with asyncio.timeout(timeout):
            await self.sandbox.sockets.opened.wait()

    async def drop_sockets(self) -> None:
        """Cut every socket as a broken network does."""
        await self.sandbox.sockets.drop()

    async def request_disconnect(self, reason: DisconnectReason = "refresh_requested") -> None:
        """Ask every client to open a new socket; the old one is closed a little later."""
        await self.sandbox.sockets.request_disconnect(reason, _OVERLAP_SECONDS)

    # Records

    @property
    def calls(self) -> list[Call]:
        return self.sandbox.recorders.calls

    @property
    def deliveries(self) -> list[Delivery]:
        return self.sandbox.deliveries.record

    @property
    def notifications(self) -> list[Notification]:
        return self.sandbox.recorders.notifications

    @property
    def unfurls(self) -> list[Unfurl]:
        return self.sandbox.recorders.unfurls
