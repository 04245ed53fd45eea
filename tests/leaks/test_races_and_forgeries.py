"""Leaks of our own, found by attack: what is read late, waited for, lent, undone or forged."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.database import WORKSPACE, Database
from auth.directory import PersonFacts, find_people, upsert_people
from auth.granting import define_role, grant
from auth.labelling import intern_label
from auth.labels import parse_policy
from auth.people import PersonKind
from auth.rights import rights_of
from auth.sources import SourceKind, list_sources, map_source, source_was_read
from auth.undo import CannotUndo
from bot.administering.administration import COMMAND_LINE, Administration
from bot.administering.changes import ChangeLabel, DefineRole, RelabelDocuments
from bot.answering import Answer, CitedSentence, Telling, told
from bot.assistant import Assistant
from bot.proofs import check_answers
from bot.slack.audiences import Audiences
from bot.slack.delivery import Outbox, Unreachable
from bot.slack.people import Roster
from bot.slack.places import Place
from bot.slack.standing import StandingReader
from bot.slack.streaming import StreamBudget
from bot.slack.team import Team
from retrieval.embedding import LocalEmbeddings
from retrieval.ingestion import ClosedToAll, Ingestor, Submission
from retrieval.parsing.isolated import ParserProcess
from tests.door.world import World
from tests.leaks.conftest import RED

TEAM = "T0TEST"


def slack_user(user_id: str, *, deleted: bool = False) -> dict[str, Any]:
    return {"id": user_id, "name": user_id.lower(), "team_id": TEAM, "deleted": deleted}


@pytest.fixture
async def eve(database: Database, workspace_id: int) -> str:
    async with database.writing_in(workspace_id) as connection:
        await upsert_people(connection, [PersonFacts("UEVE", "eve", "Eve", PersonKind.MEMBER)])
        await define_role(connection, "finance")
        person = (await find_people(connection, ["UEVE"]))["UEVE"]
        await grant(connection, person, "finance", granted_by="test")
    return "UEVE"


async def roles(database: Database, workspace_id: int, user_id: str) -> frozenset[str]:
    rights = await rights_of(database, workspace_id, user_id)
    assert rights is not None
    return rights.roles


async def test_whoever_is_deactivated_while_the_roster_is_read_stays_so(
    database: Database, workspace_id: int, eve: str
) -> None:
    class Slack:
        deleted = False

        async def users_list(self, cursor: str = "", limit: int = 0) -> Any:
            if not cursor:
                return {"members": [slack_user(eve)], "response_metadata": {"next_cursor": "2"}}
            self.deleted = True
            await roster.note_now(slack_user(eve, deleted=True))
            return {"members": [slack_user("UBOB")]}

        async def users_info(self, user: str) -> Any:
            return {"user": slack_user(user, deleted=self.deleted)}

    roster = Roster(Slack(), database, Team(workspace_id, TEAM, "Test", "UBOT"))  # type: ignore[arg-type]
    await roster.read_all()
    assert await roles(database, workspace_id, eve) == frozenset()


async def test_a_late_event_gives_nothing_back_where_slack_does_not_say(
    database: Database, workspace_id: int, eve: str
) -> None:
    class Slack:
        async def users_info(self, user: str) -> Any:
            raise SlackApiError("busy", {"error": "ratelimited"})

    roster = Roster(Slack(), database, Team(workspace_id, TEAM, "Test", "UBOT"))  # type: ignore[arg-type]
    assert not await roster.note_now(slack_user(eve, deleted=True))
    assert not await roster.note_now(slack_user(eve))
    assert await roles(database, workspace_id, eve) == frozenset()


async def test_whoever_left_is_not_put_back_by_a_reading_that_was_under_way(
    database: Database, workspace_id: int, eve: str
) -> None:
    channel = SourceKind.CHANNEL
    async with database.writing_in(workspace_id) as connection:
        await define_role(connection, "board")
        source_id = await map_source(connection, channel, "C1", "board", "board", mapped_by="test")
        await source_was_read(connection, source_id, [eve, "UBOB"], datetime.now(UTC))

    class Slack:
        async def conversations_info(self, channel: str) -> Any:
            return {"channel": {"name": "board", "is_private": True}}

        async def conversations_members(self, channel: str, cursor: str = "", limit: int = 0) -> Any:
            listed = {"members": [eve, "UBOB", "UBOT"]}
            await standing.left(SourceKind.CHANNEL, channel, [eve])
            return listed

    standing = StandingReader(Slack(), database, Team(workspace_id, TEAM, "Test", "UBOT"), None)  # type: ignore[arg-type]
    await standing.read_again(channel, "C1")
    assert "board" not in await roles(database, workspace_id, eve)
    async with database.writing_in(workspace_id) as connection:
        (source,) = await list_sources(connection)
    assert source.is_fresh(datetime.now(UTC)), "it was shut, and what left it is not what this test shows"


@pytest.mark.parametrize("changes", [1, 99])
async def test_whoever_joins_while_members_are_read_is_counted_or_the_audience_is_unknown(
    changes: int,
) -> None:
    class Slack:
        there: tuple[str, ...] = ("UANN", "UBOT")
        changes = 0

        async def conversations_info(self, channel: str) -> Any:
            return {"channel": {"is_private": True}}

        async def conversations_members(self, channel: str, cursor: str = "", limit: int = 0) -> Any:
            listed = {"members": list(self.there)}
            if self.changes < changes:
                self.changes += 1
                self.there = (*self.there, f"UNEW{self.changes}")
                audiences.forget(channel)
            return listed

    slack = Slack()
    audiences = Audiences(slack, "UBOT")  # type: ignore[arg-type]
    heard = await audiences.now(Place("C1", "channel", None), "UANN")
    assert not heard.complete or "UNEW1" in heard.slack_user_ids
    assert heard.complete == (changes == 1)


@asynccontextmanager
async def busy_slack(first: Callable[[], Awaitable[None]]) -> AsyncIterator[tuple[str, list[str]]]:
    """A Slack that has no time for the first message; meanwhile `first` happens. Its address, and what it was sent."""
    sent: list[str] = []

    async def post(request: web.Request) -> web.Response:
        sent.append(await request.text())
        if len(sent) > 1:
            return web.json_response({"ok": True, "ts": f"{len(sent)}.1", "channel": "C"})
        await first()
        busy = {"ok": False, "error": "ratelimited"}
        return web.json_response(busy, status=429, headers={"Retry-After": "1"})

    async def fine(_request: web.Request) -> web.Response:
        return web.json_response({"ok": True})

    app = web.Application()
    app.router.add_post("/api/chat.postMessage", post)
    app.router.add_post("/api/chat.startStream", post)
    app.router.add_route("*", "/{path:.*}", fine)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"{site.name.rsplit(':', 1)[0]}:{runner.addresses[0][1]}/api/", sent
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("streams", [0, 20])
async def test_an_answer_that_slack_has_no_time_for_is_checked_again_after_the_wait(
    world: World, streams: int
) -> None:
    async with busy_slack(lambda: world.revoke("UANN", "red")) as (address, sent):
        outbox = Outbox(AsyncWebClient("xoxb-none", base_url=address), StreamBudget(streams))
        for worker in (world.replier, world.replier._speaker, world.replier._traces):
            worker._outbox = outbox  # type: ignore[attr-defined]
        await world.ask("UANN", "D-UANN", None, 0)
        await world.work()
    secret = next(iter(world.company.documents.values())).secrets[0]
    assert secret in sent[0]  # it was allowed then, and did not get out
    assert sent[1:]
    assert not any(secret in said for said in sent[1:])


async def test_undoing_gives_nobody_what_a_label_has_come_to_mean(world: World) -> None:
    administration = Administration(world.database, world.workspace_id)
    document_id = min(world.company.documents)
    async with world.database.writing_in(world.workspace_id) as connection:
        red = await intern_label(connection, parse_policy("red"))
    closing = RelabelDocuments((document_id,), parse_policy("nobody"))
    closed = await administration.carry_out(closing, COMMAND_LINE)
    await administration.carry_out(ChangeLabel(red, parse_policy("everyone")), COMMAND_LINE)
    assert closed.change_id is not None
    with pytest.raises(CannotUndo, match="means everyone since"):
        await administration.undo(closed.change_id, COMMAND_LINE)


@pytest.fixture
async def loan(world: World) -> int:
    """Bob asked for what stands in Ann's collection, and she was asked."""
    await world.ingest(RED | {(frozenset({"lent"}), frozenset())}, True)
    await world.ask("UBOB", "D-UBOB", None, 0)
    ((_, asked),) = world.queue.waiting
    world.queue.waiting.clear()
    await world.replier._lending.pass_on(**asked)
    return 1


async def decided(world: World, loan: int, owner: str = "UANN") -> frozenset[str]:
    """What Bob holds once somebody said to lend."""
    await world.replier._lending.decide(loan, owner, lend=True)
    return await roles(world.database, world.workspace_id, "UBOB")


async def alter(world: World, statement: str) -> None:
    async with world.database.writing_in(world.workspace_id) as connection:
        await connection.execute(text(f"{statement} WHERE workspace_id = {WORKSPACE}"))


async def test_a_loan_that_nothing_stands_against_is_made(world: World, loan: int) -> None:
    assert "lent" in await decided(world, loan)


async def test_a_loan_keeps_the_terms_it_was_asked_under(world: World, loan: int) -> None:
    await alter(world, "UPDATE retrieval.collection SET lent_role = 'blue'")
    assert not await decided(world, loan) & {"lent", "blue"}


async def test_a_loan_is_not_made_years_later(world: World, loan: int) -> None:
    await alter(world, "UPDATE bot.loan_request SET created_at = now() - interval '2 years'")
    assert "lent" not in await decided(world, loan)


async def test_a_loan_never_makes_an_administrator(world: World, loan: int) -> None:
    administration = Administration(world.database, world.workspace_id)
    await administration.carry_out(DefineRole("lent", "", ("ostiary-admin",)), COMMAND_LINE)
    assert "ostiary-admin" not in await decided(world, loan)


async def test_nothing_is_lent_to_somebody_who_is_no_longer_here(world: World, loan: int) -> None:
    await world.change_person("UBOB", "member", active=False)
    await decided(world, loan)
    await world.change_person("UBOB", "member", active=True)
    assert "lent" not in await roles(world.database, world.workspace_id, "UBOB")


async def test_nobody_lends_to_themselves(world: World, loan: int) -> None:
    await world.grant("UBOB", "red", None)
    assert "lent" not in await decided(world, loan, owner="UBOB")


async def test_whoever_lost_the_collection_while_deciding_lends_nothing(world: World, loan: int) -> None:
    async with world.database.writing_in(world.workspace_id) as holding:
        await holding.execute(text("SELECT 1 FROM bot.loan_request FOR UPDATE"))
        deciding = asyncio.create_task(decided(world, loan))
        await asyncio.sleep(0.5)
        await world.revoke("UANN", "red")
    assert "lent" not in await deciding


async def test_an_answer_made_with_a_passage_that_is_closed_by_now_is_not_sent(world: World) -> None:
    cited = min(world.company.documents)
    used = await world.ingest(RED, False)

    class Borrowing:
        async def answer(self, question: str, passages: Any, use_adapter: bool = False) -> Answer:
            said = next(p for p in passages if p.document_id == used).text
            shown = tuple(p for p in passages if p.document_id == cited)
            return Answer((CitedSentence(said, (1,), True),), shown, True, "test", {}, 1.0)

        async def begin(self, question: str, passages: Any, use_adapter: bool = False) -> Telling:
            return told(await self.answer(question, passages))

    assistant = Assistant(world.replier._assistant.library, Borrowing())  # type: ignore[arg-type]
    rights = await rights_of(world.database, world.workspace_id, "UANN")
    assert rights is not None
    reply = await assistant.answer("What is the budget of project 0?", rights.clearance)
    assert await assistant.may_still_be_told(reply, rights.clearance)
    await world.relabel(used, frozenset())
    assert not await assistant.may_still_be_told(reply, rights.clearance)


@pytest.fixture
async def ingestor(world: World, embeddings: LocalEmbeddings) -> AsyncIterator[Ingestor]:
    async with ParserProcess() as parser:
        yield Ingestor(world.database, embeddings, parser)


async def readers(connection: AsyncConnection, uri: str) -> str:
    found = await connection.execute(
        text(
            "SELECT l.policy FROM retrieval.document d JOIN auth.access_label l ON l.workspace_id = d.workspace_id"
            " AND l.id = d.label_id WHERE d.uri = :uri"
        ),
        {"uri": uri},
    )
    return str(found.scalar_one())


@pytest.mark.parametrize("content", [b"The same words.", b"Other words."])
async def test_what_was_closed_to_everybody_is_not_opened_by_handing_it_in_again(
    world: World, ingestor: Ingestor, content: bytes
) -> None:
    red = parse_policy("red")
    given = Submission("plan.md", "plan.md", b"The same words.", 0, actor="UANN", policy=red)
    outcome = await ingestor.ingest(world.workspace_id, given)
    closing = RelabelDocuments((outcome.document_id,), parse_policy("nobody"))
    await Administration(world.database, world.workspace_id).carry_out(closing, COMMAND_LINE)
    again = Submission("plan.md", "plan.md", content, 0, actor="UANN", policy=red)
    with pytest.raises(ClosedToAll, match="closed to everybody"):
        await ingestor.ingest(world.workspace_id, again)
    async with world.database.writing_in(world.workspace_id) as connection:
        assert await readers(connection, "plan.md") == "nobody"


async def test_readers_that_were_chosen_are_those_that_are_stored_whatever_their_label_became(
    world: World, ingestor: Ingestor
) -> None:
    green = parse_policy("green")
    async with world.database.writing_in(world.workspace_id) as connection:
        label_id = await intern_label(connection, green)
    widening = ChangeLabel(label_id, parse_policy("everyone"))
    await Administration(world.database, world.workspace_id).carry_out(widening, COMMAND_LINE)
    given = Submission("plan.md", "plan.md", b"Some words.", label_id, actor="UANN", policy=green)
    await ingestor.ingest(world.workspace_id, given)
    async with world.database.writing_in(world.workspace_id) as connection:
        assert await readers(connection, "plan.md") == "green"


@pytest.mark.parametrize(
    "forgery",
    [
        "INSERT INTO auth.audit_event (workspace_id, kind, relation, subject, details)"
        f" VALUES ({WORKSPACE}, 'person.removed', 'person', '1', '{{}}')",
        "INSERT INTO auth.audit_event (workspace_id, kind, details)"
        f" VALUES ({WORKSPACE}, 'audit.withdrawn', '{{\"before\": \"2999-01-01\"}}')",
        "UPDATE auth.workspace SET policy_version = policy_version - 1",
        "UPDATE auth.workspace SET team_id = 'TOTHER'",
    ],
)
async def test_the_app_role_can_neither_forge_history_nor_turn_versions_back(
    database: Database, workspace_id: int, forgery: str
) -> None:
    with pytest.raises(ProgrammingError):
        async with database.writing_in(workspace_id) as connection:
            await connection.execute(text(forgery))


async def test_whoever_left_the_company_is_not_told_again_and_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = 0

    async def nobody_there(*_: object, **__: object) -> str:
        nonlocal tried
        tried += 1
        raise Unreachable

    monkeypatch.setattr(world.replier._outbox, "tell_alone", nobody_there)
    await world.ask("UBOB", "D-UBOB", None, 0)  # Bob may read nothing on that, and would be told so
    await world.work()
    async with world.database.writing_in(world.workspace_id) as connection:
        row = (await connection.execute(text("SELECT id, state FROM bot.question"))).one()
    assert (row.state, tried) == ("answered", 1)
    await world.replier.give_up(row.id)


async def test_an_answer_that_reached_nobody_is_not_kept_as_one_that_was_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nobody_there(*_: object, **__: object) -> str:
        raise Unreachable

    monkeypatch.setattr(world.replier._outbox, "tell_alone", nobody_there)
    await world.ask("UANN", "CPRIV", None, 0)  # Bob is there: what Ann alone may read is told to her alone
    await world.work()
    async with world.database.writing_in(world.workspace_id) as connection:
        kept = await connection.execute(text("SELECT part FROM bot.answer WHERE message_ts IS NULL"))
        assert kept.all() == []
        assert (await connection.execute(text("SELECT state FROM bot.question"))).scalar_one() == "answered"


async def test_an_answer_whose_record_was_removed_is_missed(world: World) -> None:
    await world.ask("UANN", "D-UANN", None, 0)
    await world.work()
    assert not (await check_answers(world.database, world.workspace_id)).wrong
    async with world.database.writing_in(world.workspace_id) as connection:
        await connection.execute(text(f"DELETE FROM bot.answer WHERE workspace_id = {WORKSPACE}"))
    (missed,) = (await check_answers(world.database, world.workspace_id)).wrong
    assert "its record was removed" in str(missed)
