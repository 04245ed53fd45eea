"""Buttons under answers: asking again for everybody, and asking whoever owns what one may not read."""

import pytest
from sqlalchemy import text

from auth.directory import find_people
from auth.granting import define_role, revoke
from auth.labelling import intern_label
from auth.labels import parse_policy
from auth.rights import rights_of
from bot.assistant import NOTHING_FOUND
from bot.sandbox.seen import SeenMessage
from bot.slack.asking import NO_LONGER
from bot.slack.lending import FORWARDED
from bot.slack.replying import NOTHING_TO_SHARE, ONLY_YOU
from bot.slack.views import ASK_OWNER, DECLINE, LEND, SHARE_ANSWER
from tests.scenarios.conftest import Office
from tests.scenarios.test_asking import BAND

WAIT_S = 30


async def told_alone(office: Office) -> tuple[SeenMessage, SeenMessage]:
    """Pia's question in #mixed, and what she alone is told on it."""
    asked = await office.visitor.post("pia", "#mixed", f"@ostiary {BAND}")
    reply = await office.visitor.wait_for(
        lambda: (
            next(
                (m for m in office.visitor.visible_to("pia", "#mixed", asked.ts) if ONLY_YOU in m.plain), None
            )
            or next((m for m in office.visitor.visible_to("pia", "#mixed") if ONLY_YOU in m.plain), None)
        ),
        timeout=WAIT_S,
    )
    assert reply is not None
    return asked, reply


def words(office: Office, person: str, channel: str, thread: str | None = None) -> str:
    seen = [*office.visitor.conversation(person, channel)]
    seen += office.visitor.visible_to(person, channel, thread) if thread else ()
    return "\n".join(message.plain for message in seen if message.by_bot)


async def test_what_was_told_to_one_alone_is_never_posted_when_it_is_shared(parrot_office: Office) -> None:
    asked, reply = await told_alone(parrot_office)
    await parrot_office.visitor.click("pia", reply.ts, "#mixed", SHARE_ANSWER)
    await parrot_office.visitor.wait_for(
        lambda: NOTHING_TO_SHARE in words(parrot_office, "pia", "#mixed", asked.ts), timeout=WAIT_S
    )
    assert "78,000" not in words(parrot_office, "enzo", "#mixed", asked.ts)


async def test_sharing_answers_again_from_what_everybody_may_read_by_then(parrot_office: Office) -> None:
    asked, reply = await told_alone(parrot_office)
    await parrot_office.visitor.leave("enzo", "#mixed")
    await parrot_office.visitor.click("pia", reply.ts, "#mixed", SHARE_ANSWER)
    shared = await parrot_office.visitor.wait_for(
        lambda: next(
            (
                m
                for m in parrot_office.visitor.visible_to("pia", "#mixed", asked.ts)
                if m.by_bot and not m.ephemeral
            ),
            None,
        ),
        timeout=WAIT_S,
    )
    assert shared is not None
    assert "78,000" in shared.plain
    async with parrot_office.database.writing_in(parrot_office.workspace_id) as connection:
        kinds = (
            await connection.execute(
                text("SELECT kind FROM auth.audit_event WHERE kind LIKE 'answer.%' ORDER BY seq")
            )
        ).scalars()
        assert list(kinds) == ["answer.sent", "answer.shared", "answer.sent"]


async def test_a_share_button_does_nothing_once_the_role_is_gone(parrot_office: Office) -> None:
    asked, reply = await told_alone(parrot_office)
    await parrot_office.visitor.leave("enzo", "#mixed")
    async with parrot_office.database.writing_in(parrot_office.workspace_id) as connection:
        pia = (await find_people(connection, ["U0PIA"]))["U0PIA"]
        await revoke(connection, pia, "people")
    await parrot_office.visitor.click("pia", reply.ts, "#mixed", SHARE_ANSWER)
    await parrot_office.visitor.wait_for(
        lambda: NOTHING_TO_SHARE in words(parrot_office, "pia", "#mixed", asked.ts), timeout=WAIT_S
    )
    lasting = [
        m for m in parrot_office.visitor.visible_to("pia", "#mixed", asked.ts) if not m.ephemeral and m.by_bot
    ]
    assert not lasting


@pytest.fixture
async def lending_office(parrot_office: Office) -> Office:
    """The salary bands belong to `people`, who may lend the role `payroll-reader`."""
    async with parrot_office.database.writing_in(parrot_office.workspace_id) as connection:
        await define_role(connection, "payroll-reader")
        label_id = await intern_label(connection, parse_policy("people,payroll-reader"))
        made = await connection.execute(
            text(
                "INSERT INTO retrieval.collection (workspace_id, name, label_id, owner_role, lent_role)"
                " VALUES (:w, 'Payroll', :l, 'people', 'payroll-reader') RETURNING id"
            ),
            {"w": parrot_office.workspace_id, "l": label_id},
        )
        moved = {"c": made.scalar_one(), "l": label_id, "u": "Salary bands"}
        document = await connection.execute(
            text("UPDATE retrieval.document SET collection_id = :c WHERE uri = :u RETURNING id"), moved
        )
        document_id = document.scalar_one()
        for table, key in (
            ("document", "id"),
            ("version", "document_id"),
            ("chunk", "document_id"),
            ("chunk_vec", "document_id"),
        ):
            await connection.execute(
                text(f"UPDATE retrieval.{table} SET label_id = :l WHERE {key} = :d"),
                {"l": label_id, "d": document_id},
            )
    return parrot_office


async def refused(office: Office, person: str, question: str) -> SeenMessage:
    await office.visitor.dm(person, question)
    reply = await office.visitor.wait_for_reply(person, "@ostiary", timeout=WAIT_S)
    assert NOTHING_FOUND in reply.plain
    return reply


async def asked_owner(office: Office, person: str, question: str) -> None:
    reply = await refused(office, person, question)
    await office.visitor.click(person, reply.ts, "@ostiary", ASK_OWNER)
    await office.visitor.wait_for(lambda: FORWARDED in words(office, person, "@ostiary"), timeout=WAIT_S)


def offer(office: Office) -> SeenMessage | None:
    seen = office.visitor.visible_to("pia", "@ostiary")
    return next((m for m in seen if m.by_bot and "Enzo asks" in m.plain), None)


async def test_the_owner_lends_and_the_asker_may_read_for_a_while(lending_office: Office) -> None:
    await asked_owner(lending_office, "enzo", BAND)
    passed = await lending_office.visitor.wait_for(lambda: offer(lending_office), timeout=WAIT_S)
    assert passed is not None
    assert BAND in passed.plain
    assert "78,000" not in passed.plain
    await lending_office.visitor.click("pia", passed.ts, "@ostiary", LEND)
    await lending_office.visitor.wait_for(
        lambda: "You can read more now" in words(lending_office, "enzo", "@ostiary"), timeout=WAIT_S
    )
    await lending_office.visitor.dm("enzo", BAND)
    await lending_office.visitor.wait_for(
        lambda: "78,000" in words(lending_office, "enzo", "@ostiary"), timeout=WAIT_S
    )


async def test_whoever_asks_for_what_does_not_exist_is_told_the_same_and_nobody_is_asked(
    lending_office: Office,
) -> None:
    denied = await refused(lending_office, "enzo", BAND)
    missing = await refused(lending_office, "gus", "Who owns the submarine?")
    assert denied.plain == missing.plain
    assert len(denied.blocks) == len(missing.blocks)
    await lending_office.visitor.click("gus", missing.ts, "@ostiary", ASK_OWNER)
    await lending_office.visitor.wait_for(
        lambda: FORWARDED in words(lending_office, "gus", "@ostiary"), timeout=WAIT_S
    )
    async with lending_office.database.writing_in(lending_office.workspace_id) as connection:
        assert (await connection.execute(text("SELECT count(*) FROM bot.loan_request"))).scalar_one() == 0


async def test_a_decline_tells_the_asker_nothing(lending_office: Office) -> None:
    await asked_owner(lending_office, "enzo", BAND)
    passed = await lending_office.visitor.wait_for(lambda: offer(lending_office), timeout=WAIT_S)
    assert passed is not None
    before = words(lending_office, "enzo", "@ostiary")
    await lending_office.visitor.click("pia", passed.ts, "@ostiary", DECLINE)
    await lending_office.visitor.wait_for(
        lambda: "Declined" in words(lending_office, "pia", "@ostiary"), timeout=WAIT_S
    )
    assert words(lending_office, "enzo", "@ostiary") == before


async def test_an_owner_who_is_one_no_longer_lends_nothing(lending_office: Office) -> None:
    await asked_owner(lending_office, "enzo", BAND)
    passed = await lending_office.visitor.wait_for(lambda: offer(lending_office), timeout=WAIT_S)
    assert passed is not None
    async with lending_office.database.writing_in(lending_office.workspace_id) as connection:
        pia = (await find_people(connection, ["U0PIA"]))["U0PIA"]
        await revoke(connection, pia, "people")
    await lending_office.visitor.click("pia", passed.ts, "@ostiary", LEND)
    await lending_office.visitor.wait_for(
        lambda: NO_LONGER in words(lending_office, "pia", "@ostiary"), timeout=WAIT_S
    )
    rights = await rights_of(lending_office.database, lending_office.workspace_id, "U0ENZO")
    assert rights is not None
    assert "payroll-reader" not in rights.roles
