"""The bot's own place in Slack: the home tab, and the pane in which one writes to it."""

from collections.abc import Mapping
from typing import Any

from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy import text

from auth.database import WORKSPACE, Database
from auth.rights import rights_of
from bot.slack.courtesies import Courtesies
from bot.slack.home_views import AskedBefore, Health, home_view
from bot.slack.messages import viewed_channel
from bot.slack.prompts import Prompts
from bot.slack.team import Team
from retrieval.browsing import titles_of

TITLES, ASKED = 12, 5
WELCOME = "Ask me something, for example:"

_ASKED = text(
    "SELECT text, state, received_at FROM bot.question"
    f" WHERE workspace_id = {WORKSPACE} AND asker_slack_id = :user_id AND purpose = 'question'"
    " AND state <> 'dropped'"
    " ORDER BY id DESC LIMIT :most"
)
_HEALTH = text(
    "SELECT count(*) FILTER (WHERE state IN ('received', 'sending')) AS waiting,"
    "  count(*) FILTER (WHERE state = 'answered' AND answered_at > now() - interval '1 day') AS answered,"
    "  count(*) FILTER (WHERE state = 'failed' AND answered_at > now() - interval '1 day') AS failed,"
    f"  (SELECT count(*) FROM bot.feedback f WHERE f.workspace_id = {WORKSPACE} AND f.verdict = 'bad'"
    "    AND f.given_at > now() - interval '7 days') AS bad,"
    f"  (SELECT count(*) FROM bot.ingestion_request r WHERE r.workspace_id = {WORKSPACE}"
    "    AND r.state = 'failed' AND r.created_at > now() - interval '7 days') AS not_taken_in"
    f" FROM bot.question q WHERE q.workspace_id = {WORKSPACE}"
)


class HomeDesk:
    """Shows somebody what they may ask about, and suggests what to ask."""

    def __init__(self, database: Database, team: Team, prompts: Prompts, courtesies: Courtesies) -> None:
        self._database = database
        self._workspace_id = team.workspace_id
        self._prompts = prompts
        self._courtesies = courtesies

    def register(self, app: AsyncApp) -> None:
        app.event("app_home_opened")(self.on_opened)
        app.event("app_context_changed")(self.on_context)

    async def on_opened(self, event: Mapping[str, Any], client: AsyncWebClient) -> None:
        """Slack hears "ok" before the screen is made: nothing is lost where it is not."""
        if event.get("tab") == "home":
            self._courtesies.begin(self._show_home(event["user"], client))
        else:
            self._courtesies.begin(
                self._suggest(event["user"], event["channel"], client, viewed_channel(event))
            )

    async def on_context(self, event: Mapping[str, Any], client: AsyncWebClient) -> None:
        """Somebody looks at another channel with the pane open beside it."""
        if event.get("channel"):
            self._courtesies.begin(
                self._suggest(event["user"], event["channel"], client, viewed_channel(event))
            )

    async def _show_home(self, user_id: str, client: AsyncWebClient) -> None:
        rights = await rights_of(self._database, self._workspace_id, user_id)
        titles = await titles_of(self._database, rights.clearance, TITLES) if rights else []
        async with self._database.writing_in(self._workspace_id) as connection:
            rows = await connection.execute(_ASKED, {"user_id": user_id, "most": ASKED})
            asked = [AskedBefore(row.text, row.state, row.received_at) for row in rows]
            found = (await connection.execute(_HEALTH)).one() if rights and rights.is_admin else None
        health = Health(**found._mapping) if found is not None else None
        roles = rights.roles if rights else frozenset[str]()
        await client.views_publish(user_id=user_id, view=home_view(titles, asked, roles, health))

    async def _suggest(self, user_id: str, channel_id: str, client: AsyncWebClient, viewed: str) -> None:
        rights = await rights_of(self._database, self._workspace_id, user_id)
        prompts = await self._prompts.suggest(rights.clearance, viewed) if rights else ()
        if prompts:
            await client.assistant_threads_setSuggestedPrompts(
                channel_id=channel_id, title=WELCOME, prompts=[dict(prompt) for prompt in prompts]
            )
