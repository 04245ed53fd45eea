"""What the bot really sent in Slack: every answer proves right, and the log tells of each."""

from auth.audit import ANSWER_SENT, Sought, search, verify
from bot.audit_names import read_names
from bot.audit_words import in_words
from bot.proofs import check_answers
from tests.scenarios.conftest import Office
from tests.scenarios.test_asking import BAND

WAIT_S = 30


async def ask_in(office: Office, person: str, place: str) -> None:
    """Ask, and wait until the last part of the answer was taken by Slack."""
    asked = await office.visitor.post(person, place, f"@ostiary {BAND}")
    found = await office.visitor.wait_for(
        lambda: next(
            (
                message
                for thread in (None, asked.ts)
                for message in office.visitor.visible_to(person, place, *([thread] if thread else []))
                if message.by_bot
            ),
            None,
        ),
        timeout=WAIT_S,
    )
    assert found is not None


async def test_every_answer_that_was_sent_proves_right(parrot_office: Office) -> None:
    for place in ("#people", "#mixed", "#general"):
        await ask_in(parrot_office, "pia", place)

    async def all_are_marked() -> bool:
        return (await check_answers(parrot_office.database, parrot_office.workspace_id)).checked >= 3

    for _ in range(50):
        if await all_are_marked():
            break
    report = await check_answers(parrot_office.database, parrot_office.workspace_id)
    async with parrot_office.database.writing_in(parrot_office.workspace_id) as connection:
        sent = await search(connection, Sought(kind=ANSWER_SENT))
        names = await read_names(connection, sent)
        verdict = await verify(connection)
    assert report.wrong == ()
    assert report.checked == len(sent) == 3
    assert verdict.faults == ()
    assert {in_words(event, names).partition(", from")[0] for event in sent} == {
        "Ostiary answered @pia in #people, for everybody there",
        "Ostiary answered @pia alone",
    }
