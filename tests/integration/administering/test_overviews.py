"""What administrators are shown: who holds what and why, who may read what, and never what a document says."""

from datetime import UTC, datetime

import pytest

from auth.clearance import Clearance
from auth.errors import OstiaryError
from auth.granting import UnknownRole
from auth.labels import parse_policy
from auth.rights import rights_of
from auth.roles import ADMIN
from auth.sources import SourceKind
from bot.administering.administration import COMMAND_LINE, Administration
from bot.administering.changes import DefineCollection, DefineRole, FileDocuments, GrantRole, MapSource
from retrieval.cataloguing import document_called
from tests.integration.administering.conftest import Company, add_documents, ids_of

END = datetime(2100, 3, 4, tzinfo=UTC)


async def seen_by(company: Company, handle: str) -> Clearance:
    rights = await rights_of(company.database, company.workspace_id, company.people[handle].slack_user_id)
    assert rights is not None
    return rights.clearance


async def test_an_administrator_sees_that_a_document_is_there_and_not_what_it_is_called(
    company: Company, administration: Administration
) -> None:
    entries = await administration.documents(await seen_by(company, "odile"))
    assert [(e.title, e.uri, str(e.policy)) for e in entries] == [
        ("handbook", "handbook", "everyone"),
        (None, None, "finance"),
        (None, None, "hr"),
        (None, None, "finance+leadership"),
    ]


async def test_words_of_a_title_find_nothing_for_whoever_may_not_read_it(
    company: Company, administration: Administration
) -> None:
    for words in ("salaries", "salar", "SALARIES"):
        assert await administration.documents(await seen_by(company, "odile"), words) == []
    await administration.carry_out(GrantRole(company.people["odile"], "hr"), COMMAND_LINE)
    (found,) = await administration.documents(await seen_by(company, "odile"), "SALAR")
    assert found.title == "salaries"


async def test_a_document_nobody_may_name_is_found_by_its_number_and_its_collection(
    company: Company, administration: Administration
) -> None:
    await administration.carry_out(DefineCollection("Pay 100%", parse_policy("hr")), COMMAND_LINE)
    (pay,) = await administration.collections()
    salaries = company.documents["salaries"]
    await administration.carry_out(FileDocuments((salaries,), pay.id), COMMAND_LINE)
    odile = await seen_by(company, "odile")
    for words in (str(salaries), f"#{salaries}", "pay", "100%"):
        assert [e.id for e in await administration.documents(odile, words)] == [salaries], words
    for words in ("%", "_", "pay_"):
        assert [e.id for e in await administration.documents(odile, words)] == (
            [salaries] if words == "%" else []
        )


async def test_at_the_machine_itself_addresses_are_shown_and_no_titles(
    company: Company, administration: Administration
) -> None:
    entries = await administration.documents(None)
    assert [(e.title, e.uri) for e in entries] == [(None, name) for name in company.documents]
    assert [e.uri for e in await administration.documents(None, "SALA")] == ["salaries"]


async def test_pages_follow_one_another_without_gap_or_repetition(
    company: Company, administration: Administration
) -> None:
    async with company.database.writing_in(company.workspace_id) as connection:
        await add_documents(connection, {f"d{n}": "hr" for n in range(9)}, chunks=1)
    pages = [await administration.documents(None, limit=5, offset=offset) for offset in (0, 5, 10, 15)]
    ids = [entry.id for page in pages for entry in page]
    assert ids == sorted(set(ids))
    assert [len(page) for page in pages] == [5, 5, 3, 0]


async def test_it_is_told_by_which_way_a_role_is_held(
    company: Company, administration: Administration
) -> None:
    people = company.people
    read_at = datetime.now(UTC)
    for change in (
        GrantRole(people["ben"], "leadership", "she leads", END),
        MapSource(SourceKind.USER_GROUP, "S1", "money", "finance", members=("UBEN", "UGUS"), read_at=read_at),
        MapSource(SourceKind.FLAG, "admin", "admin", "finance", members=(), read_at=read_at),
    ):
        await administration.carry_out(change, "UODILE")
    (ben, priya) = await administration.holders("finance")
    assert ben.person.handle == "ben"
    assert set(ben.ways) == {
        "through the user group @money",
        "as a workspace admin",
        "because leadership brings finance",
    }
    assert priya.ways == ("by hand from the test",)
    (leader,) = await administration.holders("leadership")
    assert leader.ways == ("by hand from @odile until the end of 3 March 2100, because: she leads",)
    assert [h.person.handle for h in await administration.holders("everyone")] == ["ben", "odile", "priya"]
    assert (await administration.holders("guest"))[0].ways == ("as a guest of the workspace",)
    with pytest.raises(UnknownRole):
        await administration.holders("finanse")


async def test_roles_are_listed_with_what_names_them(
    company: Company, administration: Administration
) -> None:
    await administration.carry_out(
        MapSource(SourceKind.CHANNEL, "C1", "hall", "hr", guests_too=True), "UODILE"
    )
    roles = {role.name: role for role in await administration.roles()}
    assert sorted(roles) == ["everyone", "finance", "guest", "hr", "leadership", ADMIN]
    assert roles["everyone"].holders == 3
    assert roles["leadership"].inherits == ("finance",)
    assert roles["hr"].sources == ("the channel #hall (guests too) (not read yet)",)
    assert [str(policy) for policy in roles["finance"].labels] == ["finance", "finance+leadership"]


async def test_what_somebody_may_read_is_counted_and_named_only_to_whoever_may_read_it_too(
    company: Company, administration: Administration
) -> None:
    priya = company.people["priya"]
    readable = await administration.readable_by(priya)
    assert {(label.in_words, label.documents) for label in readable.labels} == {
        ("every full member", 1),
        ("finance", 1),
    }
    assert (readable.documents, readable.titles) == (2, ())
    assert readable.roles["finance"] == ("by hand from the test",)
    for handle, titles in (("odile", ("handbook",)), ("priya", ("budget", "handbook")), ("gus", ())):
        seen = await administration.readable_by(priya, await seen_by(company, handle))
        assert seen.titles == titles


async def test_an_explanation_says_why_somebody_can_read(
    company: Company, administration: Administration
) -> None:
    explained = await administration.explain(company.people["priya"], company.documents["budget"])
    assert explained.may_read
    assert explained.in_words() == (
        "@priya can read document 2: it is for finance. @priya holds finance by hand from the test."
    )


async def test_an_explanation_says_what_is_missing_and_what_excludes(
    company: Company, administration: Administration
) -> None:
    await administration.carry_out(DefineRole("contractor"), COMMAND_LINE)
    await administration.carry_out(GrantRole(company.people["priya"], "contractor"), COMMAND_LINE)
    async with company.database.writing_in(company.workspace_id) as connection:
        await add_documents(connection, {"roadmap": "finance+!contractor,hr+leadership"})
        roadmap = (await ids_of(connection))["roadmap"]
    explained = await administration.explain(company.people["priya"], roadmap)
    assert not explained.may_read
    assert explained.sentences == (
        f"@priya cannot read document {roadmap}: it is for finance but not contractor, or hr and leadership.",
        "As finance but not contractor: no, since @priya holds contractor by hand from the command line, which must"
        " not be held.",
        "As hr and leadership: no, since @priya does not hold hr and leadership.",
    )


async def test_explanations_agree_with_the_reading_door(
    company: Company, administration: Administration
) -> None:
    for handle, person in company.people.items():
        readable = await company.readable(handle)
        for name, document_id in company.documents.items():
            assert (await administration.explain(person, document_id)).may_read == (name in readable)


async def test_an_explanation_never_says_what_a_document_is_called(
    company: Company, administration: Administration
) -> None:
    for name, document_id in company.documents.items():
        assert name not in (await administration.explain(company.people["odile"], document_id)).in_words()


async def test_a_document_is_named_by_the_end_of_its_address_where_that_is_clear(company: Company) -> None:
    names = ("files/a/notes.md", "files/b/notes.md", "files/a/my-plan.md", "files/a/plan.md")
    async with company.database.writing_in(company.workspace_id) as connection:
        await add_documents(connection, dict.fromkeys(names, "hr"), chunks=1)
        ids = await ids_of(connection)
        for name, found in (
            ("a/notes.md", "files/a/notes.md"),
            ("my-plan.md", "files/a/my-plan.md"),
            ("plan.md", "files/a/plan.md"),
            ("budget", "budget"),
            (str(ids["salaries"]), "salaries"),
            (f"#{ids['salaries']}", "salaries"),
        ):
            assert (await document_called(connection, name)).uri == found, name
        for name, words in (
            ("notes.md", "Several documents end in"),
            ("", "no document ''"),
            ("9999", "no document 9999"),
        ):
            with pytest.raises(OstiaryError, match=words):
                await document_called(connection, name)


async def test_labels_and_collections_of_another_workspace_are_not_there(company: Company) -> None:
    from auth.directory import register_workspace

    async with company.database.registering() as connection:
        other = Administration(company.database, await register_workspace(connection, "T0OTHER", "Other"))
    assert (await other.roles(), await other.labels(), await other.documents(None)) == ([], [], [])
    with pytest.raises(OstiaryError, match="no document"):
        await other.explain(company.people["priya"], company.documents["budget"])
