"""Approving answers in Slack: who owns what an answer was made from, and finds it good, is asked to approve it."""

from collections.abc import Mapping
from typing import Any

import structlog
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from auth.errors import OstiaryError
from bot.administering.wording import policy_in_words
from bot.approving import LONGEST_TEXT, Approvable, Approvals
from bot.slack.admin.elements import field, plain, section, text_field
from bot.slack.admin.entered import storable
from bot.slack.feedback import ShownAnswer
from bot.slack.messages import typed_id
from bot.slack.views import Block, plain_blocks

log = structlog.get_logger(__name__)

APPROVE_VIEW, ASKED, SAID = "approve_answer", "approved_question", "approved_text"
LONGEST_FIELD = min(LONGEST_TEXT, 3000)
APPROVED = "Approved: it is found like a document now, for {readers}."


class ApprovalDesk:
    """Offers the form, and takes it in."""

    def __init__(self, approvals: Approvals) -> None:
        self._approvals = approvals

    def register(self, app: AsyncApp) -> None:
        app.view(APPROVE_VIEW)(self.on_approve)

    async def form(self, answer: ShownAnswer, user_id: str, message: Mapping[str, Any]) -> Block | None:
        """The form for an answer in a `message` that somebody finds good; None unless they may approve it."""
        try:
            found = await self._approvals.approvable(answer.question_id, user_id, answer.id)
        except OstiaryError:
            return None
        return _view(
            found, f"{answer.question_id} {answer.id} {answer.channel_id} {message.get('thread_ts') or ''}"
        )

    async def on_approve(self, ack: AsyncAck, body: Mapping[str, Any], client: AsyncWebClient) -> None:
        """What came with the form is anybody's writing: whether they may is asked anew."""
        await ack()
        view, user_id = body["view"], body["user"]["id"]
        question_id, answer_id, channel_id, thread_ts = _carried(view)
        try:
            approved = await self._approvals.approve(
                question_id, user_id, _entered(view, ASKED), _entered(view, SAID), answer_id
            )
            said = APPROVED.format(readers=policy_in_words(approved.readers))
        except OstiaryError as error:
            said = str(error)
        try:
            await client.chat_postEphemeral(
                channel=channel_id, user=user_id, thread_ts=thread_ts, text=said, blocks=plain_blocks(said)
            )
        except SlackApiError as error:
            log.warning("somebody could not be told what became of their approval", error=str(error))


def _view(found: Approvable, carried: str) -> Block:
    question = text_field(ASKED, initial=found.question, most=300)
    answer = {**text_field(SAID, initial=found.text, most=LONGEST_FIELD), "multiline": True}
    hint = (
        "" if found.question else "It was not asked in public. Write nothing that its readers may not read."
    )
    return {
        "type": "modal",
        "callback_id": APPROVE_VIEW,
        "private_metadata": carried,
        "title": plain("Approve this answer?"),
        "submit": plain("Approve"),
        "close": plain("Not now"),
        "blocks": [
            section(
                "You answer for what it was made from. Approved, it is found like a document, by those who may read"
                " all of its sources, until one of them changes."
            ),
            field(ASKED, "Question", question, hint=hint),
            field(SAID, "Answer", answer),
        ],
    }


def _carried(view: Mapping[str, Any]) -> tuple[int, int, str, str | None]:
    """Question, answer, channel and, where it stands in one, thread."""
    written = [*str(view.get("private_metadata") or "").split(" "), "", "", "", ""]
    return typed_id(written[0]) or 0, typed_id(written[1]) or 0, written[2], written[3] or None


def _entered(view: Mapping[str, Any], name: str) -> str:
    values = view["state"]["values"]
    return storable(((values.get(name) or {}).get(name) or {}).get("value") or "")
