"""A document that is removed leaves nothing behind but the record of it."""

import pytest
from sqlalchemy import text

from auth.audit import Sought, search, verify
from auth.clearance import Clearance
from auth.undo import CannotUndo
from bot.administering.administration import COMMAND_LINE, Administration
from bot.administering.changes import RemoveDocuments
from retrieval.cataloguing import UnknownDocument
from tests.integration.administering.conftest import Company, shifts

TABLES = ("document", "version", "chunk", "chunk_vec")
_QUESTION = text(
    "INSERT INTO bot.question (workspace_id, event_id, channel_id, channel_type, message_ts, asker_slack_id, text,"
    "  state) VALUES (:w, :e, 'D1', 'im', :e, 'UPRIYA', 'How much?', 'answered') RETURNING id"
)
_ANSWER = text(
    "INSERT INTO bot.answer (workspace_id, question_id, part, text, label_ids, chunk_ids, policy_version, clearance,"
    "  model, message_ts, document_ids) VALUES (:w, :q, 'channel', :t, :l, '{}', 1, 'x', 'm', :ts, :d)"
)


async def count(company: Company, table: str, document_id: int) -> int:
    key = "id" if table == "document" else "document_id"
    async with company.database.writing_in(company.workspace_id) as connection:
        found = await connection.execute(
            text(f"SELECT count(*) FROM retrieval.{table} WHERE {key} = :id"), {"id": document_id}
        )
        return int(found.scalar_one())


async def counted(company: Company) -> dict[str, int]:
    """How many passages the database counts under each of the labels there are."""
    async with company.database.writing_in(company.workspace_id) as connection:
        rows = await connection.execute(
            text(
                "SELECT l.policy, c.chunks FROM auth.access_label l"
                " JOIN retrieval.label_count c ON c.label_id = l.id"
            )
        )
        return {row.policy: row.chunks for row in rows}


async def answered(company: Company, made_from: list[str], said: str) -> None:
    documents = [company.documents[name] for name in made_from]
    async with company.database.writing_in(company.workspace_id) as connection:
        everyone = text("SELECT array_agg(id) FROM auth.access_label WHERE policy = 'everyone'")
        labels = (await connection.execute(everyone)).scalar()
        values = {"w": company.workspace_id, "e": said}
        question_id = (await connection.execute(_QUESTION, values)).scalar_one()
        answer = {"w": company.workspace_id, "q": question_id, "t": said, "l": labels, "ts": "1.0"}
        await connection.execute(_ANSWER, {**answer, "d": documents})


async def said(company: Company) -> set[str]:
    """The texts of the answers that are kept, as somebody who may read everything."""
    async with company.database.writing_in(company.workspace_id) as connection:
        labels = (await connection.execute(text("SELECT id FROM auth.access_label"))).scalars().all()
    async with company.database.reading_as(Clearance(company.workspace_id, frozenset(labels), 1)) as reader:
        return set((await reader.execute(text("SELECT text FROM bot.answer"))).scalars())


async def test_all_of_it_goes_and_all_else_stays(company: Company, administration: Administration) -> None:
    budget, plans = company.documents["budget"], company.documents["plans"]
    await answered(company, ["budget", "handbook"], "Ten, by the budget.")
    await answered(company, ["handbook"], "Thirty days.")
    done = await administration.carry_out(RemoveDocuments((budget,)), "UODILE")
    assert shifts(done.effect.lost) == {"priya": 1}
    assert done.effect.notes == (
        "That is 1 version, 2 passages and 2 vectors, and the text of 1 answer made from them.",
        "1 message in Slack may still quote them: delete those there.",
        "No adapter or evaluation set is on record as made from it.",
    )
    assert done.effect.in_words().endswith("This cannot be undone.")
    assert [await count(company, table, budget) for table in TABLES] == [0, 0, 0, 0]
    assert [await count(company, table, plans) for table in TABLES] == [1, 1, 2, 2]
    assert await company.readable("priya") == {"handbook"}
    assert await counted(company) == {"everyone": 2, "hr": 2, "finance+leadership": 2}
    assert await said(company) == {"", "Thirty days."}
    async with company.database.writing_in(company.workspace_id) as connection:
        (event,) = await search(connection, Sought(kind="document.removed"))
        assert (event.actor, event.document_id) == ("UODILE", budget)
        assert not (await verify(connection)).faults


async def test_a_dry_run_removes_nothing(company: Company, administration: Administration) -> None:
    await answered(company, ["budget"], "Ten.")
    before = await company.state()
    effect = await administration.preview(RemoveDocuments((company.documents["budget"],)), "UODILE")
    assert shifts(effect.lost) == {"priya": 1}
    assert await company.state() == before
    assert await said(company) == {"Ten."}


async def test_it_is_not_undone_and_not_done_twice(company: Company, administration: Administration) -> None:
    removing = RemoveDocuments((company.documents["budget"],))
    done = await administration.carry_out(removing, COMMAND_LINE)
    assert done.change_id
    assert done.undoable_id is None
    with pytest.raises(CannotUndo):
        await administration.undo(done.change_id, COMMAND_LINE)
    with pytest.raises(UnknownDocument, match="There is no document"):
        await administration.carry_out(removing, COMMAND_LINE)


async def test_of_several_of_which_one_is_not_there_none_is_removed(
    company: Company, administration: Administration
) -> None:
    before = await company.state()
    with pytest.raises(UnknownDocument):
        await administration.carry_out(RemoveDocuments((company.documents["budget"], 999)), COMMAND_LINE)
    assert await company.state() == before
