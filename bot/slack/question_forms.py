"""Asking by a form: from the menu beside the composer, from the menu of a message, from the home tab."""

from collections.abc import Mapping
from typing import Any

import structlog
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.admin.elements import field, plain, section, text_field
from bot.slack.asking import AskingDesk
from bot.slack.delivery import Outbox
from bot.slack.home_views import ASK
from bot.slack.messages import plain_text, storable
from bot.slack.places import DIRECT
from bot.slack.questions import IncomingQuestion
from bot.slack.team import Team
from bot.slack.views import Block, escape, plain_blocks

log = structlog.get_logger(__name__)

ASK_FORM, ASK_ABOUT, QUESTION_VIEW, QUESTION = "ask_ostiary", "ask_about_this", "question_form", "question"
LONGEST = 1000
EMPTY = "There is no question here yet."
NOT_NOW = "Slack does not let me write to you just now. Please try again in a minute."
IN_PRIVATE = "The answer comes as a direct message, made from what you may read."


class QuestionForms:
    """Opens the form, and asks what is written in it, in the direct message of whoever wrote it."""

    def __init__(self, team: Team, asking: AskingDesk, outbox: Outbox) -> None:
        self._team_id = team.team_id
        self._asking = asking
        self._outbox = outbox

    def register(self, app: AsyncApp) -> None:
        app.shortcut(ASK_FORM)(self.on_open)
        app.shortcut(ASK_ABOUT)(self.on_open_about)
        app.action(ASK)(self.on_open)
        app.view(QUESTION_VIEW)(self.on_ask)

    async def on_open(self, ack: AsyncAck, body: Mapping[str, Any], client: AsyncWebClient) -> None:
        await ack()
        await _open(client, body, question_view())

    async def on_open_about(self, ack: AsyncAck, body: Mapping[str, Any], client: AsyncWebClient) -> None:
        """The message's own words stand in the form: whoever asks makes a question of them."""
        await ack()
        said = plain_text((body.get("message") or {}).get("text") or "")
        await _open(client, body, question_view(said))

    async def on_ask(self, ack: AsyncAck, body: Mapping[str, Any]) -> None:
        """The question stands in the direct message, and its answer under it."""
        entered = body["view"]["state"]["values"][QUESTION][QUESTION].get("value") or ""
        asked, user_id = " ".join(storable(entered).split()), body["user"]["id"]
        if not asked:
            await ack(response_action="errors", errors={QUESTION: EMPTY})
            return
        shown = await self._outbox.begin_in_person(
            user_id, escape(asked), plain_blocks(f"You asked: {asked}")
        )
        if shown is None:
            await ack(response_action="errors", errors={QUESTION: NOT_NOW})
            return
        channel_id, ts = shown
        question = IncomingQuestion(
            event_id=f"form:{body['view']['id']}",
            channel_id=channel_id,
            channel_type=DIRECT,
            message_ts=ts,
            thread_ts=None,
            asker_slack_id=user_id,
            text=asked,
            asker_team_id=self._team_id,
        )
        await self._asking.store(question)
        await ack()


def question_view(said: str = "") -> Block:
    asked = text_field(QUESTION, initial=said, most=LONGEST)
    return {
        "type": "modal",
        "callback_id": QUESTION_VIEW,
        "title": plain("Ask Ostiary"),
        "submit": plain("Ask"),
        "close": plain("Cancel"),
        "blocks": [field(QUESTION, "Your question", {**asked, "multiline": True}), section(IN_PRIVATE)],
    }


async def _open(client: AsyncWebClient, body: Mapping[str, Any], view: Block) -> None:
    try:
        await client.views_open(trigger_id=body["trigger_id"], view=view)
    except SlackApiError as error:
        log.warning("the form for a question could not be opened", error=str(error))
