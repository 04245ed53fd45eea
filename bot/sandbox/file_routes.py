"""/files/…: private downloads and uploads. /response/…: response URLs."""

from __future__ import annotations

from collections.abc import Mapping
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
    """`sandboxes`: by team id."""

    def __init__(self, sandboxes: Mapping[str, Sandbox]) -> None:
        self._sandboxes = sandboxes

    def add_routes(self, app: web.Application) -> None:
        app.router.add_get("/files/{key}/{name}", self.download)
        app.router.add_get("/files/{key}/download/{name}", self.download)
        app.router.add_post("/files/upload/{team}/{ticket}", self.upload)
        app.router.add_get("/login", self.login)
        app.router.add_post("/response/{team}/{token}", self.respond)

    def _sandbox(self, team_id: str) -> Sandbox:
        if team_id not in self._sandboxes:
            raise web.HTTPNotFound(text="No such workspace.")
        return self._sandboxes[team_id]

    async def download(self, request: web.Request) -> web.StreamResponse:
        """The bytes, for the bot's token; for anybody else a redirect to a page, as Slack does."""
        team_id, _, file_id = request.match_info["key"].rpartition("-")
        sandbox = self._sandbox(team_id)
        if "files:read" not in sandbox.scopes or not _is_bot(request, sandbox):
            raise web.HTTPFound(f"/login?redir={quote(request.path)}")
        stored = sandbox.workspace.files.get(file_id)
        if stored is None or not bot_may_read(sandbox, stored):
            raise web.HTTPNotFound(text="No such file.")
        return file_response(stored)

    async def login(self, request: web.Request) -> web.Response:
        return web.Response(text=_LOGIN, content_type="text/html")

    async def upload(self, request: web.Request) -> web.Response:
        files = self._sandbox(request.match_info["team"]).workspace.files
        ticket = files.tickets.pop(request.match_info["ticket"], None)
        stored = files.get(ticket.file_id) if ticket else None
        if ticket is None or stored is None:
            raise web.HTTPNotFound(text="This upload address was used already or never issued.")
        content = await _uploaded(request)
        if len(content) != ticket.length:
            raise web.HTTPBadRequest(text=f"Expected {ticket.length} bytes and got {len(content)}.")
        stored.content = content
        return web.Response(text=f"OK - {len(content)}")

    async def respond(self, request: web.Request) -> web.Response:
        sandbox = self._sandbox(request.match_info["team"])
        try:
            where = sandbox.response_urls.use(request.match_info["token"])
            answer = await request.json()
            respond(sandbox.workspace, sandbox.posting, where, answer)
        except SlackError as refusal:
            return web.json_response(refusal.body, status=refusal.status if refusal.status != 200 else 400)
        except ValueError:
            return web.json_response({"ok": False, "error": "invalid_payload"}, status=400)
        return web.Response(text="ok")


def _is_bot(request: web.Request, sandbox: Sandbox) -> bool:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    try:
        opened = sandbox.app.token(token.strip()).team_id
    except SlackError:
        return False
    return scheme.lower() == "bearer" and opened == sandbox.workspace.team_id


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
