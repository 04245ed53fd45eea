"""The page's own interface: what one person sees, what they do, and a stream that says when to look again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.sandbox.file_routes import file_response
from bot.sandbox.page_state import page_state
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.visitor import Visitor, VisitorError

PAGE = Path(__file__).with_name("page")
_COALESCE_SECONDS = 0.06
_LOOK_AGAIN_SECONDS = 10.0  # statuses end without anybody doing anything
_POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"  # noqa: E501

Move = Callable[[dict[str, Any]], Awaitable[Any]]


class PageApi:
    def __init__(self, sandbox: Sandbox, visitor: Visitor) -> None:
        self._sandbox = sandbox
        self._visitor = visitor
        self._moves: dict[str, Move] = {
            "post": self._post,
            "command": self._command,
            "click": self._click,
            "shortcut": self._shortcut,
            "act": self._act,
            "suggest": self._suggest,
            "submit": self._submit,
            "close": self._close,
            "open_dm": lambda given: visitor.open_dm(given["person"]),
            "open_home": self._open_home,
            "join": lambda given: visitor.join(given["person"], given["channel"]),
            "leave": lambda given: visitor.leave(given["person"], given["channel"]),
            "invite_bot": self._invite_bot,
            "edit": self._edit,
            "delete": lambda given: visitor.delete(given["person"], given["channel"], given["ts"]),
        }

    def add_routes(self, app: web.Application) -> None:
        app.router.add_get("/", self.index)
        app.router.add_get("/page/{name}", self.asset)
        app.router.add_get("/visitor/state", self.state)
        app.router.add_get("/visitor/changes", self.changes)
        app.router.add_get("/visitor/files/{file_id}", self.download)
        app.router.add_post("/visitor/upload", self.upload)
        app.router.add_post("/visitor/{move}", self.move)

    async def index(self, request: web.Request) -> web.StreamResponse:
        headers = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-store"}
        return web.FileResponse(PAGE / "index.html", headers=headers)

    async def asset(self, request: web.Request) -> web.StreamResponse:
        path = PAGE / request.match_info["name"]
        if path.parent != PAGE or not path.is_file():
            raise web.HTTPNotFound(text="No such part of the page.")
        return web.FileResponse(
            path, headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
        )

    async def state(self, request: web.Request) -> web.Response:
        query = request.query
        try:
            seen = page_state(
                self._sandbox,
                self._visitor,
                query.get("person", ""),
                query.get("channel"),
                query.get("thread"),
            )
        except VisitorError as mistake:
            return web.json_response({"error": str(mistake)}, status=400)
        return web.json_response(seen, headers={"Cache-Control": "no-store"})

    async def changes(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events that carry a number and nothing else: nobody's words travel here."""
        headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        version = -1
        while not self._stopping(request):
            version = await self._sandbox.workspace.changes.after(version, _LOOK_AGAIN_SECONDS)
            try:
                await response.write(f"data: {version}\n\n".encode())
            except ConnectionError:
                break
            await asyncio.sleep(_COALESCE_SECONDS)
        return response

    @staticmethod
    def _stopping(request: web.Request) -> bool:
        return request.transport is None or request.transport.is_closing()

    async def download(self, request: web.Request) -> web.StreamResponse:
        """A file, for a person who can see a conversation in which it was shared."""
        person, file_id = request.query.get("person", ""), request.match_info["file_id"]
        workspace = self._sandbox.workspace
        reader, stored = workspace.find_person(person), workspace.files.get(file_id)
        if reader is None or stored is None:
            raise web.HTTPNotFound(text="No such file.")
        shared = (workspace.channels.get(channel_id) for channel_id in stored.shared_in)
        if not any(channel and workspace.may_read(reader.user_id, channel) for channel in shared):
            raise web.HTTPNotFound(text="No such file.")
        return file_response(stored)

    async def upload(self, request: web.Request) -> web.Response:
        try:
            file_id = await self._visitor.upload(
                request.query.get("person", ""),
                request.query.get("name", "file"),
                await request.read(),
                request.content_type,
            )
        except VisitorError as mistake:
            return web.json_response({"error": str(mistake)}, status=400)
        return web.json_response({"file_id": file_id})

    async def move(self, request: web.Request) -> web.Response:
        move = self._moves.get(request.match_info["move"])
        if move is None or request.content_type != "application/json":
            raise web.HTTPNotFound(text="The page has no such move.")
        try:
            result = await move(json.loads(await request.text()))
        except VisitorError as mistake:
            return web.json_response({"error": str(mistake)}, status=400)
        except (KeyError, TypeError, json.JSONDecodeError) as mistake:
            return web.json_response({"error": f"The page asked wrongly: {mistake!r}."}, status=400)
        return web.json_response(result or {})

    async def _post(self, given: dict[str, Any]) -> dict[str, Any]:
        message = await self._visitor.post(
            given["person"],
            given["channel"],
            given["text"],
            thread_ts=given.get("thread_ts"),
            files=given.get("files", ()),
        )
        return {"ts": message.ts}

    async def _command(self, given: dict[str, Any]) -> dict[str, Any]:
        outcome = await self._visitor.command(
            given["person"], given["channel"], given["command"], given.get("text", "")
        )
        return {"error": None, "outcome": outcome.error}

    async def _click(self, given: dict[str, Any]) -> dict[str, Any]:
        outcome = await self._visitor.click(
            given["person"], given["ts"], given["channel"], given["action_id"], given.get("value")
        )
        return {"outcome": outcome.error}

    async def _shortcut(self, given: dict[str, Any]) -> dict[str, Any]:
        outcome = await self._visitor.shortcut(
            given["person"], given["ts"], given["channel"], given["callback_id"]
        )
        return {"outcome": outcome.error}

    async def _act(self, given: dict[str, Any]) -> dict[str, Any]:
        outcome = await self._visitor.act_in_view(
            given["person"], given["view_id"], given["action_id"], given.get("value")
        )
        return {"outcome": outcome.error}

    async def _suggest(self, given: dict[str, Any]) -> dict[str, Any]:
        options = await self._visitor.suggestions(
            given["person"],
            given["action_id"],
            given.get("query", ""),
            view_id=given.get("view_id"),
            channel=given.get("channel"),
            message_ts=given.get("ts"),
        )
        return {"options": options}

    async def _submit(self, given: dict[str, Any]) -> dict[str, Any]:
        outcome = await self._visitor.submit_view(given["person"], given["view_id"], given["values"])
        return {"outcome": outcome.error, "errors": outcome.field_errors}

    async def _close(self, given: dict[str, Any]) -> None:
        await self._visitor.close_view(given["person"], given["view_id"])

    async def _open_home(self, given: dict[str, Any]) -> None:
        await self._visitor.open_home(given["person"])

    async def _invite_bot(self, given: dict[str, Any]) -> None:
        self._visitor.where(given["person"], given["channel"])
        await self._visitor.invite(given["channel"], self._sandbox.workspace.bot_user_id)

    async def _edit(self, given: dict[str, Any]) -> None:
        await self._visitor.edit(given["person"], given["channel"], given["ts"], given["text"])
