"""One aiohttp server on one port: Slack's side for the bot, the page for the visitor."""

from __future__ import annotations

import asyncio
import errno
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.sandbox.authorizing import Authorizing
from bot.sandbox.delivery import Deliveries, Delivery, DeliveryPolicy, EnvelopeType, Outcome
from bot.sandbox.file_routes import MOST_UPLOAD_BYTES, FileRoutes
from bot.sandbox.http_carrier import HttpCarrier, RequestUrlRefused, RequestUrls
from bot.sandbox.page_api import PageApi
from bot.sandbox.rate_limits import RateLimits
from bot.sandbox.recorders import Call, Notification, Unfurl
from bot.sandbox.sandbox import DEFAULT_SCOPES, Sandbox
from bot.sandbox.seed import WorkspaceSeed
from bot.sandbox.slack_app import SlackApp
from bot.sandbox.sockets import Sockets
from bot.sandbox.storage import Storage
from bot.sandbox.tasks import Tasks
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
        others: Sequence[WorkspaceSeed] = (),
    ) -> None:
        self._host = host
        self._port = port
        self.bot_token = bot_token
        self.app_token = app_token
        self.app = SlackApp(f"A0{seed.team_id[1:]}", app_token, clock)
        self.app.keep(bot_token, seed.team_id)
        self.tasks = Tasks()
        self.sockets = Sockets(self.app.app_id)
        self._delivering = Deliveries(self.sockets, delivery or DeliveryPolicy(), self.tasks)
        self.sandboxes = {
            each.team_id: Sandbox(each, self.app, self._delivering, self.sockets) for each in (seed, *others)
        }
        self.visitors = {team_id: Visitor(sandbox) for team_id, sandbox in self.sandboxes.items()}
        self.sockets.on_change = self._delivering.on_progress = self._ring
        self._authorizing = Authorizing(self.sandboxes, self.app)
        self._storages = self._storages_at(state_file) if state_file else []
        self._http: HttpCarrier | None = None
        self._runner: web.AppRunner | None = None

    def _ring(self) -> None:
        for sandbox in self.sandboxes.values():
            sandbox.workspace.changes.ring()

    def _storages_at(self, state_file: Path) -> list[Storage]:
        """The first workspace's is the file itself; the others stand beside it."""
        first, *others = (sandbox.workspace for sandbox in self.sandboxes.values())
        beside = [(state_file.with_suffix(f".{other.team_id}.json"), other) for other in others]
        return [Storage(path, workspace) for path, workspace in [(state_file, first), *beside]]

    @property
    def sandbox(self) -> Sandbox:
        """The first workspace."""
        return next(iter(self.sandboxes.values()))

    @property
    def visitor(self) -> Visitor:
        """Of the first workspace; `visitors` has one a team."""
        return next(iter(self.visitors.values()))

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
        for sandbox in self.sandboxes.values():
            sandbox.workspace.base_url = self.url
        for storage in self._storages:
            storage.load()
            self.tasks.start(storage.keep_saving())

    def _explained(self, refused: OSError) -> OSError:
        if refused.errno != errno.EADDRINUSE:
            return refused
        return SandboxPortTaken(
            f"Port {self._port} on {self._host} is taken by another program; "
            "stop it, or start the sandbox on another port."
        )

    def _application(self) -> web.Application:
        app = web.Application(middlewares=[self._only_own_pages], client_max_size=MOST_UPLOAD_BYTES)
        WebApi(self.sandboxes, self.app).add_routes(app)
        FileRoutes(self.sandboxes).add_routes(app)
        PageApi(self.sandboxes, self.visitors).add_routes(app)
        self._authorizing.add_routes(app)
        app.router.add_get("/socket/link", self.sockets.serve)
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
        await self.tasks.cancel()
        if self._http is not None:
            await self._http.close()
        if self._runner is not None:
            await self.sockets.close()
            await self._runner.cleanup()
            self._runner = None
            for storage in self._storages:
                storage.save()

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

    # The app

    async def use_http(
        self, events: str, commands: str | None = None, interactivity: str | None = None
    ) -> HttpCarrier:
        """Deliver to these Request URLs (one for all where only one is given) and no longer to sockets.

        Raises RequestUrlRefused where the first does not answer its challenge.
        """
        urls = RequestUrls(events, commands or events, interactivity or commands or events)
        carrier = HttpCarrier(self.app, urls, self.app.clock)
        try:
            await carrier.verify()
        except RequestUrlRefused:
            await carrier.close()
            raise
        if self._http is not None:
            await self._http.close()
        self._http = self._delivering.carrier = carrier
        self._ring()
        return carrier

    def use_sockets(self) -> None:
        self._delivering.carrier = self.sockets
        self._ring()

    def approve(
        self, team_id: str, redirect_uri: str, scopes: Iterable[str] = DEFAULT_SCOPES, by: str = ""
    ) -> str:
        """Somebody allows the app into their workspace: the code that it exchanges by oauth.v2.access."""
        return self._authorizing.approve(team_id, list(scopes), redirect_uri, by)

    async def deliver(self, kind: EnvelopeType, payload: dict[str, Any]) -> Outcome:
        """Deliver any payload as it is, once; for what the sandbox itself never sends."""
        return await self._delivering.ask(kind, payload, accepts=kind != "events_api")

    # Knobs

    @property
    def scopes(self) -> set[str]:
        return self.sandbox.scopes

    @property
    def subscriptions(self) -> set[str]:
        return self.app.subscriptions

    @property
    def limits(self) -> RateLimits:
        return self.sandbox.limits

    @property
    def deliver_twice(self) -> bool:
        return self._delivering.twice

    @deliver_twice.setter
    def deliver_twice(self, twice: bool) -> None:
        self._delivering.twice = twice

    @property
    def connections(self) -> int:
        return self.sockets.count

    async def wait_for_connection(self, timeout: float = 10.0) -> None:  # noqa: ASYNC109
        async with asyncio.timeout(timeout):
            await self.sockets.opened.wait()

    async def drop_sockets(self, count: int | None = None) -> None:
        """Cut so many sockets (None: all) as a broken network does."""
        await self.sockets.drop(count)

    def freeze_sockets(self, count: int | None = None) -> None:
        """Leave so many sockets (None: all) half-open: nothing comes through, and nobody is told."""
        self.sockets.freeze(count)

    async def request_disconnect(self, reason: DisconnectReason = "refresh_requested") -> None:
        """Ask every client to open a new socket; the old one is closed a little later."""
        await self.sockets.request_disconnect(reason, _OVERLAP_SECONDS)

    # Records

    @property
    def calls(self) -> list[Call]:
        return self.sandbox.recorders.calls

    @property
    def deliveries(self) -> list[Delivery]:
        return self._delivering.record

    @property
    def notifications(self) -> list[Notification]:
        return self.sandbox.recorders.notifications

    @property
    def unfurls(self) -> list[Unfurl]:
        return self.sandbox.recorders.unfurls
