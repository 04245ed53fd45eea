"""Listeners for what stands under answers: thumbs, passages, sources. All is authorised when it is pressed."""

import re
from collections.abc import Mapping
from typing import Any

import structlog
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from auth.database import Database
from auth.rights import nothing, rights_of
from bot import metrics
from bot.slack.answer_views import (
    BAD,
    FEEDBACK,
    GOOD,
    OPEN_SOURCE,
    REASON,
    REASON_VIEW,
    REASONS,
    SHOW_AROUND,
    SHOW_PASSAGES,
    WORDS,
    around_view,
    passages_view,
    reason_view,
)
from bot.slack.approving import ApprovalDesk
from bot.slack.feedback import ShownAnswer, explain_feedback, find_shown, give_feedback
from bot.slack.messages import storable, typed_id
from bot.slack.team import Team
from retrieval.locks import LocksDisagree
from retrieval.passages import Passage
from retrieval.showing import passages_of, surroundings_of

log = structlog.get_logger(__name__)

_MESSAGE = re.compile(r"slack-(?:message|thread):(?P<channel>[A-Z0-9]+):(?P<ts>[0-9.]+)")


class UnderAnswers:
    """What people do with an answer that they see."""

    def __init__(self, database: Database, team: Team, approvals: ApprovalDesk) -> None:
        self._database = database
        self._approvals = approvals
        self._workspace_id = team.workspace_id

    def register(self, app: AsyncApp) -> None:
        self._approvals.register(app)
        app.action(FEEDBACK)(self.on_thumb)
        app.view(REASON_VIEW)(self.on_reason)
        app.action(SHOW_PASSAGES)(self.on_show_passages)
        app.action(re.compile(f"{SHOW_AROUND}_.*"))(self.on_show_around)
        app.action(re.compile(f"{OPEN_SOURCE}.*"))(self.on_open_source)

    async def on_thumb(self, ack: AsyncAck, body: Mapping[str, Any], client: AsyncWebClient) -> None:
        """A verdict counts at once; of a bad one the reason is asked, of a good one whether it is approved."""
        await ack()
        user_id = body["user"]["id"]
        verdict, _, written = str(body["actions"][0].get("value")).partition(":")
        answer = await self._shown(body, typed_id(written))
        if answer is None or verdict not in {GOOD, BAD}:
            return
        async with self._database.writing_in(self._workspace_id, user_id) as connection:
            await give_feedback(connection, answer, user_id, verdict)
        metrics.FEEDBACK.labels(verdict).inc()
        asked = (
            reason_view(answer.id)
            if verdict == BAD
            else await self._approvals.form(answer, user_id, body.get("message") or {})
        )
        if asked is not None:
            await _open(client, body, asked)

    async def on_reason(self, ack: AsyncAck, body: Mapping[str, Any]) -> None:
        """What came with the form is anybody's writing: the answer is looked up anew."""
        await ack()
        view, user_id = body["view"], body["user"]["id"]
        answer = await self._find(typed_id(view.get("private_metadata")), user_id)
        if answer is None:
            return
        values = view["state"]["values"]
        chosen = ((values.get(REASON) or {}).get(REASON) or {}).get("selected_option") or {}
        reason = chosen.get("value") if chosen.get("value") in REASONS else None
        words = storable(((values.get(WORDS) or {}).get(WORDS) or {}).get("value") or "")
        async with self._database.writing_in(self._workspace_id, user_id) as connection:
            await explain_feedback(connection, answer, user_id, reason, words[:1000] or None)

    async def on_show_passages(self, ack: AsyncAck, body: Mapping[str, Any], client: AsyncWebClient) -> None:
        """Each passage is read with the rights of whoever looks, now: denied looks like missing."""
        await ack()
        answer = await self._shown(body, typed_id(body["actions"][0].get("value")))
        chunk_ids = answer.chunk_ids if answer is not None else ()
        readable: dict[int, Passage] = {}
        if answer is not None:
            try:
                readable = await passages_of(self._database, answer.clearance, chunk_ids)
            except LocksDisagree:
                metrics.LOCKS_DISAGREE.inc()
        permalinks = {
            chunk_id: link
            for chunk_id, passage in readable.items()
            if (link := await _permalink(client, passage)) is not None
        }
        await _open(client, body, passages_view(chunk_ids, readable, permalinks))

    async def on_show_around(self, ack: AsyncAck, body: Mapping[str, Any], client: AsyncWebClient) -> None:
        """An id in a button grants nothing: the chunk and its neighbours are read with the rights of now."""
        await ack()
        chunk_id = typed_id(body["actions"][0].get("value")) or 0
        rights = await rights_of(self._database, self._workspace_id, body["user"]["id"])
        clearance = rights.clearance if rights else nothing(self._workspace_id)
        try:
            passages = await surroundings_of(self._database, clearance, chunk_id)
        except LocksDisagree:
            metrics.LOCKS_DISAGREE.inc()
            passages = []
        said = next((passage for passage in passages if passage.chunk_id == chunk_id), None)
        permalink = await _permalink(client, said) if said is not None else None
        await _open(client, body, around_view(passages, chunk_id, permalink))

    async def on_open_source(self, ack: AsyncAck) -> None:
        """Slack has opened the address itself."""
        await ack()

    async def _shown(self, body: Mapping[str, Any], answer_id: int | None) -> ShownAnswer | None:
        """The answer under which a button was pressed, if it stands there and may be read by whoever pressed."""
        answer = await self._find(answer_id, body["user"]["id"])
        here = (body.get("channel") or {}).get("id")
        return answer if answer is not None and answer.channel_id == here else None

    async def _find(self, answer_id: int | None, user_id: str) -> ShownAnswer | None:
        return await find_shown(self._database, self._workspace_id, answer_id, user_id)


async def _open(client: AsyncWebClient, body: Mapping[str, Any], view: Mapping[str, Any]) -> None:
    """Show a window, on top of the one that stands there; only a courtesy where Slack has no patience left."""
    try:
        if body.get("view"):
            await client.views_push(trigger_id=body["trigger_id"], view=dict(view))
        else:
            await client.views_open(trigger_id=body["trigger_id"], view=dict(view))
    except SlackApiError as error:
        log.warning("a window could not be opened", error=str(error))


async def _permalink(client: AsyncWebClient, passage: Passage) -> str | None:
    """Where a message that became a document stands in Slack, as far as the bot can see it."""
    found = _MESSAGE.fullmatch(passage.url or "")
    if found is None:
        return None
    try:
        said = await client.chat_getPermalink(channel=found["channel"], message_ts=found["ts"])
    except SlackApiError:
        return None
    return str(said["permalink"])
