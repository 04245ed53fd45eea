"""The pieces that screens are made of. Every text that goes in is plain, and escaped here, once."""

from collections.abc import Mapping, Sequence

from bot.slack.views import Block, escape

SECTION_LIMIT, OPTIONS_LIMIT, OPTION_LIMIT, LABEL_LIMIT = 3000, 100, 75, 75
CONFIRM_LIMIT, ALTERNATIVES_LIMIT = 300, 5


def section(text: str, *, heading: str = "", accessory: Block | None = None) -> Block:
    """A paragraph, under a heading in bold; cut where Slack takes no more."""
    bold = f"*{_within(escape(heading), SECTION_LIMIT // 2)}*" if heading else ""
    room = SECTION_LIMIT - len(bold) - 1
    said = "\n".join(part for part in (bold, _within(escape(text), room)) if part)
    block = {"type": "section", "text": {"type": "mrkdwn", "text": said, "verbatim": True}}
    return {**block, "accessory": accessory} if accessory else block


def context(text: str) -> Block:
    said = _within(escape(text), SECTION_LIMIT)
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": said, "verbatim": True}]}


def divider() -> Block:
    return {"type": "divider"}


def actions(*elements: Block | None) -> Block:
    return {"type": "actions", "elements": [element for element in elements if element]}


def button(
    action_id: str, label: str, value: object = "", *, style: str = "", confirm: Block | None = None
) -> Block:
    """`value` is an id: what it stands for is looked up, and authorised, when the button is pressed."""
    made: Block = {"type": "button", "action_id": action_id, "text": plain(label), "value": str(value)}
    return made | ({"style": style} if style else {}) | ({"confirm": confirm} if confirm else {})


def confirmation(title: str, text: str, do_it: str) -> Block:
    """Asks once more before a button does what it says."""
    return {
        "title": plain(title, 100),
        "text": plain(text, CONFIRM_LIMIT),
        "confirm": plain(do_it, 30),
        "deny": plain("Cancel"),
        "style": "danger",
    }


def field(block_id: str, label: str, element: Block, *, hint: str = "", optional: bool = False) -> Block:
    """A labelled field of a form."""
    block: Block = {
        "type": "input",
        "block_id": block_id,
        "label": plain(label, 2000),
        "element": element,
        "optional": optional,
    }
    return {**block, "hint": plain(hint, 2000)} if hint else block


def text_field(action_id: str, *, initial: str = "", placeholder: str = "", most: int = 0) -> Block:
    element: Block = {"type": "plain_text_input", "action_id": action_id}
    if initial:
        element["initial_value"] = initial[: most or SECTION_LIMIT]
    if placeholder:
        element["placeholder"] = plain(placeholder, 150)
    return {**element, "max_length": most} if most else element


def person_picker(action_id: str) -> Block:
    return {"type": "users_select", "action_id": action_id, "placeholder": plain("Choose somebody")}


def channel_picker(action_id: str) -> Block:
    """Channels of one's own company: those shared with another grant nothing."""
    return {
        "type": "conversations_select",
        "action_id": action_id,
        "placeholder": plain("Choose a channel"),
        "filter": {
            "include": ["public", "private"],
            "exclude_external_shared_channels": True,
            "exclude_bot_users": True,
        },
    }


def date_picker(action_id: str) -> Block:
    return {"type": "datepicker", "action_id": action_id, "placeholder": plain("Choose a day")}


def tick(action_id: str, label: str, about: str = "") -> Block:
    return {"type": "checkboxes", "action_id": action_id, "options": [option(label, "yes", about)]}


def one_of(action_id: str, choices: Mapping[str, str], initial: str) -> Block:
    """One of a few: value -> words."""
    options = {value: option(words, value) for value, words in choices.items()}
    chosen = options[initial]
    return {
        "type": "radio_buttons",
        "action_id": action_id,
        "options": [*options.values()],
        "initial_option": chosen,
    }


def menu(
    action_id: str,
    options: Sequence[Block],
    placeholder: str,
    *,
    chosen: Sequence[Block] = (),
    several: bool = False,
) -> Block:
    """A menu of all `options`; where Slack takes no more of them, one that is searched by typing."""
    searched = len(options) > OPTIONS_LIMIT
    kind = ("multi_" if several else "") + ("external_select" if searched else "static_select")
    element: Block = {"type": kind, "action_id": action_id, "placeholder": plain(placeholder, 150)}
    element |= {"min_query_length": 0} if searched else {"options": list(options)}
    if chosen:
        element |= {"initial_options": list(chosen)} if several else {"initial_option": chosen[0]}
    return element


def search_menu(action_id: str, placeholder: str) -> Block:
    """A menu that shows what is found by what is typed."""
    return {
        "type": "external_select",
        "action_id": action_id,
        "placeholder": plain(placeholder, 150),
        "min_query_length": 1,
    }


def option(text: str, value: str, about: str = "") -> Block:
    made: Block = {"text": plain(text), "value": value}
    return {**made, "description": plain(about)} if about else made


def plain(text: str, limit: int = OPTION_LIMIT) -> Block:
    return {"type": "plain_text", "text": cut(text, limit), "emoji": False}


def cut(text: str, limit: int) -> str:
    """What fits, between words where there are any."""
    if len(text) <= limit:
        return text
    kept, space, _ = text[:limit].rpartition(" ")
    return (kept.rstrip(" ,;:.") if space and kept.strip() else text[: limit - 1]) + "…"


def _within(escaped: str, limit: int) -> str:
    """What fits of escaped text; no entity such as &amp; is cut in two."""
    if len(escaped) <= limit:
        return escaped
    kept = escaped[: limit - 2]
    start = kept.rfind("&")
    if start >= 0 and ";" not in kept[start:]:
        kept = kept[:start]
    return kept.rstrip() + " …"
