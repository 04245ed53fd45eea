"""One app in several workspaces: what comes from another one is nobody's here, whatever user id it carries."""

from typing import Any

import pytest
from slack_bolt.request.async_request import AsyncBoltRequest

from bot.sandbox.server import SandboxServer
from bot.slack.app import slack_app, slack_client
from bot.slack.handing_in import IngestionDesk
from bot.slack.ingesting import ADMINS_ONLY


class NoAdmins:
    """An intake in which nobody is an admin."""

    async def is_admin(self, slack_user_id: str) -> bool:
        return False


@pytest.mark.parametrize(("team_id", "said"), [("T0OTHER", ""), ("T0TEST", ADMINS_ONLY)])
async def test_a_command_counts_in_the_workspace_that_it_was_given_in(
    sandbox: SandboxServer, team_id: str, said: str
) -> None:
    nothing: Any = None
    desk = IngestionDesk(nothing, 1, nothing, NoAdmins())  # type: ignore[arg-type]
    app = slack_app(slack_client(sandbox.bot_token, sandbox.api_url), "T0TEST", [desk])
    command = {
        "command": "/ingest",
        "text": "",
        "user_id": "U0PIA",
        "team_id": team_id,
        "channel_id": "C0PEOPLE",
    }
    response = await app.async_dispatch(AsyncBoltRequest(body=command, mode="socket_mode"))
    assert response.status == 200
    assert said in str(response.body)
    assert (ADMINS_ONLY in str(response.body)) == bool(said)
