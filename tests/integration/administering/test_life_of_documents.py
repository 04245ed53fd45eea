"""Documents expire, come back, belong to somebody, and are found to be alike by those alone who may read both."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import text

from auth.clearance import Clearance
from auth.database import WORKSPACE
from auth.granting import RoleInUse, grant
from auth.history import who_could_see
from auth.labelling import intern_label
from auth.labels import parse_policy
from auth.rights import rights_of
from bot.administering.administration import COMMAND_LINE, Administration, NotAllowed
from bot.administering.changes import (
    DeleteRole,
    ExpireDocuments,
    OwnDocuments,
    RelabelDocuments,
    RemoveDocuments,
    UndoChange,
)
from bot.expiring import sweep
from retrieval.cataloguing import Filter, State
from retrieval.deriving import marked, record_derivation
from retrieval.failing import forget_failure, record_failure
from retrieval.likeness import fingerprint, remember_likeness
from retrieval.search import SearchSettings, readable, search
from retrieval.withdrawing import return_documents, withdraw_documents
from tests.integration.administering.conftest import Company, shifts

QUESTION = "What does the budget say?"
AT_ONCE = SearchSettings()
_ASIDE = text(
    "SELECT count(*) FILTER (WHERE c.label_id IS NULL) AS chunks, count(*) FILTER (WHERE v.label_id IS NULL) AS"
    " vectors FROM retrieval.chunk c JOIN retrieval.chunk_vec v ON v.workspace_id = c.workspace_id"
    f" AND v.chunk_id = c.id WHERE c.workspace_id = {WORKSPACE} AND c.document_id = :id"
)
_COUNTED = text(
    "SELECT coalesce(sum(c.chunks), 0) FROM retrieval.label_count c JOIN auth.access_label l"
    f" ON l.workspace_id = c.workspace_id AND l.id = c.label_id WHERE c.workspace_id = {WORKSPACE} AND policy = :policy"
)
_EXPIRE_QUIETLY = text(
    "UPDATE retrieval.document SET expires_at = now() - interval '1 second'"
    f" WHERE workspace_id = {WORKSPACE} AND id = :id"
)
_CHUNKS = text(f"SELECT id FROM retrieval.chunk WHERE workspace_id = {WORKSPACE} AND document_id = :id")
_VERSION = text(
    f"SELECT id, label_id FROM retrieval.version WHERE workspace_id = {WORKSPACE} AND document_id = :id"
)


def in_days(days: float) -> datetime:
    return datetime.now(UTC) + timedelta(days=days)


async def found(company: Company, handle: str) -> set[str]:
    """The documents of which the search gives this person passages."""
    rights = await rights_of(company.database, company.workspace_id, company.people[handle].slack_user_id)
    assert rights is not None
    vector = np.zeros(384, dtype=np.float32)
    vector[0] = 1
    candidates = await search(company.database, rights.clearance, QUESTION, vector, AT_ONCE)
    return {candidate.passage.title for candidate in candidates}


async def expire_quietly(company: Company, name: str) -> None:
    """Its time runs out, and nobody has swept yet."""
    async with company.database.writing_in(company.workspace_id) as connection:
        await connection.execute(_EXPIRE_QUIETLY, {"id": company.documents[name]})


async def state_of(administration: Administration, name: str) -> State:
    (entry,) = [e for e in await administration.documents(None) if e.uri == name]
    return entry.state


async def test_an_expired_document_does_not_answer_even_before_it_is_swept(company: Company) -> None:
    assert await found(company, "priya") == {"handbook", "budget"}
    await expire_quietly(company, "budget")
    assert await found(company, "priya") == {"handbook"}
    rights = await rights_of(company.database, company.workspace_id, "UPRIYA")
    assert rights is not None
    async with company.database.writing_in(company.workspace_id) as connection:
        chunks = [row.id for row in await connection.execute(_CHUNKS, {"id": company.documents["budget"]})]
    assert await readable(company.database, rights.clearance, chunks) == frozenset()


async def test_the_sweep_withdraws_what_expired_and_nothing_else(company: Company) -> None:
    await expire_quietly(company, "budget")
    assert await sweep(company.database, company.workspace_id) is None
    async with company.database.writing_in(company.workspace_id) as connection:
        budget = (await connection.execute(_ASIDE, {"id": company.documents["budget"]})).one()
        plans = (await connection.execute(_ASIDE, {"id": company.documents["plans"]})).one()
        assert (budget.chunks, budget.vectors, plans.chunks, plans.vectors) == (2, 2, 0, 0)
        assert (await connection.execute(_COUNTED, {"policy": "finance"})).scalar() == 0
    assert await found(company, "priya") == {"handbook"}


async def test_the_sweep_says_when_the_next_document_expires(
    company: Company, administration: Administration
) -> None:
    soon, later = in_days(1), in_days(2)
    await administration.carry_out(ExpireDocuments((company.documents["plans"],), later), "UODILE")
    await administration.carry_out(ExpireDocuments((company.documents["budget"],), soon), "UODILE")
    assert await sweep(company.database, company.workspace_id) == soon


async def test_one_that_expires_now_is_lost_to_its_readers_and_comes_back_when_its_end_is_taken_away(
    company: Company, administration: Administration
) -> None:
    budget = (company.documents["budget"],)
    done = await administration.carry_out(ExpireDocuments(budget, datetime.now(UTC)), "UODILE")
    assert shifts(done.effect.lost) == {"priya": 1}
    assert await state_of(administration, "budget") is State.EXPIRED
    back = await administration.carry_out(ExpireDocuments(budget, None), "UODILE")
    assert shifts(back.effect.gained) == {"priya": 1}
    assert await found(company, "priya") == {"handbook", "budget"}
    assert await state_of(administration, "budget") is State.ANSWERING


async def test_an_end_to_come_changes_nothing_yet_and_is_undone_by_its_number(
    company: Company, administration: Administration
) -> None:
    done = await administration.carry_out(
        ExpireDocuments((company.documents["budget"],), in_days(3)), "UODILE"
    )
    assert done.effect.in_words() == "Nobody gains or loses a document."
    assert done.undoable_id is not None
    await administration.undo(done.undoable_id, "UODILE")
    (entry,) = [e for e in await administration.documents(None) if e.uri == "budget"]
    assert entry.expires_at is None


async def test_undoing_an_expiry_lets_the_document_answer_again(
    company: Company, administration: Administration
) -> None:
    done = await administration.carry_out(
        ExpireDocuments((company.documents["budget"],), datetime.now(UTC)), COMMAND_LINE
    )
    assert done.change_id
    await administration.carry_out(UndoChange(done.change_id), COMMAND_LINE)
    assert await found(company, "priya") == {"handbook", "budget"}


async def test_other_readers_do_not_open_what_is_withdrawn_and_hold_when_it_returns(
    company: Company, administration: Administration
) -> None:
    budget = (company.documents["budget"],)
    await administration.carry_out(ExpireDocuments(budget, datetime.now(UTC)), "UODILE")
    done = await administration.carry_out(RelabelDocuments(budget, parse_policy("everyone")), "UODILE")
    assert done.effect.in_words() == "Nobody gains or loses a document."
    assert await found(company, "ben") == {"handbook"}
    await administration.carry_out(ExpireDocuments(budget, None), "UODILE")
    assert await found(company, "ben") == {"handbook", "budget"}


async def test_what_its_source_lost_comes_back_with_it_but_not_past_its_end(company: Company) -> None:
    budget = company.documents["budget"]
    async with company.database.writing_in(company.workspace_id) as connection:
        await withdraw_documents(connection, [budget], "vanished")
    assert await found(company, "priya") == {"handbook"}
    async with company.database.writing_in(company.workspace_id) as connection:
        assert set(await return_documents(connection, [budget])) == {budget}
        await withdraw_documents(connection, [budget], "vanished")
        await connection.execute(_EXPIRE_QUIETLY, {"id": budget})
        assert not await return_documents(connection, [budget])
    assert await found(company, "priya") == {"handbook"}


async def test_the_history_knows_that_an_expired_document_could_not_be_read(
    company: Company, administration: Administration
) -> None:
    await administration.carry_out(
        ExpireDocuments((company.documents["salaries"],), datetime.now(UTC)), "UODILE"
    )
    async with company.database.writing_in(company.workspace_id, "test") as connection:
        await grant(connection, company.people["ben"], "hr", granted_by="test")
    async with company.database.writing_in(company.workspace_id) as connection:
        today = datetime.now(UTC).date()
        assert await who_could_see(connection, company.documents["salaries"], today) == []
        assert await who_could_see(connection, company.documents["budget"], today)


async def test_only_administrators_expire_and_own(company: Company, administration: Administration) -> None:
    budget = (company.documents["budget"],)
    for change in (ExpireDocuments(budget, None), OwnDocuments(budget, "hr")):
        with pytest.raises(NotAllowed):
            await administration.carry_out(change, "UBEN")


async def test_an_owner_is_shown_and_opens_nothing_to_them(
    company: Company, administration: Administration
) -> None:
    budget = (company.documents["budget"],)
    done = await administration.carry_out(
        OwnDocuments(budget, person_id=company.people["ben"].id, handle="ben"), "UODILE"
    )
    assert done.effect.in_words() == "Nobody gains or loses a document."
    (entry,) = [e for e in await administration.documents(None) if e.uri == "budget"]
    assert entry.owner == "@ben"
    assert await company.readable("ben") == {"handbook"}
    assert done.undoable_id
    await administration.undo(done.undoable_id, "UODILE")
    (entry,) = [e for e in await administration.documents(None) if e.uri == "budget"]
    assert entry.owner == ""


async def test_a_role_that_owns_a_document_is_not_deleted(
    company: Company, administration: Administration
) -> None:
    await administration.carry_out(
        RelabelDocuments((company.documents["salaries"],), parse_policy("everyone")), "UODILE"
    )
    await administration.carry_out(OwnDocuments((company.documents["budget"],), "hr"), "UODILE")
    with pytest.raises(RoleInUse, match="owns a document"):
        await administration.carry_out(DeleteRole("hr"), "UODILE")


async def test_documents_are_listed_by_collection_readers_state_and_source(
    company: Company, administration: Administration
) -> None:
    async def uris(which: Filter | None = None, source: str = "", handle: str = "") -> list[str | None]:
        viewer = None
        if handle:
            rights = await rights_of(
                company.database, company.workspace_id, company.people[handle].slack_user_id
            )
            assert rights is not None
            viewer = rights.clearance
        return [e.uri for e in await administration.documents(viewer, which=which, source=source)]

    await expire_quietly(company, "plans")
    assert await uris(Filter(state=State.EXPIRED)) == ["plans"]
    assert await uris(Filter(state=State.ANSWERING)) == ["handbook", "budget", "salaries"]
    async with company.database.writing_in(company.workspace_id) as connection:
        label_id = (await connection.execute(_VERSION, {"id": company.documents["budget"]})).one().label_id
    assert await uris(Filter(label_id=label_id)) == ["budget"]
    assert await uris(source="BUD") == ["budget"]
    assert await uris(source="sal", handle="priya") == []  # she may not read what stands there


async def alike(company: Company, **said: str) -> None:
    """Let documents say this, as far as likeness goes."""
    async with company.database.writing_in(company.workspace_id) as connection:
        for name, words in said.items():
            document_id = company.documents[name]
            version = (await connection.execute(_VERSION, {"id": document_id})).one()
            marks = fingerprint(words.encode(), words)
            await remember_likeness(connection, document_id, version.id, version.label_id, marks)


async def clearance_of(company: Company, handle: str) -> Clearance:
    rights = await rights_of(company.database, company.workspace_id, company.people[handle].slack_user_id)
    assert rights is not None
    return rights.clearance


LONG = " ".join(f"Line {n} says {n * 7} of the yearly budget." for n in range(60))


async def test_what_is_alike_is_named_to_whoever_may_read_both(
    company: Company, administration: Administration
) -> None:
    await alike(
        company, handbook=LONG, budget=LONG + " And one more thing.", salaries=LONG, plans="Other words."
    )
    at_the_machine = await administration.describe(None, company.documents["handbook"])
    assert [twin.in_words() for twin in at_the_machine.twins] == [
        f"the same file as document {company.documents['salaries']}",
        f"{round(at_the_machine.twins[1].share * 100)} % like document {company.documents['budget']}",
    ]
    priya = await administration.describe(await clearance_of(company, "priya"), company.documents["handbook"])
    assert [(twin.title, twin.same_bytes) for twin in priya.twins] == [("budget", False)]
    ben = await administration.describe(await clearance_of(company, "ben"), company.documents["handbook"])
    assert list(ben.twins) == []


async def test_likeness_of_a_document_goes_by_its_readers_when_they_change(
    company: Company, administration: Administration
) -> None:
    await alike(company, handbook=LONG, salaries=LONG)
    change = RelabelDocuments((company.documents["salaries"],), parse_policy("everyone"))
    await administration.carry_out(change, "UODILE")
    ben = await administration.describe(await clearance_of(company, "ben"), company.documents["handbook"])
    assert [twin.title for twin in ben.twins] == ["salaries"]


async def test_failures_are_told_to_would_be_readers_and_to_whoever_handed_it_in(
    company: Company, administration: Administration
) -> None:
    async with company.database.writing_in(company.workspace_id) as connection:
        label_id = (await connection.execute(_VERSION, {"id": company.documents["budget"]})).one().label_id
        await record_failure(connection, "file:///x.pdf", label_id, "x.pdf is empty.", "UODILE")
        await record_failure(connection, "file:///x.pdf", label_id, "x.pdf is still empty.", "UODILE")
    for handle, reason in (
        ("odile", "x.pdf is still empty."),
        ("priya", "x.pdf is still empty."),
        ("ben", None),
    ):
        viewer = await clearance_of(company, handle)
        (failure,) = await administration.failures(viewer, company.people[handle].slack_user_id, 10)
        assert (failure.reason, failure.tries, str(failure.policy)) == (reason, 2, "finance")
        assert (failure.uri is None) == (reason is None)
    async with company.database.writing_in(company.workspace_id) as connection:
        await forget_failure(connection, "file:///x.pdf")
    assert await administration.failures(None, COMMAND_LINE, 10) == []


async def test_what_was_made_from_a_removed_document_is_marked_and_named_in_the_receipt(
    company: Company, administration: Administration
) -> None:
    budget, plans = company.documents["budget"], company.documents["plans"]
    async with company.database.writing_in(company.workspace_id) as connection:
        await record_derivation(connection, "adapter", "books-v2", [budget, plans])
        await record_derivation(connection, "evaluation set", "books", [plans])
    done = await administration.carry_out(RemoveDocuments((budget,)), "UODILE")
    assert done.effect.notes[-1] == (
        "The adapter books-v2 was made from it and is marked: make it anew without what was removed."
    )
    async with company.database.writing_in(company.workspace_id) as connection:
        assert await marked(connection) == [("adapter", "books-v2")]


async def test_why_a_new_version_failed_follows_the_readers_of_its_document_and_goes_with_it(
    company: Company, administration: Administration
) -> None:
    budget = (company.documents["budget"],)
    rights = await rights_of(company.database, company.workspace_id, "UPRIYA")
    assert rights is not None
    async with company.database.writing_in(company.workspace_id) as connection:
        finance = await intern_label(connection, parse_policy("finance"))
        await record_failure(connection, "budget", finance, "The budget of Q3 is encrypted.", COMMAND_LINE)
    await administration.carry_out(RelabelDocuments(budget, parse_policy("hr")), "UODILE")
    (failure,) = await administration.failures(rights.clearance, "UPRIYA", 10)
    assert (str(failure.policy), failure.reason, failure.uri) == ("hr", None, None)
    await administration.carry_out(RemoveDocuments(budget), "UODILE")
    assert await administration.failures(None, COMMAND_LINE, 10) == []
