"""What administrators type, choose and carry between two modals: pure values, there and back."""

import html
import json
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.labels import Clause, Policy
from bot.administering.changes import (
    Change,
    ChangeLabel,
    DefineCollection,
    FileDocuments,
    RelabelCollection,
    RelabelDocuments,
)
from bot.slack.admin.elements import SECTION_LIMIT, menu, option, section
from bot.slack.admin.entered import Entered
from bot.slack.admin.proposals import NoProposal, carry, proposed
from bot.slack.admin.readers_fields import readers_entered, readers_fields
from bot.slack.admin.role_words import (
    GrantWords,
    MayReadWords,
    NotUnderstood,
    RevokeWords,
    WhoWords,
    parse,
)
from bot.slack.admin.screens import BLOCK_LIMIT, CARRIED_LIMIT, Screen

ROLES = ("everyone", "finance", "guest", "hr", "legal")
clauses = st.builds(
    Clause,
    st.frozensets(st.sampled_from(ROLES), min_size=1, max_size=3),
    st.frozensets(st.sampled_from(ROLES), max_size=2),
)
policies = st.builds(Policy, st.frozensets(clauses, max_size=4))
ids = st.integers(min_value=1, max_value=2**63 - 1)
some_ids = st.lists(ids, min_size=1, max_size=20).map(tuple)
changes = st.one_of(
    st.builds(RelabelDocuments, some_ids, policies),
    st.builds(RelabelCollection, ids, policies),
    st.builds(ChangeLabel, ids, policies),
    st.builds(FileDocuments, some_ids, st.none() | ids),
    st.builds(
        DefineCollection,
        st.text(min_size=1, max_size=50),
        policies,
        st.none() | st.sampled_from(ROLES),
        st.none() | st.sampled_from(ROLES),
        st.integers(60, 10**7).map(lambda seconds: timedelta(seconds=seconds)),
    ),
)


@pytest.mark.parametrize(
    ("typed", "understood"),
    [
        ("grant finance @ada", GrantWords("finance", "@ada")),
        ("GRANT Finance <@U1|ada>", GrantWords("finance", "<@U1|ada>")),
        ("grant finance ada because she counts", GrantWords("finance", "ada", "she counts")),
        (
            "grant finance @ada because she counts until 2026-12-31",
            GrantWords("finance", "@ada", "she counts", date(2026, 12, 31)),
        ),
        (
            "grant finance @ada until 2026-12-31 because she counts",
            GrantWords("finance", "@ada", "she counts", date(2026, 12, 31)),
        ),
        ("grant finance @ada until 2026-12-31", GrantWords("finance", "@ada", "", date(2026, 12, 31))),
        (
            "grant a @b because it is until further notice",
            GrantWords("a", "@b", "it is until further notice"),
        ),
        ("revoke finance @ada", RevokeWords("finance", "@ada")),
        ("who finance", WhoWords("finance")),
        ("may-read @ada", MayReadWords("@ada")),
    ],
)
def test_commands_are_understood(typed: str, understood: object) -> None:
    assert parse(typed) == understood


@given(st.sampled_from(["", "grant finance @ada ", "grant ", "who "]), st.text(max_size=80))
def test_whatever_is_typed_is_understood_or_refused_with_a_sentence(prefix: str, typed: str) -> None:
    try:
        parse(prefix + typed)
    except NotUnderstood as refused:
        said = str(refused)
    else:
        said = "I did not understand: nothing, for it was understood."
    assert said.startswith(("I did not understand", "There is no day"))


@given(changes)
def test_a_proposal_comes_back_as_it_was_carried(change: Change) -> None:
    assert proposed(json.loads(json.dumps(carry(change)))) == change


def test_a_proposal_that_is_too_much_for_a_modal_is_refused() -> None:
    policy = Policy(frozenset(Clause(frozenset({f"role-{number:055}"})) for number in range(60)))
    with pytest.raises(NoProposal, match="more than a modal"):
        carry(RelabelDocuments((1,), policy))


@given(policies)
def test_readers_that_are_offered_unchanged_stay_what_they_are(policy: Policy) -> None:
    assert readers_entered(Entered({"values": _untouched(policy)})) == policy


def _untouched(policy: Policy) -> dict[str, Any]:
    """The state of the form as Slack sends it where nobody touched it."""
    values: dict[str, Any] = {}
    for block in readers_fields([option(role, role) for role in ROLES], policy):
        element = block["element"]
        values[block["block_id"]] = {
            element["action_id"]: {
                "value": element.get("initial_value"),
                "selected_option": element.get("initial_option"),
                "selected_options": element.get("initial_options", []),
            }
        }
    return values


@given(st.text(max_size=6000), st.text(max_size=6000))
def test_a_section_fits_and_holds_nothing_alive(text: str, heading: str) -> None:
    said = section(text, heading=heading)["text"]["text"]
    assert len(said) <= SECTION_LIMIT
    assert "<" not in said
    assert html.unescape(said).startswith("*") or not heading


def test_a_screen_has_no_more_blocks_than_slack_takes() -> None:
    view = Screen("x" * 50, [section(str(number)) for number in range(200)], back=("a", "b")).as_view()
    assert len(view["blocks"]) == BLOCK_LIMIT
    assert len(view["title"]["text"]) <= 24
    assert len(view["private_metadata"]) <= CARRIED_LIMIT


def test_a_menu_of_more_than_slack_takes_is_searched() -> None:
    options = [option(str(number), str(number)) for number in range(101)]
    assert menu("m", options[:100], "Choose")["type"] == "static_select"
    assert menu("m", options, "Choose")["type"] == "external_select"
    assert "options" not in menu("m", options, "Choose")
