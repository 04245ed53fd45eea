"""Seeds that contradict themselves, values given to form elements, pages and time stamps."""

from __future__ import annotations

from typing import Any

import pytest

from bot.sandbox.arguments import Arguments
from bot.sandbox.errors import SlackError
from bot.sandbox.messages import TimeStamps
from bot.sandbox.methods.pages import page_of
from bot.sandbox.seed import ChannelSeed, PersonSeed, SeedError, WorkspaceSeed
from bot.sandbox.state_values import ValueMistakeError, state_of

OPTIONS = [{"text": {"type": "plain_text", "text": v.title()}, "value": v} for v in ("one", "two")]


def seed(*people: PersonSeed, channels: tuple[ChannelSeed, ...] = ()) -> WorkspaceSeed:
    return WorkspaceSeed("T1", "Works", people, channels)


def test_two_people_cannot_share_a_handle() -> None:
    with pytest.raises(SeedError, match="handle 'ann' appears twice"):
        seed(PersonSeed("U1", "ann", "Ann"), PersonSeed("U2", "ann", "Anna"))


def test_a_channel_has_no_unknown_member() -> None:
    with pytest.raises(SeedError, match="'bob' who is nobody"):
        seed(PersonSeed("U1", "ann", "Ann"), channels=(ChannelSeed("C1", "x", members=("ann", "bob")),))


def test_a_person_has_a_known_kind() -> None:
    with pytest.raises(SeedError, match="kind 'alien'"):
        PersonSeed("U1", "ann", "Ann", kind="alien")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("element", "given", "state"),
    [
        ({"type": "plain_text_input"}, "words", {"value": "words"}),
        ({"type": "plain_text_input"}, "", {"value": None}),
        ({"type": "static_select", "options": OPTIONS}, "two", {"selected_option": OPTIONS[1]}),
        ({"type": "radio_buttons", "options": OPTIONS}, ["one"], {"selected_option": OPTIONS[0]}),
        ({"type": "checkboxes", "options": OPTIONS}, ["one", "two"], {"selected_options": OPTIONS}),
        ({"type": "multi_users_select"}, ["U1"], {"selected_users": ["U1"]}),
        ({"type": "users_select"}, "U1", {"selected_user": "U1"}),
        ({"type": "datepicker"}, "2026-01-01", {"selected_date": "2026-01-01"}),
    ],
)  # fmt: skip
def test_a_given_value_takes_slacks_form(
    element: dict[str, Any], given: str | list[str], state: dict[str, Any]
) -> None:
    assert state_of(element, given) == {"type": element["type"], **state}


def test_an_option_that_is_not_there_cannot_be_chosen() -> None:
    with pytest.raises(ValueMistakeError, match="choose one of: one, two"):
        state_of({"type": "static_select", "options": OPTIONS}, "three")


def test_pages_join_without_gap_or_repeat() -> None:
    seen: list[int] = []
    cursor = ""
    for _ in range(10):
        page, metadata = page_of(range(7), Arguments({"limit": 3, "cursor": cursor}))
        seen += page
        cursor = metadata["next_cursor"]
        if not cursor:
            break
    assert seen == list(range(7))


@pytest.mark.parametrize("limit", [-1, 1001])
def test_a_page_has_a_sensible_size(limit: int) -> None:
    with pytest.raises(SlackError, match="invalid_limit"):
        page_of([1], Arguments({"limit": limit}))


def test_time_stamps_rise_even_when_the_clock_stands_still_or_turns_back() -> None:
    times = iter([100.0, 100.0, 99.0, 200.5])
    stamps = TimeStamps(lambda: next(times))
    issued = [stamps.next() for _ in range(4)]
    assert issued == ["100.000000", "100.000001", "100.000002", "200.500000"]
