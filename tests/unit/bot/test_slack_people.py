"""How a person stands to the workspace, as Slack tells it."""

from typing import Any

import pytest

from auth.people import PersonKind
from bot.slack.people import facts_of


@pytest.mark.parametrize(
    ("flags", "kind"),
    [
        ({}, PersonKind.MEMBER),
        ({"is_admin": True, "is_owner": True}, PersonKind.MEMBER),
        ({"is_restricted": True}, PersonKind.GUEST),
        ({"is_restricted": True, "is_ultra_restricted": True}, PersonKind.SINGLE_CHANNEL_GUEST),
        ({"is_stranger": True}, PersonKind.OUTSIDER),
        ({"team_id": "T2"}, PersonKind.OUTSIDER),
        ({"team_id": "T2", "is_restricted": True}, PersonKind.OUTSIDER),
        ({"is_bot": True}, PersonKind.BOT),
        ({"id": "USLACKBOT", "is_bot": False}, PersonKind.BOT),
    ],
)
def test_the_kind_of_a_person(flags: dict[str, Any], kind: PersonKind) -> None:
    assert facts_of({"id": "U1", "team_id": "T1", "name": "ada", **flags}, "T1").kind is kind


def test_a_deleted_user_is_not_active() -> None:
    assert not facts_of({"id": "U1", "deleted": True}, "T1").active
    assert facts_of({"id": "U1", "deleted": False}, "T1").active


def test_a_person_is_named_by_the_profile_then_the_user_then_the_id() -> None:
    user = {"id": "U1", "name": "ada", "real_name": "Ada L", "profile": {"real_name": "Ada Lovelace"}}
    assert facts_of(user, "T1").name == "Ada Lovelace"
    assert facts_of({**user, "profile": None}, "T1").name == "Ada L"
    assert facts_of({"id": "U1", "name": "ada"}, "T1").name == "ada"
    nameless = facts_of({"id": "U1"}, "T1")
    assert (nameless.handle, nameless.name) == ("U1", "U1")
