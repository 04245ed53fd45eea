"""The Bolt app: listeners that store what came and leave the work to jobs.

`process_before_response` makes Bolt run a listener to its end before Slack hears "ok": what is acknowledged
is stored, and what could not be stored is not acknowledged, so that Slack delivers it again.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Protocol

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.response import BoltResponse
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
    AsyncServerErrorRetryHandler,
)
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.asking import AskingDesk
from bot.slack.handing_in import IngestionDesk
from bot.slack.messages import DELETED, EDITED, is_written_by_a_person, plain_text
from bot.slack.places import DIRECT


class Desk(Protocol):
    """Listeners of one concern."""

    def register(self, app: AsyncApp) -> None: ...


def slack_client(token: str, api_url: str) -> AsyncWebClient:
    """A Web API client that waits and tries again when Slack is busy, unreachable or broken."""
    retries = [
        AsyncConnectionErrorRetryHandler(max_retry_count=2),
        AsyncRateLimitErrorRetryHandler(max_retry_count=3),
        AsyncServerErrorRetryHandler(max_retry_count=2),
    ]
    return AsyncWebClient(token=token, base_url=api_url, retry_handlers=retries)


def slack_app(client: AsyncWebClient, team_id: str, desks: Iterable[Desk]) -> AsyncApp:
    """The app of one workspace, with the listeners of these desks."""
    app = AsyncApp(client=client, process_before_response=True, request_verification_enabled=False)
    app.middleware(_only_of(team_id))
    for desk in desks:
        desk.register(app)
    return app


def _only_of(team_id: str) -> Callable[..., Awaitable[BoltResponse | None]]:
    """One app token hears every team that installed the app, and a user id says who somebody is in one only."""

    async def refuse_other_teams(
        context: AsyncBoltContext, body: Mapping[str, Any], next_: Callable[[], Awaitable[None]]
    ) -> BoltResponse | None:
        if context.team_id not in {None, team_id}:
            return BoltResponse(status=200)
        is_event = body.get("type") == "event_callback"
        if not is_event and context.actor_team_id not in {None, team_id}:
            return BoltResponse(status=200)  # a click or a command of somebody from another company
        await next_()
        return None

    return refuse_other_teams


class MessageDesk:
    """Messages, which more than one desk has to do with."""

    def __init__(self, asking: AskingDesk, ingestion: IngestionDesk, bot_user_id: str) -> None:
        self._asking = asking
        self._ingestion = ingestion
        self._bot_user_id = bot_user_id

    def register(self, app: AsyncApp) -> None:
        app.event("message")(self.on_message)

    async def on_message(
        self, event: Mapping[str, Any], body: Mapping[str, Any], client: AsyncWebClient
    ) -> None:
        """Files in a direct message are handed in; what words there are, and mentions, are questions."""
        if event.get("subtype") in {EDITED, DELETED}:
            await self._asking.on_revision(event, body, client)
            return
        if not is_written_by_a_person(event) or event["user"] == self._bot_user_id:
            return
        if event.get("channel_type") == DIRECT and event.get("files"):
            async with self._asking.apologising(event, client):
                await self._ingestion.take_files(event, body)
            if not plain_text(event.get("text") or ""):
                return
        if self._asking.is_asked(event) or await self._asking.is_follow_up(event):
            await self._asking.take_question(event, body, client)
