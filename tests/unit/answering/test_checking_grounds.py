"""A drafted sentence stands only if the evidence says it."""

import pytest

from bot.answering.grounds import grounded
from bot.answering.units import Unit

REFUND = Unit(0, "Claims without a receipt are not refunded, except for parking meters.", "Travel")
NOTICE = Unit(
    1, "The notice period is three months for managers and six weeks for everybody else.", "Contract"
)


def said(question: str, draft: str, *evidence: Unit) -> list[tuple[str, bool]]:
    return [(sentence.text, sentence.quoted) for sentence in grounded(question, draft, evidence)]


def test_a_draft_in_the_words_of_the_evidence_stands() -> None:
    draft = "The notice period is three months for managers and six weeks for everybody else."
    assert said("How long is the notice period?", draft, NOTICE) == [(draft, False)]


@pytest.mark.parametrize(
    "draft",
    [
        "The notice period is four months for managers and six weeks for everybody else.",  # another number
        "The notice period is six weeks for managers and three months for everybody else.",  # swapped
        "The notice period is three months.",  # figures left out: for whom?
        "The notice period at Globex is three months for managers and six weeks for everybody else.",  # a new name
        "The notice period is not three months for managers and six weeks for everybody else.",  # denied
        "The notice period is something you should ask about.",  # tells nothing
        "Yes.",
        "",
    ],
)
def test_a_draft_that_says_anything_else_gives_way_to_the_quote(draft: str) -> None:
    assert said("How long is the notice period?", draft, NOTICE) == [(NOTICE.text, True)]


@pytest.mark.parametrize(
    "draft",
    [
        "Claims are refunded for parking meters.",
        "Claims without a receipt are refunded.",
        "Claims are not refunded.",
    ],
)
def test_a_draft_may_not_drop_a_negation_or_an_exception(draft: str) -> None:
    assert said("Are claims refunded?", draft, REFUND) == [(REFUND.text, True)]


def test_a_draft_may_not_drop_a_condition() -> None:
    unit = Unit(0, "Travel in business class is paid if the flight takes over six hours.", "Travel")
    draft = "Travel in business class is paid the flight takes over six hours."
    assert said("Is business class paid?", draft, unit) == [(unit.text, True)]


def test_a_draft_cannot_make_a_broadcast_of_a_word_of_the_evidence() -> None:
    unit = Unit(0, "Incidents are announced in the channel at nine.", "Incidents")
    draft = "Incidents are announced in the @channel at nine."
    assert said("Where are incidents announced?", draft, unit) == [(unit.text, False)]


@pytest.mark.parametrize(
    ("evidence", "draft"),
    [
        ("The move cost millions of euros in fees.", "The move cost a million of euros in fees."),
        ("The first ones to arrive get keys.", "The first one to arrive gets keys."),
    ],
)
def test_a_vague_amount_becomes_no_figure(evidence: str, draft: str) -> None:
    unit = Unit(0, evidence, "Move")
    assert said("What happened?", draft, unit) == [(evidence, True)]


def test_a_name_in_another_place_is_another_claim() -> None:
    unit = Unit(0, "Globex pays Initech for the lease of the hall.", "Lease")
    draft = "Initech pays Globex for the lease of the hall."
    assert said("Who pays whom?", draft, unit) == [(unit.text, True)]


def test_evidence_that_the_draft_left_out_is_quoted_after_it() -> None:
    draft = "The notice period is three months for managers and six weeks for everybody else."
    assert said("How long is the notice period and are claims refunded?", draft, NOTICE, REFUND) == [
        (draft, False),
        (REFUND.text, True),
    ]


def test_a_draft_cannot_bring_in_links_or_mentions() -> None:
    draft = "Notice period is three months for managers and six weeks <!channel> for everybody else https://evil.example."
    ((text, _),) = said("How long is the notice period?", draft, NOTICE)
    assert "channel" not in text
    assert "evil" not in text
