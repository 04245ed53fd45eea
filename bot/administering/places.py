"""User groups, channels and flags as somebody names them at a keyboard: which of those known is meant."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.channels import channel_names
from auth.sources import SourceKind, UnknownSource, list_sources, require_flag
from bot.administering.wording import listed

_GROUP_ID = re.compile(r"S[A-Z0-9]{2,}")
_CHANNEL_ID = re.compile(r"[CG][A-Z0-9]{2,}")


@dataclass(frozen=True)
class Place:
    """Somewhere that a role can come from."""

    kind: SourceKind
    reference: str
    name: str


def flag_called(flag: str) -> Place:
    """Raises UnknownSource."""
    require_flag(flag)
    return Place(SourceKind.FLAG, flag, flag)


async def channel_called(connection: AsyncConnection, named: str, name: str = "") -> Place:
    """The channel with this name or id; `name` for one that is known by its id alone. Raises UnknownSource."""
    known = await channel_names(connection)
    return _called(SourceKind.CHANNEL, named.removeprefix("#"), name.removeprefix("#"), known)


async def user_group_called(connection: AsyncConnection, named: str, name: str = "") -> Place:
    """The user group with this handle or id; `name` for one that is known by its id alone. Raises UnknownSource."""
    sources = await list_sources(connection)
    known = {s.reference: s.name for s in sources if s.kind is SourceKind.USER_GROUP}
    return _called(SourceKind.USER_GROUP, named.removeprefix("@"), name.removeprefix("@"), known)


def _called(kind: SourceKind, named: str, name: str, known: Mapping[str, str]) -> Place:
    is_group = kind is SourceKind.USER_GROUP
    for reference, known_name in known.items():
        if named in (reference, known_name):
            return Place(kind, reference, name or known_name)
    if (_GROUP_ID if is_group else _CHANNEL_ID).fullmatch(named):
        return Place(kind, named, name or named)
    what, mark, begins = ("user group", "@", "S") if is_group else ("channel", "#", "C")
    those = listed([f"{mark}{known_name}" for known_name in known.values()])
    raise UnknownSource(
        f"No {what} called {named} is known here.{f' Known: {those}.' if those else ''} Name it by Slack's id: it"
        f" begins with {begins}, and stands in the {what}'s details in Slack."
    )
