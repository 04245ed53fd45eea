"""apps.connections.open, auth.test, team.info, bots.info: who and where am I?"""

from __future__ import annotations

from bot.sandbox.arguments import Arguments
from bot.sandbox.errors import SlackError
from bot.sandbox.methods.registry import Answer, method
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.shapes import bot_marks


@method("apps.connections.open", app_token=True, tier=3)
def open_connection(sandbox: Sandbox, arguments: Arguments) -> Answer:
    base = sandbox.workspace.base_url.replace("http://", "ws://", 1)
    return {
        "url": f"{base}socket/link?ticket={sandbox.sockets.issue_ticket()}&app_id={sandbox.workspace.app_id}"
    }


@method("auth.test")
def test_auth(sandbox: Sandbox, arguments: Arguments) -> Answer:
    workspace = sandbox.workspace
    return {
        "url": workspace.base_url,
        "team": workspace.seed.name,
        "user": workspace.bot.handle,
        "team_id": workspace.team_id,
        "user_id": workspace.bot_user_id,
        "bot_id": workspace.bot_id,
        "is_enterprise_install": False,
    }


@method("api.test", tier=4)
def test_api(sandbox: Sandbox, arguments: Arguments) -> Answer:
    return {"args": arguments.values}


@method("team.info", "team:read", tier=3)
def team_info(sandbox: Sandbox, arguments: Arguments) -> Answer:
    workspace = sandbox.workspace
    if arguments.text("team", workspace.team_id) != workspace.team_id:
        raise SlackError("team_not_found")
    return {
        "team": {
            "id": workspace.team_id,
            "name": workspace.seed.name,
            "domain": workspace.domain,
            "email_domain": "",
            "icon": {"image_default": True},
        }
    }


@method("bots.info", "users:read", tier=3)
def bot_info(sandbox: Sandbox, arguments: Arguments) -> Answer:
    workspace = sandbox.workspace
    if arguments.text("bot") != workspace.bot_id:
        raise SlackError("bot_not_found")
    return {"bot": bot_marks(workspace)["bot_profile"] | {"user_id": workspace.bot_user_id}}
