"""The forms in which a user group, a channel or a flag of the workspace is given a role."""

from collections.abc import Sequence

from auth.sources import FLAGS
from bot.slack.admin.elements import channel_picker, field, menu, one_of, section, tick
from bot.slack.admin.role_screens import OPEN
from bot.slack.admin.screens import Screen
from bot.slack.views import Block

GROUP_FORM, CHANNEL_FORM, FLAG_FORM = (
    "admin_map_group_form",
    "admin_map_channel_form",
    "admin_map_flag_form",
)
GROUP_FIELD = "admin_group_field"


def group_form(role: str, groups: Sequence[Block]) -> Screen:
    picker = menu(GROUP_FIELD, groups, "Choose a user group")
    which = field("group", "Which user group?", picker)
    return _form(role, "Map a user group", GROUP_FORM, _of_members(which, role))


def channel_form(role: str) -> Screen:
    hint = (
        "I must be in it: otherwise I would not hear who leaves. Channels shared with others grant nothing."
    )
    which = field("channel", "Which channel?", channel_picker("channel"), hint=hint)
    return _form(role, "Map a channel", CHANNEL_FORM, _of_members(which, role))


def flag_form(role: str) -> Screen:
    """Without a word on guests: either all who have the flag are guests, or none is."""
    about = section("Whoever is one now, or becomes one, holds the role as long as they are.", heading=role)
    return _form(
        role, "Map a flag", FLAG_FORM, [about, field("flag", "Who?", one_of("flag", FLAGS, "member"))]
    )


def _of_members(which: Block, role: str) -> list[Block]:
    about = section("Whoever is in it now, or comes into it, holds the role until they leave.", heading=role)
    guests = tick("guests", "Guests too", "Left empty, guests in it do not hold the role.")
    return [about, which, field("guests", "Guests", guests, optional=True)]


def _form(role: str, title: str, form: str, blocks: Sequence[Block]) -> Screen:
    return Screen(
        title,
        blocks,
        form=form,
        submit="Map it",
        carried={"role": role},
        back=(OPEN, role),
        about=role,
    )
