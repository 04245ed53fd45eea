"""oauth.v2.access, auth.revoke, apps.uninstall: how the app comes into a workspace, and out of it."""

from __future__ import annotations

from collections.abc import Mapping

from bot.sandbox.arguments import Arguments
from bot.sandbox.errors import SlackError
from bot.sandbox.methods.registry import Answer, client_method, method
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.slack_app import SlackApp, Token


@client_method("oauth.v2.access")
def access(sandboxes: Mapping[str, Sandbox], app: SlackApp, arguments: Arguments) -> Answer:
    """A code for a token, or with token rotation a refresh token for the next token."""
    app.check_secrets(arguments.text("client_id"), arguments.text("client_secret"))
    kind = arguments.text("grant_type", "authorization_code")
    if kind == "refresh_token":
        token = app.refreshed(arguments.text("refresh_token"))
        return _installation(sandboxes[token.team_id], token, authed_user="")
    if kind != "authorization_code":
        raise SlackError("invalid_grant_type")
    grant = app.granted(arguments.text("code"), arguments.text("redirect_uri"))
    sandbox = sandboxes[grant.team_id]
    sandbox.scopes.clear()
    sandbox.scopes.update(grant.scopes)
    sandbox.workspace.changes.ring()
    return _installation(sandbox, app.issue(grant.team_id), grant.user_id)


def _installation(sandbox: Sandbox, token: Token, authed_user: str) -> Answer:
    workspace = sandbox.workspace
    answer: Answer = {
        "app_id": workspace.app_id,
        "authed_user": {"id": authed_user} if authed_user else {},
        "scope": ",".join(sorted(sandbox.scopes)),
        "token_type": "bot",
        "access_token": token.text,
        "bot_user_id": workspace.bot_user_id,
        "team": {"id": workspace.team_id, "name": workspace.seed.name},
        "enterprise": None,
        "is_enterprise_install": False,
    }
    if token.expires_at is not None:
        answer["expires_in"] = int(token.expires_at - sandbox.clock())
        answer["refresh_token"] = token.refresh
    return answer


@method("auth.revoke", tier=3)
def revoke(sandbox: Sandbox, arguments: Arguments) -> Answer:
    """With `test` nothing happens."""
    if arguments.flag("test"):
        return {"revoked": False}
    sandbox.events.tokens_revoked([sandbox.workspace.bot_user_id], [])
    sandbox.app.take_away(sandbox.workspace.team_id, "token_revoked")
    sandbox.workspace.changes.ring()
    return {"revoked": True}


@method("apps.uninstall", tier=1)
def uninstall(sandbox: Sandbox, arguments: Arguments) -> Answer:
    sandbox.app.check_secrets(arguments.text("client_id"), arguments.text("client_secret"))
    sandbox.uninstall()
    return {}
