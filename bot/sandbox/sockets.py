"""Socket Mode: tickets, open sockets, one envelope to one of them, acknowledgements."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from bot.sandbox.carriers import NotDelivered

MOST_SOCKETS = 10  # of one app
_HEARTBEAT_SECONDS = 10.0


@dataclass
class Socket:
    ws: web.WebSocketResponse
    request: web.Request
    leaving: bool = False
    frozen: bool = False  # half-open: neither side hears the other, and nobody has been told
    unacknowledged: set[str] = field(default_factory=set)


class Sockets:
    def __init__(self, app_id: str) -> None:
        self._app_id = app_id
        self._tickets: set[str] = set()
        self._open: list[Socket] = []
        self._turn = 0
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self.opened = asyncio.Event()
        self.on_change: Callable[[], None] = lambda: None

    @property
    def count(self) -> int:
        return sum(not socket.leaving for socket in self._open)

    @property
    def reaches_app(self) -> bool:
        return self.count > 0

    def issue_ticket(self) -> str:
        ticket = secrets.token_urlsafe(12)
        self._tickets.add(ticket)
        return ticket

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """The websocket route; a ticket opens one socket once."""
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.Response(status=403, text="This socket address was used already or never issued.")
        self._tickets.discard(ticket)
        ws = web.WebSocketResponse(heartbeat=_HEARTBEAT_SECONDS)
        await ws.prepare(request)
        socket = Socket(ws, request)
        await self._greet(socket)
        try:
            await self._listen(socket)
        finally:
            self._forget(socket)
        return ws

    async def _greet(self, socket: Socket) -> None:
        if len(self._open) >= MOST_SOCKETS:
            await self._part(socket, "too_many_websockets")
            return
        self._open.append(socket)
        hello = {
            "type": "hello",
            "num_connections": len(self._open),
            "debug_info": {"host": "sandbox", "build_number": 1, "approximate_connection_time": 18060},
            "connection_info": {"app_id": self._app_id},
        }
        await socket.ws.send_str(json.dumps(hello))
        self.opened.set()
        self.on_change()

    async def _listen(self, socket: Socket) -> None:
        async for frame in socket.ws:
            if frame.type is WSMsgType.TEXT:
                self._hear(socket, frame.data)

    def _hear(self, socket: Socket, text: str) -> None:
        try:
            answer = json.loads(text)
        except json.JSONDecodeError:
            return
        envelope_id = str(answer.get("envelope_id", ""))
        socket.unacknowledged.discard(envelope_id)
        waiting = self._waiting.get(envelope_id)
        if waiting is not None and not waiting.done():
            waiting.set_result(answer.get("payload") or {})

    def _forget(self, socket: Socket) -> None:
        if socket in self._open:
            self._open.remove(socket)
        if not self.count:
            self.opened.clear()
        self.on_change()
        for envelope_id in socket.unacknowledged:
            waiting = self._waiting.get(envelope_id)
            if waiting is not None and not waiting.done():
                waiting.set_exception(_broken("The socket broke before the acknowledgement."))

    async def exchange(self, envelope: dict[str, Any], seconds: float) -> dict[str, Any]:
        """Send to one open socket and return the acknowledgement's payload."""
        socket = self._next_socket()
        envelope_id = str(envelope["envelope_id"])
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[envelope_id] = answer
        socket.unacknowledged.add(envelope_id)
        try:
            if not socket.frozen:
                await socket.ws.send_str(json.dumps(envelope))
            async with asyncio.timeout(seconds):
                return await answer
        except TimeoutError:
            raise NotDelivered(f"No acknowledgement within {seconds:g} s.", "timeout") from None
        except ConnectionError as broken:
            raise _broken(str(broken)) from broken
        finally:
            self._waiting.pop(envelope_id, None)
            socket.unacknowledged.discard(envelope_id)

    def _next_socket(self) -> Socket:
        usable = [socket for socket in self._open if not socket.leaving] or self._open
        if not usable:
            raise _broken("No socket is open.")
        self._turn += 1
        return usable[self._turn % len(usable)]

    async def request_disconnect(self, reason: str, grace_seconds: float) -> None:
        """Tell every open socket to go; each is closed after a grace in which a new one may open."""
        for socket in list(self._open):
            await self._part(socket, reason)
        if reason != "warning":
            leaving = [socket for socket in self._open if socket.leaving]
            asyncio.get_running_loop().call_later(grace_seconds, self._close_all, leaving)

    async def _part(self, socket: Socket, reason: str) -> None:
        socket.leaving = reason != "warning"
        farewell = {"type": "disconnect", "reason": reason, "debug_info": {"host": "sandbox"}}
        await socket.ws.send_str(json.dumps(farewell))

    def _close_all(self, sockets: list[Socket]) -> None:
        for socket in sockets:
            self._abort(socket)

    async def drop(self, count: int | None = None) -> None:
        """Cut so many connections (None: all) without a goodbye, as a network does."""
        cut = self._open[:count]
        self._close_all(cut)
        for _ in range(1000):  # each serve() ends by itself once its transport is gone
            if not any(socket in self._open for socket in cut):
                return
            await asyncio.sleep(0.001)

    def freeze(self, count: int | None = None) -> None:
        """Leave so many connections (None: all) half-open: what is sent over them is lost, pings too."""
        for socket in self._open[:count]:
            socket.frozen = True
            if socket.request.transport is not None:
                socket.request.transport.pause_reading()

    @staticmethod
    def _abort(socket: Socket) -> None:
        if socket.request.transport is not None:
            socket.request.transport.abort()

    async def close(self) -> None:
        for socket in list(self._open):
            await socket.ws.close(code=1001, message=b"The sandbox stops.")


def _broken(sentence: str) -> NotDelivered:
    return NotDelivered(sentence, "connection_failed")
