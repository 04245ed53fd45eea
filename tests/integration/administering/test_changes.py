"""Changes by administrators: what they do is what was foretold, and what makes no sense is refused in a sentence."""

from datetime import UTC, datetime, timedelta

import pytest

from auth.directory import PersonFacts, upsert_people
from auth.errors import OstiaryError
from auth.granting import UnknownRole
from auth.labels import NOBODY, parse_policy
from auth.people import PersonKind
from auth.roles import ADMIN, RoleCycle
from auth.sources import SourceKind
from bot.administering.administration import Administration
from bot.administering.changes import (
    CannotChange,
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
from tests.integration.administering.conftest import Company, shifts

ODILE = "UODILE"


async def test_a_grant_opens_what_it_was_foretold_to_open(
    company: Company, administration: Administration
) -> None:
    change = GrantRole(company.people["ben"], "finance")
    foretold = await administration.preview(change, ODILE)
    assert shifts(foretold.gained) == {"ben": 1}
    assert "budget" not in await company.readable("ben")
    done = await administration.carry_out(change, ODILE)
    assert done.effect == foretold
    assert await company.readable("ben") == {"handbook", "budget"}


async def test_a_dry_run_leaves_nothing_behind(company: Company, administration: Administration) -> None:
    state, log = await company.state(), await company.log()
    for change in (
        GrantRole(company.people["ben"], "hr"),
        DefineRole("auditor", inherits=("finance", "hr")),
        RelabelDocuments(tuple(company.documents.values()), NOBODY),
        DefineCollection("all", parse_policy("everyone")),
        MapSource(SourceKind.FLAG, "admin", "admin", "hr"),
    ):
        await administration.preview(change, ODILE)
    assert (await company.state(), await company.log()) == (state, log)


async def test_a_change_that_changes_nothing_has_no_number(
    company: Company, administration: Administration
) -> None:
    log = await company.log()
    done = await administration.carry_out(
        RelabelDocuments((company.documents["budget"],), parse_policy("finance")), ODILE
    )
    assert done.change_id is None
    assert await company.log() == log


async def test_a_revoked_role_closes_what_it_opened(company: Company, administration: Administration) -> None:
    done = await administration.carry_out(RevokeRole(company.people["priya"], "finance"), ODILE)
    assert shifts(done.effect.lost) == {"priya": 1}
    assert await company.readable("priya") == {"handbook"}


async def test_revoking_says_through_what_a_role_is_held_still(
    company: Company, administration: Administration
) -> None:
    group = MapSource(
        SourceKind.USER_GROUP, "S1", "money", "finance", members=("UPRIYA",), read_at=datetime.now(UTC)
    )
    await administration.carry_out(group, ODILE)
    revoke = RevokeRole(company.people["priya"], "finance")
    done = await administration.carry_out(revoke, ODILE)
    assert done.effect.in_words() == (
        "Nobody gains or loses a document. @priya holds finance through the user group @money still."
    )
    with pytest.raises(
        CannotChange, match="through the user group @money: this cannot be taken away by hand"
    ):
        await administration.carry_out(revoke, ODILE)


async def test_a_mapped_group_gives_its_members_the_role(
    company: Company, administration: Administration
) -> None:
    members = ("UBEN", "UGUS", "UNOBODY")
    change = MapSource(
        SourceKind.USER_GROUP, "S1", "people", "hr", members=members, read_at=datetime.now(UTC)
    )
    assert shifts((await administration.preview(change, ODILE)).gained) == {"ben": 1}
    await administration.carry_out(change, ODILE)
    assert "salaries" in await company.readable("ben")
    assert "salaries" not in await company.readable("gus")
    await administration.carry_out(UnmapSource(SourceKind.USER_GROUP, "S1", "people", "hr"), ODILE)
    assert "salaries" not in await company.readable("ben")


async def test_a_mapped_flag_foretells_who_gains_once_it_is_read(
    company: Company, administration: Administration
) -> None:
    done = await administration.carry_out(MapSource(SourceKind.FLAG, "admin", "admin", "hr"), ODILE)
    assert shifts(done.effect.gained) == {"ben": 1}
    assert "as soon as the running bot has read" in done.effect.in_words()
    assert "salaries" not in await company.readable("ben")


async def test_a_role_that_brings_another_opens_for_all_who_hold_it(
    company: Company, administration: Administration
) -> None:
    done = await administration.carry_out(DefineRole("finance", inherits=("hr",)), ODILE)
    assert shifts(done.effect.gained) == {"priya": 1}
    assert await company.readable("priya") == {"handbook", "budget", "salaries"}


async def test_a_label_changed_in_one_place_moves_no_document(
    company: Company, administration: Administration
) -> None:
    label_id = next(e.id for e in await administration.labels() if str(e.policy) == "hr")
    rows = (await company.state())[7:]
    done = await administration.carry_out(ChangeLabel(label_id, parse_policy("hr,finance")), ODILE)
    assert shifts(done.effect.gained) == {"priya": 1}
    assert "salaries" in await company.readable("priya")
    assert (await company.state())[7:] == rows


async def test_documents_are_given_other_readers_in_every_row_that_carries_them(
    company: Company, administration: Administration
) -> None:
    everything = tuple(company.documents.values())
    await administration.carry_out(RelabelDocuments(everything, parse_policy("hr")), ODILE)
    label_id = next(e.id for e in await administration.labels() if str(e.policy) == "hr")
    *_, documents, versions, chunks, vectors, counts = await company.state()
    for rows in (documents, versions, chunks, vectors):
        assert {row[1] for row in rows} == {label_id}  # type: ignore[attr-defined]
    assert counts == [(label_id, 2 * len(everything))]
    assert await company.readable("odile") == set()


async def test_a_collection_and_its_documents_get_readers_together(
    company: Company, administration: Administration
) -> None:
    await administration.carry_out(DefineCollection("books", parse_policy("finance")), ODILE)
    (books,) = await administration.collections()
    ids = (company.documents["budget"], company.documents["plans"])
    filed = await administration.carry_out(FileDocuments(ids, books.id, "books"), ODILE)
    assert "1 of them keeps other readers" in filed.effect.in_words()
    assert await company.readable("priya") == {"handbook", "budget"}
    done = await administration.carry_out(RelabelCollection(books.id, parse_policy("hr")), ODILE)
    assert shifts(done.effect.lost) == {"priya": 1}
    assert await company.readable("priya") == {"handbook"}
    (books,) = await administration.collections()
    assert (str(books.policy), books.documents) == ("hr", 2)


async def test_a_collection_that_can_be_asked_for_lends_a_role_that_opens_it(
    company: Company, administration: Administration
) -> None:
    change = DefineCollection("books", parse_policy("finance"), "leadership", "finance", timedelta(hours=2))
    await administration.carry_out(change, ODILE)
    (books,) = await administration.collections()
    assert books.can_be_asked_for
    label_id = next(e.id for e in await administration.labels() if str(e.policy) == "finance")
    done = await administration.carry_out(
        ChangeLabel(label_id, parse_policy("finance+!leadership,hr")), ODILE
    )
    assert done.effect.notes == ()
    done = await administration.carry_out(ChangeLabel(label_id, parse_policy("hr+leadership")), ODILE)
    assert done.effect.notes == (
        "The collection books lends the role finance, which does not open it any more.",
    )


def changes_refused(company: Company) -> list[tuple[Change, type[OstiaryError], str]]:
    ben, budget = company.people["ben"], (company.documents["budget"],)
    finance = parse_policy("finance")
    return [
        (GrantRole(ben, "finanse"), UnknownRole, "no role called finanse"),
        (GrantRole(ben, "everyone"), CannotChange, "Slack's own membership decides"),
        (
            GrantRole(ben, "hr", expires_at=datetime(2020, 1, 2, tzinfo=UTC)),
            CannotChange,
            "the end of 1 January 2020",
        ),
        (RevokeRole(ben, "finance"), CannotChange, "@ben does not hold finance"),
        (
            DefineRole("finance", inherits=("leadership",)),
            RoleCycle,
            "finance -> leadership -> finance|leadership -> finance -> leadership",
        ),
        (DefineRole("Not a name"), OstiaryError, "cannot be called"),
        (DeleteRole("finance"), OstiaryError, "is granted to somebody"),
        (DeleteRole("everyone"), OstiaryError, "is built in"),
        (MapSource(SourceKind.FLAG, "boss", "boss", "hr"), OstiaryError, "no flag 'boss'"),
        (
            MapSource(SourceKind.CHANNEL, "C1", "lobby", ADMIN, anybody_may_join=True),
            CannotChange,
            "Whoever likes can join the channel #lobby",
        ),
        (
            UnmapSource(SourceKind.CHANNEL, "C1", "money", "hr"),
            CannotChange,
            "The channel #money is not mapped",
        ),
        (RelabelDocuments((999,), finance), OstiaryError, "no document 999"),
        (RelabelDocuments(budget, parse_policy("finanse")), UnknownRole, "no role called finanse"),
        (RelabelCollection(9, finance), OstiaryError, "no collection 9. Collections here: none yet"),
        (FileDocuments(budget, 9), OstiaryError, "no collection 9"),
        (ChangeLabel(999, parse_policy("hr+finance")), OstiaryError, "no label with the id 999"),
        (ChangeLabel(1, finance), OstiaryError, "a label for finance already"),
        (DefineCollection("x", finance, "hr", None), CannotChange, "name both"),
        (
            DefineCollection("x", finance, "hr", "hr"),
            CannotChange,
            "still could not read what is for finance",
        ),
        (DefineCollection("x", parse_policy(ADMIN), "hr", ADMIN), CannotChange, "cannot be lent"),
        (DefineCollection("x", finance, "hr", "finance", timedelta(0)), CannotChange, "a minute at least"),
        (DefineCollection(" ", finance), CannotChange, "needs a name"),
    ]


async def test_what_makes_no_sense_is_refused_in_a_sentence_and_changes_nothing(
    company: Company, administration: Administration
) -> None:
    state, log = await company.state(), await company.log()
    for change, kind, words in changes_refused(company):
        with pytest.raises(kind, match=words) as refused:
            await administration.carry_out(change, ODILE)
        assert str(refused.value).endswith("."), change
    assert (await company.state(), await company.log()) == (state, log)


async def test_a_role_that_only_unused_readers_name_can_be_deleted(
    company: Company, administration: Administration
) -> None:
    await administration.carry_out(DefineRole("audit"), ODILE)
    budget = (company.documents["budget"],)
    await administration.carry_out(RelabelDocuments(budget, parse_policy("audit")), ODILE)
    with pytest.raises(OstiaryError, match="is named by the readers audit"):
        await administration.carry_out(DeleteRole("audit"), ODILE)
    await administration.carry_out(RelabelDocuments(budget, parse_policy("finance")), ODILE)
    await administration.carry_out(DeleteRole("audit"), ODILE)
    assert "audit" not in [role.name for role in await administration.roles()]


async def test_it_is_said_that_some_hold_nothing_whatever_is_granted(
    company: Company, administration: Administration
) -> None:
    async with company.database.writing_in(company.workspace_id) as connection:
        await upsert_people(connection, [PersonFacts("UBEN", "ben", "Ben", PersonKind.MEMBER, active=False)])
    async with company.database.writing_in(company.workspace_id) as connection:
        from auth.directory import person_called

        ben = await person_called(connection, "ben")
    effect = await administration.preview(GrantRole(ben, "finance"), ODILE)
    assert effect.gained == ()
    assert effect.notes == ("@ben is deactivated in Slack, and holds nothing until that ends.",)
