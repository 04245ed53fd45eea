"""The page's own interface: what one person sees, what they do, and a stream that says when to look again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path

from aiohttp import web

from bot.sandbox.file_routes import file_response
from bot.sandbox.page_moves import PageMoves
from bot.sandbox.page_state import page_state
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.visitor import Visitor, VisitorError

PAGE = Path(__file__).with_name("page")
_COALESCE_SECONDS = 0.06
_LOOK_AGAIN_SECONDS = 10.0  # statuses end without anybody doing anything
_POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"  # noqa: E501


class PageApi:
    """`sandboxes` and `visitors` by team id; who names no team means the first."""

    def __init__(self, sandboxes: Mapping[str, Sandbox], visitors: Mapping[str, Visitor]) -> None:
        self._sandboxes = sandboxes
        self._moves = {team_id: PageMoves(visitor) for team_id, visitor in visitors.items()}

    def _team(self, request: web.Request) -> str:
        team_id = request.query.get("team") or next(iter(self._sandboxes))
        if team_id not in self._sandboxes:
            raise web.HTTPNotFound(text="No such workspace.")
        return team_id

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
        headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
        return web.FileResponse(path, headers=headers | {"Content-Security-Policy": _POLICY})

    async def state(self, request: web.Request) -> web.Response:
        query, team_id = request.query, self._team(request)
        teams = {known: sandbox.workspace.seed.name for known, sandbox in self._sandboxes.items()}
        try:
            seen = page_state(
                self._sandboxes[team_id],
                self._moves[team_id].visitor,
                query.get("person", ""),
                query.get("channel"),
                query.get("thread"),
            )
        except VisitorError as mistake:
            return web.json_response({"error": str(mistake)}, status=400)
        return web.json_response(seen | {"teams": teams}, headers={"Cache-Control": "no-store"})

    async def changes(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events that carry a number and nothing else: nobody's words travel here."""
        headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        version, changes = -1, self._sandboxes[self._team(request)].workspace.changes
        while not self._stopping(request):
            version = await changes.after(version, _LOOK_AGAIN_SECONDS)
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
        workspace = self._sandboxes[self._team(request)].workspace
        reader, stored = workspace.find_person(person), workspace.files.get(file_id)
        if reader is None or stored is None:
            raise web.HTTPNotFound(text="No such file.")
        shared = (workspace.channels.get(channel_id) for channel_id in stored.shared_in)
        if not any(channel and workspace.may_read(reader.user_id, channel) for channel in shared):
            raise web.HTTPNotFound(text="No such file.")
        return file_response(stored)

    async def upload(self, request: web.Request) -> web.Response:
        try:
            file_id = await self._moves[self._team(request)].visitor.upload(
                request.query.get("person", ""),
                request.query.get("name", "file"),
                await request.read(),
                request.content_type,
            )
        except VisitorError as mistake:
            return web.json_response({"error": str(mistake)}, status=400)
        return web.json_response({"file_id": file_id})

    async def move(self, request: web.Request) -> web.Response:
        move = self._moves[self._team(request)].named(request.match_info["move"])
        if move is None or request.content_type != "application/json":
            raise web.HTTPNotFound(text="The page has no such move.")
        try:
            result = await move(json.loads(await request.text()))
        except VisitorError as mistake:
            return web.json_response({"error": str(mistake)}, status=400)
        except (KeyError, TypeError, json.JSONDecodeError) as mistake:
            return web.json_response({"error": f"The page asked wrongly: {mistake!r}."}, status=400)
        return web.json_response(result or {})
