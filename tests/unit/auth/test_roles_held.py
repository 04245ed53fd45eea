"""The roles that somebody holds at a moment."""

from datetime import UTC, datetime, timedelta

import pytest

from auth.people import Grant, Person, PersonKind, roles_held

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
ALL_ROLES = [Grant("finance"), Grant("everyone"), Grant("guest"), Grant("ostiary-admin")]


def somebody(kind: PersonKind = PersonKind.MEMBER, *, active: bool = True) -> Person:
    return Person(1, 1, "U1", "ada", "Ada", kind, active)


def test_a_full_member_holds_everyone_without_a_grant() -> None:
    assert roles_held(somebody(), [], {}, NOW) == {"everyone"}


def test_a_grant_gives_its_role_and_what_that_inherits() -> None:
    held = roles_held(somebody(), [Grant("lead")], {"lead": frozenset({"engineer"})}, NOW)
    assert held == {"everyone", "lead", "engineer"}


def test_what_everyone_inherits_a_full_member_holds() -> None:
    assert roles_held(somebody(), [], {"everyone": frozenset({"reader"})}, NOW) == {"everyone", "reader"}


def test_a_grant_is_in_force_until_the_moment_it_expires() -> None:
    moment = timedelta(microseconds=1)
    assert Grant("hr", NOW + moment).in_force(NOW)
    assert not Grant("hr", NOW).in_force(NOW)
    assert not Grant("hr", NOW - moment).in_force(NOW)


def test_a_grant_without_an_end_stays_in_force() -> None:
    assert Grant("hr").in_force(NOW + timedelta(days=36500))


def test_an_expired_grant_gives_neither_its_role_nor_what_that_inherits() -> None:
    grants = [Grant("lead", NOW - timedelta(seconds=1))]
    assert roles_held(somebody(), grants, {"lead": frozenset({"engineer"})}, NOW) == {"everyone"}


def test_an_expired_grant_does_not_end_another_grant_of_the_same_role() -> None:
    assert "hr" in roles_held(somebody(), [Grant("hr", NOW), Grant("hr")], {}, NOW)


@pytest.mark.parametrize("kind", PersonKind)
def test_a_deactivated_person_holds_nothing_whatever_was_granted(kind: PersonKind) -> None:
    assert roles_held(somebody(kind, active=False), ALL_ROLES, {}, NOW) == frozenset()


@pytest.mark.parametrize("kind", [PersonKind.BOT, PersonKind.OUTSIDER])
def test_bots_and_outsiders_hold_nothing_whatever_was_granted(kind: PersonKind) -> None:
    assert roles_held(somebody(kind), ALL_ROLES, {}, NOW) == frozenset()


@pytest.mark.parametrize("kind", [PersonKind.GUEST, PersonKind.SINGLE_CHANNEL_GUEST])
def test_a_guest_holds_guest_and_what_was_granted_by_name(kind: PersonKind) -> None:
    assert roles_held(somebody(kind), [Grant("project-x")], {}, NOW) == {"guest", "project-x"}


@pytest.mark.parametrize("kind", [PersonKind.GUEST, PersonKind.SINGLE_CHANNEL_GUEST])
def test_a_guest_never_holds_everyone_even_granted_or_by_inheritance(kind: PersonKind) -> None:
    inheritance = {"guest": frozenset({"everyone"}), "project-x": frozenset({"everyone"})}
    held = roles_held(somebody(kind), [Grant("everyone"), Grant("project-x")], inheritance, NOW)
    assert held == {"guest", "project-x"}


@pytest.mark.parametrize("kind", [PersonKind.GUEST, PersonKind.SINGLE_CHANNEL_GUEST])
def test_a_guest_does_not_reach_through_everyone_to_what_full_members_hold(kind: PersonKind) -> None:
    inheritance = {"project-x": frozenset({"everyone"}), "everyone": frozenset({"reader"})}
    held = roles_held(somebody(kind), [Grant("project-x"), Grant("everyone")], inheritance, NOW)
    assert held == {"guest", "project-x"}


def test_a_full_member_never_holds_guest() -> None:
    assert roles_held(somebody(), [Grant("guest")], {}, NOW) == {"everyone"}
