"""/oauth/v2/authorize: where a person allows the app into their workspace, and is sent back with a code."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from bot.sandbox.people import Person
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.slack_app import Grant, SlackApp

_HEAD = (
    '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Install the app</title>'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    '<link rel="icon" href="data:,"><link rel="stylesheet" href="/page/style.css"></head>'
)


class AuthorizationError(ValueError):
    """The app asks for what Slack would not offer. The message says why."""


class Authorizing:
    def __init__(self, sandboxes: Mapping[str, Sandbox], app: SlackApp) -> None:
        self._sandboxes = sandboxes
        self._slack_app = app

    def add_routes(self, app: web.Application) -> None:
        app.router.add_get("/oauth/v2/authorize", self.ask)
        app.router.add_post("/oauth/v2/authorize", self.decide)

    async def ask(self, request: web.Request) -> web.Response:
        query = request.query
        try:
            self._check(query.get("client_id", ""), query.get("scope", ""), query.get("redirect_uri", ""))
        except AuthorizationError as mistake:
            return web.Response(status=400, text=str(mistake))
        page = f"{_HEAD}<body>{self._form(query)}</body></html>"
        return web.Response(text=page, content_type="text/html", headers={"Cache-Control": "no-store"})

    def _form(self, query: Mapping[str, str]) -> str:
        asked = ("client_id", "scope", "redirect_uri", "state")
        fields = "".join(
            f'<input type="hidden" name="{name}" value="{escape(query.get(name, ""), quote=True)}">'
            for name in asked
        )
        scopes = "".join(f"<li><code>{escape(scope)}</code></li>" for scope in query["scope"].split(","))
        return (
            f'<form class="authorize" method="post"><h1>Install the app</h1>'
            f"<p>It asks for:</p><ul>{scopes}</ul>{fields}"
            f'<label>Workspace <select name="team">{self._teams(query.get("team", ""))}</select></label>'
            '<p><button class="button primary" name="answer" value="allow">Allow</button> '
            '<button class="button" name="answer" value="cancel">Cancel</button></p></form>'
        )

    def _teams(self, chosen: str) -> str:
        return "".join(
            f'<option value="{escape(team_id)}"{" selected" if team_id == chosen else ""}>'
            f"{escape(sandbox.workspace.seed.name)}</option>"
            for team_id, sandbox in self._sandboxes.items()
        )

    async def decide(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        target, state = form.get("redirect_uri", ""), form.get("state", "")
        try:
            self._check(form.get("client_id", ""), form.get("scope", ""), target)
            if form.get("answer") != "allow":
                raise web.HTTPFound(_with(target, {"error": "access_denied", "state": state}))
            code = self.approve(form.get("team", ""), form["scope"].split(","), target)
        except AuthorizationError as mistake:
            return web.Response(status=400, text=str(mistake))
        raise web.HTTPFound(_with(target, {"code": code, "state": state}))

    def _check(self, client_id: str, scope: str, redirect_uri: str) -> None:
        if client_id != self._slack_app.client_id:
            raise AuthorizationError("invalid_client_id: no app of this sandbox has that client id.")
        if not scope:
            raise AuthorizationError("no_scopes: the app asks for nothing.")
        if urlsplit(redirect_uri).scheme not in ("http", "https"):
            raise AuthorizationError("bad_redirect_uri: redirect_uri must be an http or https address.")

    def approve(self, team_id: str, scopes: list[str], redirect_uri: str, by: str = "") -> str:
        """The code for what `by` (None named: the first who may) allows the app in their workspace."""
        sandbox = self._sandboxes.get(team_id)
        if sandbox is None:
            raise AuthorizationError(f"team_not_found: there is no workspace {team_id}.")
        installer = sandbox.workspace.find_person(by) if by else _first_member(sandbox)
        if installer is None or not installer.is_full_member:
            raise AuthorizationError(f"access_denied: {by or 'nobody'} may install apps in {team_id}.")
        grant = Grant(team_id, installer.user_id, tuple(scopes), redirect_uri, self._slack_app.clock())
        return self._slack_app.grant(grant)


def _first_member(sandbox: Sandbox) -> Person | None:
    members = (person for person in sandbox.workspace.people.values() if person.kind == "member")
    return next((person for person in members if not person.deleted), None)


def _with(address: str, parameters: Mapping[str, str]) -> str:
    return f"{address}{'&' if '?' in address else '?'}{urlencode(parameters)}"
