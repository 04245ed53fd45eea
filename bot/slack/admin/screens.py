"""What an administrator is shown: a modal, or a message that nobody else sees."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeGuard

from bot.slack.admin.elements import actions, button, context, cut, plain
from bot.slack.views import Block, escape, plain_blocks

TITLE_LIMIT, BLOCK_LIMIT, CARRIED_LIMIT = 24, 50, 3000
UNDO, UNDO_LATER = "admin_undo", "admin_undo_later"
Back = tuple[str, str]
"""Where a button "Back" leads: the action and the id that it carries."""


@dataclass(frozen=True)
class Screen:
    """A modal, or with `whispered` a message for one person alone.

    `carried` goes into the modal's private metadata: ids, which are authorised again when they come back.
    `about` keeps what was typed for one thing from turning up in the form for another.
    """

    title: str
    blocks: Sequence[Block]
    form: str = ""
    submit: str = ""
    carried: Mapping[str, Any] = field(default_factory=dict)
    back: Back | None = None
    about: str = ""
    whispered: bool = False

    def as_view(self) -> dict[str, Any]:
        """For views.open and views.update."""
        blocks = [*self.blocks, *([actions(button(self.back[0], "Back", self.back[1]))] if self.back else [])]
        kept = dict(self.carried) | ({"back": list(self.back)} if self.back else {})
        view = {
            "type": "modal",
            "title": plain(self.title, TITLE_LIMIT),
            "close": plain("Close"),
            "private_metadata": json.dumps(kept) if kept else "",
            "blocks": [_about(block, self.about) for block in _fitting(blocks)],
        }
        return view | ({"callback_id": self.form, "submit": plain(self.submit, 24)} if self.form else {})

    def as_message(self) -> dict[str, Any]:
        """For an answer that only its reader sees."""
        blocks = _fitting(self.blocks)
        said = next((block["text"]["text"] for block in blocks if "text" in block), escape(self.title))
        return {"text": said, "blocks": blocks}

    def whisper(self) -> "Screen":
        return replace(self, whispered=True)


def said(sentence: str, *, title: str = "Ostiary", back: Back | None = None) -> Screen:
    """A sentence, and nothing else."""
    return Screen(title, plain_blocks(sentence), back=back)


def undoable(
    sentence: str, change_id: int | None, *, back: Back | None = None, label: str = "Undo"
) -> Screen:
    """What a change did, with a button that takes it back."""
    undo = [actions(button(UNDO, label, change_id))] if change_id is not None else []
    return Screen("Done", [*plain_blocks(sentence), *undo], back=back)


def pager(action_id: str, start: int, size: int, total: int, *, about: str = "") -> list[Block]:
    """Buttons to what comes before and after, if there is any. `about` stands before the number they carry."""
    if total <= size:
        return []
    prefix = f"{about} " if about else ""
    earlier = (
        button(f"{action_id}:earlier", "Earlier", f"{prefix}{max(0, start - size)}") if start > 0 else None
    )
    rest = start + size < total
    later = button(f"{action_id}:later", "More", f"{prefix}{start + size}") if rest else None
    shown = f"{start + 1} to {min(total, start + size)} of {total}"
    return [context(shown), actions(earlier, later)]


def carried_by(view: Mapping[str, Any]) -> dict[str, Any]:
    """What a modal carried. It came back from outside: whatever is not as it was made is dropped."""
    try:
        found = json.loads(view.get("private_metadata") or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def is_id(found: object) -> TypeGuard[int]:
    """Whether something that a modal carried can be an id."""
    return type(found) is int and 0 < found < 2**63


def back_of(carried: Mapping[str, Any]) -> Back | None:
    back = carried.get("back")
    if isinstance(back, list) and len(back) == 2 and all(isinstance(part, str) and part for part in back):
        return cut(back[0], 255), cut(back[1], 2000)
    return None


def _fitting(blocks: Sequence[Block]) -> list[Block]:
    """No more blocks than Slack takes. Screens are made in pages: this is for what nobody thought of."""
    if len(blocks) <= BLOCK_LIMIT:
        return list(blocks)
    return [*blocks[: BLOCK_LIMIT - 1], context("There is more than fits here.")]


def _about(block: Block, about: str) -> Block:
    return {**block, "block_id": f"{block['block_id']}@{about}"} if about and "block_id" in block else block
