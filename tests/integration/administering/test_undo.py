"""Undoing puts back exactly what was, and only where nothing of it was changed since."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from auth.audit import Sought, search, verify
from auth.directory import PersonFacts, upsert_people
from auth.errors import OstiaryError
from auth.granting import UnknownRole
from auth.labels import parse_policy
from auth.people import PersonKind
from auth.roles import RoleCycle
from auth.sources import SourceKind
from auth.undo import CannotUndo
from bot.administering.administration import Administration
from bot.administering.changes import (
    Change,
    ChangeLabel,
    DefineCollection,
    DefineRole,
    DeleteRole,
    FileDocuments,
    GrantRole,
    MapSource,
    RelabelCollection,
    RelabelDocuments,
    RevokeRole,
    UnmapSource,
)
from tests.integration.administering.conftest import Company

ODILE = "UODILE"
HOUR = timedelta(hours=1)


async def do(administration: Administration, change: Change) -> int:
    change_id = (await administration.carry_out(change, ODILE)).change_id
    assert change_id is not None
    return change_id


@pytest.fixture
async def books(company: Company, administration: Administration) -> int:
    """A collection with two documents, a mapped channel, and a role that nobody holds."""
    await do(administration, DefineCollection("books", parse_policy("finance"), "hr", "finance", HOUR))
    (found,) = await administration.collections()
    await do(
        administration, FileDocuments((company.documents["budget"], company.documents["plans"]), found.id)
    )
    read_at = datetime.now(UTC)
    await do(
        administration, MapSource(SourceKind.CHANNEL, "C1", "hall", "hr", members=("UBEN",), read_at=read_at)
    )
    await do(administration, DefineRole("spare", "nobody's", inherits=("hr",)))
    await do(administration, GrantRole(company.people["gus"], "hr", "a while", datetime.now(UTC) + HOUR))
    return found.id


def changes_to_undo(company: Company, books: int) -> list[Change]:
    some = tuple(company.documents[name] for name in ("handbook", "budget"))
    people = company.people
    return [
        GrantRole(people["ben"], "finance", "why not", datetime.now(UTC) + HOUR),
        GrantRole(people["priya"], "finance", "another reason"),
        RevokeRole(people["priya"], "finance"),
        RevokeRole(people["gus"], "hr"),
        DefineRole("new", "quite new", inherits=("finance", "hr")),
        DefineRole("leadership", "less", inherits=("hr",)),
        MapSource(
            SourceKind.USER_GROUP, "S1", "money", "finance", members=("UBEN",), read_at=datetime.now(UTC)
        ),
        MapSource(SourceKind.CHANNEL, "C1", "hall", "finance", guests_too=True),
        MapSource(SourceKind.FLAG, "guest", "guest", "finance"),
        RelabelDocuments(some, parse_policy("hr")),
        RelabelDocuments(some, parse_policy("hr+finance+!leadership")),
        RelabelCollection(books, parse_policy("finance,hr")),
        ChangeLabel(1, parse_policy("everyone,guest")),
        DefineCollection("papers", parse_policy("leadership,guest")),
        DefineCollection("books", parse_policy("hr,finance"), None, None),
        FileDocuments(some, books),
        FileDocuments((company.documents["plans"],), None),
    ]


async def test_whatever_is_undone_is_exactly_as_it_was(
    company: Company, administration: Administration, books: int
) -> None:
    before = await company.state()
    readable = {handle: await company.readable(handle) for handle in company.people}
    for change in changes_to_undo(company, books):
        done = await administration.carry_out(change, ODILE)
        assert done.change_id, change
        changed = await company.state()
        assert changed != before, change
        undone = await administration.undo(done.change_id, ODILE)
        assert await company.state() == before, change
        assert (undone.effect.gained, undone.effect.lost) == (
            done.effect.lost,
            done.effect.gained,
        ) or isinstance(change, MapSource), change
        assert undone.change_id
        redone = await administration.undo(undone.change_id, ODILE)
        assert await company.state() == changed, change
        assert redone.change_id
        await administration.undo(redone.change_id, ODILE)
        assert await company.state() == before, change
    assert {handle: await company.readable(handle) for handle in company.people} == readable
    async with company.database.writing_in(company.workspace_id) as connection:
        assert (await verify(connection)).faults == ()


async def test_a_deleted_role_comes_back(company: Company, administration: Administration) -> None:
    await do(administration, DefineRole("spare", "nobody's"))
    before = await company.state()
    deleted = await do(administration, DeleteRole("spare"))
    await administration.undo(deleted, ODILE)
    assert await company.state() == before


async def test_an_unmapped_source_comes_back_and_grants_nothing_until_it_is_read(
    company: Company, administration: Administration, books: int
) -> None:
    before = await company.state()
    assert "salaries" in await company.readable("ben")
    unmapped = await do(administration, UnmapSource(SourceKind.CHANNEL, "C1", "hall", "hr"))
    done = await administration.undo(unmapped, ODILE)
    assert await company.state() == before
    assert "until then it grants nothing" in done.effect.in_words()
    assert "salaries" not in await company.readable("ben")


async def test_what_was_changed_since_is_not_put_back(
    company: Company, administration: Administration
) -> None:
    ben, budget = company.people["ben"], (company.documents["budget"],)
    for first, second, what in (
        (GrantRole(ben, "hr"), GrantRole(ben, "hr", "another reason"), "a grant"),
        (
            RevokeRole(company.people["priya"], "finance"),
            GrantRole(company.people["priya"], "finance"),
            "a grant",
        ),
        (
            RelabelDocuments(budget, parse_policy("hr")),
            RelabelDocuments(budget, parse_policy("everyone")),
            "a document",
        ),
        (
            ChangeLabel(3, parse_policy("hr,finance")),
            ChangeLabel(3, parse_policy("hr,leadership")),
            "a label",
        ),
        (DefineRole("finance", "money"), DefineRole("finance", "books"), "a role"),
        (
            MapSource(SourceKind.FLAG, "admin", "admin", "hr"),
            MapSource(SourceKind.FLAG, "admin", "admin", "hr", guests_too=True),
            "is mapped to",
        ),
    ):
        change_id = await do(administration, first)
        later = await do(administration, second)
        state, log = await company.state(), await company.log()
        with pytest.raises(CannotUndo, match=f"(?s){what}.* was changed since|{what} was changed since"):
            await administration.undo(change_id, ODILE)
        assert (await company.state(), await company.log()) == (state, log), first
        await administration.undo(later, ODILE)
        await administration.undo(change_id, ODILE)


async def test_a_role_that_is_in_use_by_now_is_not_undone(
    company: Company, administration: Administration
) -> None:
    made = await do(administration, DefineRole("audit"))
    await do(administration, RelabelDocuments((company.documents["budget"],), parse_policy("audit")))
    with pytest.raises(OstiaryError, match="named by the readers audit"):
        await administration.undo(made, ODILE)


async def test_a_collection_with_documents_by_now_is_not_undone(
    company: Company, administration: Administration
) -> None:
    made = await do(administration, DefineCollection("books", parse_policy("finance")))
    (books,) = await administration.collections()
    await do(administration, FileDocuments((company.documents["budget"],), books.id))
    state = await company.state()
    with pytest.raises(CannotUndo, match="a collection was changed since"):
        await administration.undo(made, ODILE)
    assert await company.state() == state


async def test_readers_that_others_use_by_now_stay_when_their_first_use_is_undone(
    company: Company, administration: Administration
) -> None:
    budget, plans = company.documents["budget"], company.documents["plans"]
    first = await do(administration, RelabelDocuments((budget,), parse_policy("hr+finance")))
    await do(administration, RelabelDocuments((plans,), parse_policy("hr+finance")))
    await administration.undo(first, ODILE)
    assert {str(e.policy): e.documents for e in await administration.labels()}["finance+hr"] == 1


async def test_undoing_never_closes_a_circle_of_roles(
    company: Company, administration: Administration
) -> None:
    opened = await do(administration, DefineRole("leadership", inherits=()))
    await do(administration, DefineRole("finance", inherits=("leadership",)))
    state = await company.state()
    with pytest.raises(RoleCycle, match="finance -> leadership -> finance"):
        await administration.undo(opened, ODILE)
    assert await company.state() == state


async def test_undoing_never_gives_a_label_readers_that_are_no_role_any_more(
    company: Company, administration: Administration
) -> None:
    await do(administration, DefineRole("audit"))
    await do(administration, RelabelDocuments((company.documents["budget"],), parse_policy("audit")))
    label_id = next(e.id for e in await administration.labels() if str(e.policy) == "audit")
    changed = await do(administration, ChangeLabel(label_id, parse_policy("hr+finance")))
    await do(administration, DeleteRole("audit"))
    with pytest.raises(UnknownRole, match="no role called audit"):
        await administration.undo(changed, ODILE)


async def test_a_change_is_undone_once(company: Company, administration: Administration) -> None:
    change_id = await do(administration, GrantRole(company.people["ben"], "hr"))
    undone = await administration.undo(change_id, ODILE)
    with pytest.raises(CannotUndo, match=f"was undone already, by change {undone.change_id}"):
        await administration.undo(change_id, ODILE)
    async with company.database.writing_in(company.workspace_id) as connection:
        (event,) = await search(connection, Sought(kind="change.undone"))
    assert event.details == {"change": change_id}
    assert (event.actor, event.change_id) == (ODILE, undone.change_id)


@dataclass(frozen=True)
class Stranger:
    """Something in the log that is no change of administration, and why it is not undone."""

    kind: str
    why: str


@pytest.mark.parametrize(
    "stranger",
    [
        Stranger("person.changed", "it is no change of roles or readers"),
        Stranger("document.added", "Documents were added or deleted"),
    ],
    ids=lambda stranger: stranger.kind,
)
async def test_what_slack_said_and_what_was_ingested_are_not_undone(
    company: Company, administration: Administration, stranger: Stranger
) -> None:
    async with company.database.writing_in(company.workspace_id) as connection:
        await upsert_people(connection, [PersonFacts("UBEN", "benjamin", "Ben", PersonKind.MEMBER)])
    async with company.database.writing_in(company.workspace_id) as connection:
        event = (await search(connection, Sought(kind=stranger.kind)))[0]
    with pytest.raises(CannotUndo, match=stranger.why):
        await administration.undo(event.change_id, ODILE)
    with pytest.raises(CannotUndo, match="There is no change 99999"):
        await administration.undo(99_999, ODILE)


async def test_an_undoing_can_be_looked_at_first(company: Company, administration: Administration) -> None:
    from bot.administering.changes import UndoChange

    change_id = await do(administration, RelabelDocuments((company.documents["budget"],), parse_policy("hr")))
    state, log = await company.state(), await company.log()
    effect = await administration.preview(UndoChange(change_id), ODILE)
    assert effect.in_words() == "@priya gains 1 document."
    assert (await company.state(), await company.log()) == (state, log)
