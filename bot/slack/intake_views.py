"""The modals in which admins hand documents in: what it is, who may read it, until when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.slack.admin.elements import channel_picker, context, date_picker, field, menu, plain, text_field
from bot.slack.admin.entered import Entered
from bot.slack.admin.wording import end_of_day
from bot.slack.ingest_requests import Chosen
from bot.slack.ingest_words import readers_policy
from bot.slack.views import READERS_VIEW, Block, readers_view

INTAKE_VIEW = "ingest_intake"
ADD_MESSAGE, ADD_THREAD = "add_message", "add_thread"
MOST_FILES = 10
FILES, GIVEN, CHANNEL = "files", "given", "channel"


@dataclass(frozen=True)
class Picks:
    """What can be chosen: roles with what they are for, collections as options."""

    roles: Mapping[str, str]
    collections: Sequence[Block]


@dataclass(frozen=True)
class Wished:
    """What was chosen in a modal, before it is known to be possible."""

    title: str
    roles: tuple[str, ...]
    rule: str
    collection: str
    chosen: Chosen
    channel: str = ""


def intake_view(picks: Picks) -> dict[str, Any]:
    """For `/ingest` alone: files, an address or text."""
    view = readers_view("", 0, picks.roles, has_own_title=True)
    what = [
        field(
            FILES,
            "Files",
            {"type": "file_input", "action_id": FILES, "max_files": MOST_FILES},
            hint="Of a zip archive, each file in it becomes a document.",
            optional=True,
        ),
        field(
            GIVEN,
            "Or a web address, or the text itself",
            {**text_field(GIVEN, most=3000), "multiline": True},
            optional=True,
        ),
    ]
    what.append(
        field(
            CHANNEL,
            "Or a channel",
            channel_picker(CHANNEL),
            hint="Read again every hour, for the people in it. Roles that you choose they must hold too.",
            optional=True,
        )
    )
    title, *rest = view["blocks"]
    title = {
        **title,
        "hint": plain("For a single document; left empty, it keeps the title that it has itself.", 200),
    }
    rest = [_not_for_a_channel(block) if block["block_id"] == "readers" else block for block in rest]
    blocks = [*what, title, *rest, *_more(picks)]
    return {**view, "callback_id": INTAKE_VIEW, "private_metadata": "", "blocks": blocks}


def _not_for_a_channel(readers: Block) -> Block:
    return {**readers, "optional": True, "hint": plain("Needed for all but a channel.")}


def chosen_view(
    title: str,
    request_id: int,
    picks: Picks,
    *,
    has_own_title: bool = False,
    offer_ts: str = "",
    limited_to: str = "",
) -> dict[str, Any]:
    """For something that is kept already. `limited_to`: the channel whose members alone may read it."""
    view = readers_view(title, request_id, picks.roles, has_own_title=has_own_title, offer_ts=offer_ts)
    blocks = [*view["blocks"], *_more(picks)]
    if limited_to:
        told = context(
            f"Only who is in #{limited_to} may read it, as long as they are. Where you choose roles, only who holds"
            " them too."
        )
        blocks = [told, *({**b, "optional": True} if b["block_id"] == "readers" else b for b in blocks)]
    return {**view, "callback_id": READERS_VIEW, "blocks": blocks}


def _more(picks: Picks) -> list[Block]:
    collection = (
        [
            field(
                "collection", "Collection", menu("collection", picks.collections[:100], "None"), optional=True
            )
        ]
        if picks.collections
        else []
    )
    return [
        *collection,
        field("expires", "Last day on which it answers", date_picker("expires"), optional=True),
        field("dated", "Date of the document", date_picker("dated"), optional=True),
    ]


def wished(state: Mapping[str, Any]) -> Wished:
    entered = Entered(state)
    roles, rule = entered.options("readers"), entered.option("rule")
    title = entered.text("title")
    chosen = Chosen(
        str(readers_policy(list(roles), rule)) if roles else "",
        title,
        None,
        entered.day("dated"),
        end_of_day(entered.day("expires")),
    )
    return Wished(title, roles, rule, entered.option("collection"), chosen, entered.channel(CHANNEL))
