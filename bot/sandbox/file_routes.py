"""/files/…: private downloads and uploads. /response/…: response URLs."""

from __future__ import annotations

import secrets
from urllib.parse import quote

from aiohttp import web

from bot.sandbox.errors import SlackError
from bot.sandbox.files import StoredFile
from bot.sandbox.methods.uploads import bot_may_read
from bot.sandbox.responses import respond
from bot.sandbox.sandbox import Sandbox

MOST_UPLOAD_BYTES = 64 * 1024 * 1024
_LOGIN = (
    "<!DOCTYPE html><html><head><title>Sign in</title></head>"
    "<body><h1>Sign in to see this file</h1></body></html>"
)


class FileRoutes:
    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def add_routes(self, app: web.Application) -> None:
        app.router.add_get("/files/{key}/{name}", self.download)
        app.router.add_get("/files/{key}/download/{name}", self.download)
        app.router.add_post("/files/upload/{ticket}", self.upload)
        app.router.add_get("/login", self.login)
        app.router.add_post("/response/{token}", self.respond)

    async def download(self, request: web.Request) -> web.StreamResponse:
        """The bytes, for the bot's token; for anybody else a redirect to a page, as Slack does."""
        stored = self._sandbox.workspace.files.get(request.match_info["key"].rpartition("-")[2])
        allowed = "files:read" in self._sandbox.scopes and self._is_bot(request)
        if not allowed:
            raise web.HTTPFound(f"/login?redir={quote(request.path)}")
        if stored is None or not bot_may_read(self._sandbox, stored):
            raise web.HTTPNotFound(text="No such file.")
        return file_response(stored)

    def _is_bot(self, request: web.Request) -> bool:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        right = secrets.compare_digest(token.strip().encode(), self._sandbox.bot_token.encode())
        return scheme.lower() == "bearer" and right

    async def login(self, request: web.Request) -> web.Response:
        return web.Response(text=_LOGIN, content_type="text/html")

    async def upload(self, request: web.Request) -> web.Response:
        ticket = self._sandbox.workspace.files.tickets.pop(request.match_info["ticket"], None)
        stored = self._sandbox.workspace.files.get(ticket.file_id) if ticket else None
        if ticket is None or stored is None:
            raise web.HTTPNotFound(text="This upload address was used already or never issued.")
        content = await _uploaded(request)
        if len(content) != ticket.length:
            raise web.HTTPBadRequest(text=f"Expected {ticket.length} bytes and got {len(content)}.")
        stored.content = content
        return web.Response(text=f"OK - {len(content)}")

    async def respond(self, request: web.Request) -> web.Response:
        try:
            where = self._sandbox.response_urls.use(request.match_info["token"])
            answer = await request.json()
            respond(self._sandbox.workspace, self._sandbox.posting, where, answer)
        except SlackError as refusal:
            return web.json_response(refusal.body, status=refusal.status if refusal.status != 200 else 400)
        except ValueError:
            return web.json_response({"ok": False, "error": "invalid_payload"}, status=400)
        return web.Response(text="ok")


async def _uploaded(request: web.Request) -> bytes:
    if not request.content_type.startswith("multipart/"):
        return await request.read()
    for part in (await request.post()).values():
        if isinstance(part, web.FileField):
            return part.file.read()
    raise web.HTTPBadRequest(text="The form holds no file.")


def file_response(stored: StoredFile) -> web.Response:
    """Always as an attachment: a document must not run as a page of the sandbox."""
    return web.Response(
        body=stored.content,
        headers={
            "Content-Type": stored.mimetype,
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(stored.name)}",
            "X-Content-Type-Options": "nosniff",
        },
    )
