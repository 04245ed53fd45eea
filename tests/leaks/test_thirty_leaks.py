"""Leaks of other systems, by the number and source they are known under; each with its guard, and without.

The thirtieth's neighbours stand in the same file on purpose: this list is read as a whole.
"""

import dataclasses
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from auth import rights
from auth.clearance import Clearance, LabelIndex
from auth.database import Database, DatabaseUrls
from auth.labels import NOBODY, Clause, Policy
from auth.rights import Audience, audience_clearance, nothing, rights_of
from bot.administering.administration import Administration
from bot.answering import Answer, CitedSentence
from bot.assistant import Assistant, Reply
from bot.slack import asking, lending, pieces, replying, views
from bot.slack.delivery import Outbox
from bot.slack.ingest_requests import IngestionRequest
from bot.slack.ingesting import Intake
from bot.slack.pieces import Pieces
from bot.slack.questions import Question, find_question
from bot.slack.replying import Replier
from bot.slack.views import ASK_OWNER, LEND, SHARE_ANSWER
from retrieval import ingestion, search
from retrieval.embedding import LocalEmbeddings
from retrieval.ingestion import Ingestor, Submission
from retrieval.locks import LocksDisagree
from retrieval.parsing.isolated import ParserProcess
from retrieval.passages import Passage
from retrieval.retriever import ClearedRetriever, Library
from retrieval.search import readable
from tests.door.world import World
from tests.leaks.conftest import FOR_ALL, RED, found_world, leaks

Take = Callable[[], None]


async def clearance_of(world: World, user_id: str) -> Clearance:
    found = await rights_of(world.database, world.workspace_id, user_id)
    return found.clearance if found else nothing(world.workspace_id)


def library(world: World) -> Library:
    found: Library = world.replier._assistant.library
    return found


async def everything(world: World) -> Clearance:
    """Every label of the workspace: what somebody would hold whom no guard stops."""
    async with world.database.deciding_in(world.workspace_id) as connection:
        standing = await rights.read_standing(world.database, connection, world.workspace_id)
    return Clearance(world.workspace_id, frozenset(standing.index.labels), standing.policy_version)


async def ask(world: World, user_id: str, where: str = "") -> None:
    await world.ask(user_id, where or f"D-{user_id}", None, 0)
    await world.work()


def own_part(world: World) -> tuple[str, str, str, str]:
    """The share button under what somebody was told alone."""
    return next(button for button in world.slack.buttons if button[2] == SHARE_ANSWER)


async def test_leak_01_an_id_of_unknown_shape_is_no_id(
    world: World, guarded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CVE-2026-45398: ids of another shape than those that were checked."""
    if not guarded:
        monkeypatch.setattr(asking, "typed_id", int)
    await ask(world, "UANN", "CPRIV")
    user, channel, action, value = own_part(world)
    button = {"value": f"+{value}", "action_ts": world.slack.stamp()}  # a number to Python, not to us
    body = {"user": {"id": user}, "channel": {"id": channel}, "container": {}, "actions": [button]}
    await world._press(action, body)
    assert bool(world.queue.waiting) is not guarded


async def test_leak_02_a_file_of_somebody_else_is_not_attached_to_ones_own(
    world: World, guarded: bool, monkeypatch: pytest.MonkeyPatch, database: Database
) -> None:
    """CVE-2026-45402: attach a file id under one's own readers, then ask. Handing in needs the right to."""
    if not guarded:

        async def anybody(self: Intake, user_id: str) -> bool:
            return True

        monkeypatch.setattr(Intake, "is_admin", anybody)
    outbox = Outbox(AsyncWebClient(token="xoxb-none"))
    intake = Intake(database, world.workspace_id, None, outbox, 1)  # type: ignore[arg-type]
    assert await intake.is_admin("UBOB") is not guarded


async def test_leak_03_a_button_is_pressed_only_by_whom_it_was_made_for(
    world: World, guarded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CVE-2026-45671: authorised because the object exists, not because it is this user's."""
    await ask(world, "UANN", "CPRIV")
    if not guarded:

        async def anybodys(connection: Any, question_id: int) -> Question | None:
            found = await find_question(connection, question_id)
            return found and dataclasses.replace(found, asker_slack_id="UBOB")

        monkeypatch.setattr(asking, "find_question", anybodys)
    await world.click(world.slack.buttons.index(own_part(world)), "UBOB")
    assert bool(world.queue.waiting) is not guarded


async def test_leak_04_what_one_was_answered_is_read_by_nobody_else(
    world: World, guarded: bool, urls: DatabaseUrls
) -> None:
    """CVE-2026-44570: memories readable across users."""
    await ask(world, "UANN")
    if not guarded:
        with psycopg.connect(urls.admin, autocommit=True) as connection:
            connection.execute("ALTER TABLE bot.answer DISABLE ROW LEVEL SECURITY")
    async with world.database.reading_as(await clearance_of(world, "UBOB")) as connection:
        told = (await connection.execute(text("SELECT text FROM bot.answer"))).all()
    assert bool(told) is not guarded
    async with world.database.reading_as(await clearance_of(world, "UANN")) as connection:
        assert (await connection.execute(text("SELECT text FROM bot.answer"))).all()


async def test_leak_05_titles_are_shown_to_those_who_may_read_what_they_name(
    world: World, guarded: bool, take_out_both_locks: Take
) -> None:
    """CVE-2026-41949: a preview of any document."""
    if not guarded:
        take_out_both_locks()
    entries = await Administration(world.database, world.workspace_id).documents(
        await clearance_of(world, "UBOB")
    )
    shown = [entry.title for entry in entries if entry.title and "zqtitle" in entry.title]
    assert bool(shown) is not guarded


async def test_leak_06_an_id_written_into_a_payload_grants_nothing(
    world: World, guarded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CVE-2026-41950: arbitrary ids in a message. Here: the owner's button with an id that somebody guessed."""
    await world.grant("UANN", "lent", None)
    await _ask_owners(world)
    if not guarded:
        _everybody_owns_everything(monkeypatch)
    await world._press(LEND, _click("UCAT", "1", world))
    assert await _is_lent(world, "UBOB") is not guarded


async def test_leak_07_nothing_of_another_workspace_is_found_under_its_labels(
    world: World, guarded: bool, take_out_both_locks: Take, database: Database
) -> None:
    """ragflow #15027: titles and metadata across tenants."""
    if not guarded:
        take_out_both_locks()
    elsewhere = await found_world(database)
    theirs = await everything(world)
    found = await library(world).passages(
        "What is the budget of project 0?", Clearance(elsewhere.workspace_id, theirs.label_ids, 1)
    )
    titles = {secret for document in world.company.documents.values() for secret in document.secrets}
    leaked = any(secret in passage.title for passage in found for secret in titles)
    # The statement itself names the workspace a third time, so that even with both locks gone nothing is joined.
    assert not leaked
    async with database.reading_as(Clearance(elsewhere.workspace_id, theirs.label_ids, 1)) as connection:
        rows = (await connection.execute(text("SELECT title, workspace_id FROM retrieval.document"))).all()
    assert any(row.workspace_id == world.workspace_id for row in rows) is not guarded


async def test_leak_08_to_have_seen_a_citation_opens_nothing(
    world: World, guarded: bool, take_out_both_locks: Take
) -> None:
    """ragflow PR #13834: a cited id was enough to download."""
    (cited,) = await library(world).passages("budget of project", await clearance_of(world, "UANN"))
    if not guarded:
        take_out_both_locks()
    opened = await readable(world.database, await clearance_of(world, "UBOB"), [cited.chunk_id])
    assert bool(opened) is not guarded


async def test_leak_09_denied_and_missing_are_told_alike(
    world: World, guarded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ragflow PR #15508: a refactor dropped the check."""
    await ask(world, "UGUS")
    if not guarded:
        cleared = await everything(world)

        async def all_of_it(*_: object) -> Any:
            return SimpleNamespace(clearance=cleared)

        monkeypatch.setattr(replying, "rights_of", all_of_it)
    assert await leaks(ask(world, "UBOB")) is not guarded


async def test_leak_10_what_one_button_carries_is_no_key_for_another(
    world: World, guarded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CVE-2025-69286: a share token became an API key."""
    await ask(world, "UANN", "CPRIV")
    _, _, _, value = own_part(world)
    await _ask_owners(world)
    if not guarded:
        _everybody_owns_everything(monkeypatch)
    await world._press(LEND, _click("UCAT", value, world))
    assert await _is_lent(world, "UBOB") is not guarded


async def test_leak_11_no_labels_is_not_every_label(
    world: World, guarded: bool, take_out_both_locks: Take
) -> None:
    """lobehub #16535: an omitted filter searched everything."""
    if not guarded:
        take_out_both_locks()
    assert bool(await library(world).passages("budget", nothing(world.workspace_id))) is not guarded


async def test_leak_12_whoever_holds_nothing_is_admitted_nowhere(
    guarded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Onyx, Vespa path: the check was skipped for an empty list."""
    if not guarded:
        monkeypatch.setattr(Clause, "admits", lambda self, roles: self.all_of <= roles)
    for_nobody_named = Policy(frozenset({Clause(frozenset())}))
    assert for_nobody_named.admits(frozenset()) is not guarded
    assert not LabelIndex({1: for_nobody_named, 2: NOBODY}).readable(frozenset())


async def test_leak_13_many_questions_at_once_are_cleared_like_one(
    world: World, guarded: bool, take_out_both_locks: Take
) -> None:
    """rag_api #301: /query checked the owner, /query_multiple did not."""
    if not guarded:
        take_out_both_locks()
    retriever = ClearedRetriever(library=library(world), clearance=await clearance_of(world, "UBOB"))
    batches = await retriever.abatch(["budget", "project", "plan"])
    assert any(batches) is not guarded


async def test_leak_14_a_deactivated_person_gets_nothing_by_an_old_button_or_a_queued_job(
    world: World, guarded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CVE-2026-32717: a suspended user still worked by an old key."""
    if not guarded:
        real = rights.roles_held
        monkeypatch.setattr(
            rights, "roles_held", lambda person, *rest: real(dataclasses.replace(person, active=True), *rest)
        )
    await world.ask("UANN", "D-UANN", None, 0)
    await world.change_person("UANN", "member", active=False)
    assert await leaks(world.work()) is not guarded


async def test_leak_15_an_old_thread_gives_nothing_once_the_role_is_gone(
    world: World, guarded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AnythingLLM a9e3c0585: removed from one workspace, its thread was read through another."""
    await world.ask("UANN", "D-UANN", "1.0", 0)
    await world.work()
    if not guarded:
        once = await rights_of(world.database, world.workspace_id, "UANN")

        async def remembered(*_: object) -> Any:
            return once

        monkeypatch.setattr(replying, "rights_of", remembered)
    await world.revoke("UANN", "red")
    await world.ask("UANN", "D-UANN", "1.0", 0)
    assert await leaks(world.work()) is not guarded


async def test_leak_16_nobody_decides_on_what_is_anothers(
    world: World, guarded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CVE-2026-42276: stop another user's generation. Here: decline a question that is another's to decide on."""
    await _ask_owners(world)
    if not guarded:
        _everybody_owns_everything(monkeypatch)
    said = await world.desk._lending.decide(1, "UCAT", lend=False)
    assert (said is not None) is not guarded


async def test_leak_17_what_is_remembered_of_one_workspace_is_not_used_in_another(
    world: World, guarded: bool, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Onyx #12580: permission caches shared across tenants."""
    if not guarded:
        real, keep = rights._Memory.recall, rights._Memory.keep
        monkeypatch.setattr(rights._Memory, "recall", lambda self, key, now: real(self, (0, key[1], 0), now))
        monkeypatch.setattr(
            rights._Memory, "keep", lambda self, key, *rest: keep(self, (0, key[1], 0), *rest)
        )
    elsewhere = await found_world(database)
    here = await audience_clearance(database, world.workspace_id, Audience(frozenset({"UANN"})))
    there = await audience_clearance(database, elsewhere.workspace_id, Audience(frozenset({"UANN"})))
    assert (there == here) is not guarded


async def test_leak_18_the_same_content_under_two_names_keeps_two_sets_of_readers(
    world: World, guarded: bool, monkeypatch: pytest.MonkeyPatch, embeddings: LocalEmbeddings
) -> None:
    """pipeshub #1699: identical content in two connectors shared one id and leaked."""
    if not guarded:
        merging = str(ingestion._KNOWN).replace("d.uri = :uri", "length(:uri) > 0 ORDER BY d.id DESC LIMIT 1")
        monkeypatch.setattr(ingestion, "_KNOWN", text(merging))
    async with world.database.writing_in(world.workspace_id) as connection:
        red = await world._label(connection, RED)
        public = await world._label(connection, FOR_ALL)
    content = b"The code of the safe is 4711."
    async with ParserProcess() as parser:
        ingestor = Ingestor(world.database, embeddings, parser)
        await ingestor.ingest(world.workspace_id, Submission("safe.md", "safe.md", content, red))
        await ingestor.ingest(world.workspace_id, Submission("copy.md", "copy.md", content, public))
    found = await library(world).passages("code of the safe", await clearance_of(world, "UBOB"))
    async with world.database.reading_as(await clearance_of(world, "UBOB")) as connection:
        first = (
            await connection.execute(text("SELECT 1 FROM retrieval.document WHERE uri = 'safe.md'"))
        ).all()
    assert found
    assert bool(first) is not guarded


async def test_leak_19_a_document_without_readers_is_nobodys(
    world: World, guarded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenRAG, Onyx: a row without an owner was public."""
    if not guarded:
        real = LabelIndex.readable
        monkeypatch.setattr(
            LabelIndex,
            "readable",
            lambda self, roles: real(self, roles) | {i for i, p in self.labels.items() if not p.clauses},
        )
    await world.ingest(frozenset(), False)
    assert await leaks(ask(world, "UBOB")) is not guarded


async def test_leak_20_what_was_decided_before_a_change_is_not_used_after_it(
    world: World, guarded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """semantic-router #1448: a cache served one user's answer to another. Ours holds clearances, by version."""
    if not guarded:
        monkeypatch.setattr(Database, "policy_version", _first_version(Database.policy_version))
    await world.grant("UBOB", "red", None)
    await ask(world, "UBOB", "CPRIV")
    await world.revoke("UBOB", "red")
    assert await leaks(ask(world, "UANN", "CPRIV")) is not guarded


async def test_leak_21_a_question_is_words_and_never_a_query(
    world: World, guarded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CVE-2025-8709 and others: injection through what is searched for."""
    if not guarded:
        monkeypatch.setattr(search, "_WORDS", "CAST(:question AS tsvector)")
    broke = False
    try:
        await library(world).passages("budget ' & | (", await clearance_of(world, "UANN"))
    except ProgrammingError:
        broke = True
    assert broke is not guarded


async def test_leak_22_a_deleted_document_is_found_by_no_path(
    world: World, guarded: bool, urls: DatabaseUrls
) -> None:
    """ragflow #7130: deleted documents still retrieved."""
    if not guarded:
        with psycopg.connect(urls.admin, autocommit=True) as connection:
            for table, key in (
                ("chunk", "document_id"),
                ("chunk", "version_id"),
                ("chunk_vec", "document_id"),
            ):
                connection.execute(
                    f"ALTER TABLE retrieval.{table} DROP CONSTRAINT fk_{table}_workspace_id_{key}"  # type: ignore[call-overload]
                )
    cleared = await clearance_of(world, "UANN")
    (passage,) = await library(world).passages("budget of project", cleared)
    await world.delete(passage.document_id)
    async with world.database.reading_as(cleared) as reader:
        of_it = text("SELECT id FROM retrieval.chunk WHERE id = :id")
        left = (await reader.execute(of_it, {"id": passage.chunk_id})).all()
    assert bool(left) is not guarded
    assert not await readable(world.database, cleared, [passage.chunk_id])
    assert not await library(world).passages("budget of project", cleared)


async def test_leak_23_somebody_in_ten_thousand_groups_reads_what_they_may(world: World) -> None:
    """Onyx 2b2df18463: very large lists broke queries. There is no guard to take out: it is one array, bound once."""
    own = world.label_of[min(world.label_of)]
    many = frozenset(range(1_000_000, 1_010_000))
    assert not await library(world).passages("budget", Clearance(world.workspace_id, many, 1))
    assert await library(world).passages("budget", Clearance(world.workspace_id, many | {own}, 1))


async def test_leak_24_an_adapter_words_answers_for_those_alone_who_may_read_what_it_learned(
    world: World, guarded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """vllm #44250, #44701: the adapter was missing in a key. Here its label is asked of every clearance."""
    red = world.label_of[min(world.label_of)]
    if not guarded:
        monkeypatch.setattr(Assistant, "_may_use_adapter", lambda self, clearance: True)
    adapted: list[bool] = []

    class Noting:
        async def begin(self, question: str, passages: Any, use_adapter: bool = False) -> Any:
            adapted.append(use_adapter)
            return await world.parrot.begin(question, passages)

    assistant = Assistant(library(world), Noting(), red)  # type: ignore[arg-type]
    await assistant.answer("budget", await clearance_of(world, "UBOB"))
    assert adapted == [not guarded]


async def test_leak_25_what_a_document_says_is_never_a_link_or_a_call(
    guarded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CVE-2025-32711 EchoLeak: instructions inside documents exfiltrate."""
    if not guarded:
        monkeypatch.setattr(views, "escape", lambda said: said)
    said = "<https://evil.example/?q=secret|Click here> <!channel> <@UBOB>"
    passage = Passage(1, 1, 1, said, said)
    answer = Answer((CitedSentence(said, (1,), True),), (passage,), True, "test", {}, 1.0)
    shown = str(views.answer_blocks(answer)) + views.answer_text(answer)
    assert ("<https://evil" in shown or "<!channel>" in shown) is not guarded


async def test_leak_26_a_leak_that_happens_is_noticed(
    world: World, guarded: bool, take_out_both_locks: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CW1226324: labelled mail was summarised for weeks, unnoticed. Here the alarm, and `ostiary probe` beside it."""
    noticing = search.insist_on
    take_out_both_locks()
    if guarded:
        monkeypatch.setattr(search, "insist_on", noticing)
    noticed, found = False, list[Passage]()
    try:
        found = await library(world).passages("budget of project", await clearance_of(world, "UBOB"))
    except LocksDisagree:
        noticed = True
    assert noticed is guarded
    assert bool(found) is not guarded


async def test_leak_27_handing_in_text_never_overwrites_another_document(
    world: World, guarded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CVE-2026-41277: a key given by the client turned create into update."""
    if not guarded:
        monkeypatch.setattr(pieces, "_text_uri", lambda request: request.title)
    given = IngestionRequest(
        7, "text", "pasted text", "zqfile1x.md", b"words", "everyone", "UBOB", "D", "accepted"
    )
    (thing,) = Pieces(None, None, 1).things_of(given)  # type: ignore[arg-type]
    (piece,) = await thing()
    assert (piece.uri == "zqfile1x.md") is not guarded


async def test_leak_28_sharing_answers_again_for_those_who_are_there(
    world: World, guarded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Onyx "Share with everyone": the stored answer was posted again with no check of the audience."""
    await ask(world, "UANN", "CPRIV")
    if not guarded:
        stored = await clearance_of(world, "UANN")

        async def as_it_was(*_: object) -> Clearance:
            return stored

        monkeypatch.setattr(replying, "audience_clearance", as_it_was)
    await world.click(world.slack.buttons.index(own_part(world)), None)
    assert await leaks(world.work()) is not guarded


async def test_leak_29_a_refusal_is_told_to_the_asker_alone(
    world: World, guarded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """stacklok/mecatl #1242: "you are not authorised", posted in public."""
    if not guarded:

        async def aloud(
            self: Replier, question: Question, said: str, blocks: Any, in_thread: bool, at_once: bool = False
        ) -> str:
            return await self._outbox.post(question.place, said, blocks)

        monkeypatch.setattr(Replier, "_tell_alone", aloud)
    await ask(world, "UBOB", "CPRIV")
    assert bool(world.slack.delivered["private channel, thread"]) is not guarded


async def test_leak_30_what_is_revoked_while_an_answer_is_made_is_not_sent(
    world: World, guarded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Revoked while the question is running: the right is checked again when the answer is sent."""
    if not guarded:

        async def yes(self: Assistant, reply: Reply, clearance: Clearance) -> bool:
            return True

        monkeypatch.setattr(Assistant, "may_still_be_told", yes)
    await world.ask("UANN", "D-UANN", None, 0)
    await world.meanwhile(lambda: world.revoke("UANN", "red"))
    assert await leaks(world.work()) is not guarded


def _first_version(read: Any) -> Any:
    seen: list[int] = []

    async def once(database: Database, workspace_id: int) -> int:
        if not seen:
            seen.append(await read(database, workspace_id))
        return seen[0]

    return once


def _click(user_id: str, value: str, world: World) -> dict[str, Any]:
    return {
        "user": {"id": user_id},
        "actions": [{"value": value, "action_ts": world.slack.stamp()}],
        "channel": {"id": f"D-{user_id}"},
        "container": {"channel_id": f"D-{user_id}", "message_ts": "1", "thread_ts": None},
    }


async def _ask_owners(world: World) -> None:
    """Bob asks for what stands in the collection, and its owner Ann is asked."""
    await world.ingest(RED | {(frozenset({"lent"}), frozenset())}, True)
    await ask(world, "UBOB")
    button = next(b for b in world.slack.buttons if b[2] == ASK_OWNER and b[0] == "UBOB")
    await world.click(world.slack.buttons.index(button), None)
    await world.work()


def _everybody_owns_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    async def owner(database: Database, workspace_id: int, user_id: str) -> Any:
        found = await rights_of(database, workspace_id, user_id)
        return found and dataclasses.replace(found, roles=found.roles | {"red"})

    monkeypatch.setattr(lending, "rights_of", owner)


async def _is_lent(world: World, user_id: str) -> bool:
    found = await rights_of(world.database, world.workspace_id, user_id)
    return found is not None and "lent" in found.roles
