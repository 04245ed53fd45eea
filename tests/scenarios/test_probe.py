"""Canaries: a probe finds nothing where the guards stand, and something wherever one of them is broken."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from structlog.testing import capture_logs
from typer.testing import CliRunner

import auth.holding
import auth.people
import auth.rights
import bot.slack.audiences
import bot.slack.lending
import bot.slack.places
import bot.slack.replying
import retrieval.search
from auth.audit import Sought, search
from auth.clearance import Clearance
from auth.database import Database, DatabaseUrls
from auth.granting import define_built_in_roles
from auth.labelling import intern_label
from auth.labels import parse_policy
from auth.people import Person, PersonKind
from auth.rights import Audience, Rights
from auth.sources import SourceKind, map_source, source_was_read
from bot import metrics
from bot.assistant import Assistant, Opening, Reply
from bot.cli.commands import app
from bot.cli.probe import show
from bot.directory_file import DirectoryFile, load_directory
from bot.probe import shadow
from bot.probe.canaries import Canary, new_canary, question_about
from bot.probe.casting import OUTSIDER, cast_for, with_built_in
from bot.probe.copying import Rules, Stance, read_rules
from bot.probe.marks import Marks
from bot.probe.outcome import Outcome
from bot.probe.probing import PROBED, Means, NoSuchSurface, ProbeRunning, probe
from bot.probe.ruling import admits, roles_held
from bot.probe.scene import Limits
from bot.probe.scheduling import last_probe, scheduled_probe
from bot.probe.surfaces.catalogue import SURFACES
from bot.slack.delivery import Outbox
from bot.slack.places import Place
from bot.slack.questions import Question
from bot.slack.replying import SHARE, Listening, Part, Replier
from bot.slack.views import Block, plain_blocks
from retrieval.embedding import LocalEmbeddings
from retrieval.ingestion import Ingestor, Submission
from retrieval.parsing.isolated import ParserProcess
from retrieval.retriever import Library
from tests.scenarios.conftest import Office

TEAM = "T0HOUSE"
SMALL = Limits(people=24, asks=12, at_once=12)
TABLES = ("document", "version", "chunk", "chunk_vec", "label_count")
DIRECT, MIXED = "direct messages", "a private channel of all"
HOUSE = DirectoryFile.model_validate(
    {
        "workspace": {"team_id": TEAM, "name": "House"},
        "roles": [
            {"name": "staff"},
            {"name": "finance", "inherits": ["staff"]},
            {"name": "leadership"},
            {"name": "contractor"},
            {"name": "board"},
        ],
        "people": [
            {"user_id": "U0FAY", "handle": "fay", "name": "Fay", "roles": ["finance", "leadership"]},
            {"user_id": "U0CAL", "handle": "cal", "name": "Cal", "roles": ["staff", "contractor"]},
            {"user_id": "U0ADA", "handle": "ada", "name": "Ada", "roles": ["ostiary-admin"]},
            {"user_id": "U0GUS", "handle": "gus", "name": "Gus", "kind": "guest", "roles": ["board"]},
        ],
    }
)
POLICIES = ("everyone", "everyone,guest", "finance+leadership", "staff+!contractor", "board", "nobody")


@dataclass
class House:
    """A workspace as it lies in the database. No bot is at its desk there, and none is needed."""

    means: Means
    workspace_id: int
    urls: DatabaseUrls

    @property
    def database(self) -> Database:
        return self.means.database

    async def probe(self, *only: str, limits: Limits = SMALL) -> Outcome:
        return await probe(self.means, self.workspace_id, TEAM, only=only, limits=limits)


@pytest.fixture
async def house(urls: DatabaseUrls, embeddings: LocalEmbeddings) -> AsyncIterator[House]:
    database = Database(urls)
    try:
        workspace_id = await load_directory(database, HOUSE)
        async with ParserProcess() as parser:
            ingestor = Ingestor(database, embeddings, parser)
            async with database.writing_in(workspace_id) as connection:
                for policy in POLICIES:
                    await intern_label(connection, parse_policy(policy))
                await _map_sources(connection)
            yield House(Means(database, embeddings, ingestor), workspace_id, urls)
    finally:
        await database.close()


async def _map_sources(connection: Any) -> None:
    """The board is a user group, leadership a channel, and workspace owners are staff."""
    mapped = (
        (SourceKind.USER_GROUP, "S0BOARD", "board", "board"),
        (SourceKind.CHANNEL, "G0LEADERS", "leaders", "leadership"),
        (SourceKind.FLAG, "owner", "owners", "staff"),
    )
    for kind, reference, name, role in mapped:
        source_id = await map_source(connection, kind, reference, name, role, mapped_by="test")
        await source_was_read(connection, source_id, ["U0CAL"], datetime.now(UTC))


@pytest.fixture
def admin(urls: DatabaseUrls) -> Iterator[psycopg.Connection]:
    """Somebody who can take a lock off."""
    with psycopg.connect(urls.admin, autocommit=True) as connection:
        yield connection


def unlock_the_database(admin: psycopg.Connection) -> None:
    for table in TABLES:
        admin.execute(f"ALTER TABLE retrieval.{table} DISABLE ROW LEVEL SECURITY")


def unlock_the_application(monkeypatch: pytest.MonkeyPatch) -> None:
    """The filter in the statements, and whatever in the application compares what was found once more."""
    monkeypatch.setattr(retrieval.search, "LABEL_FILTER", "v.workspace_id = :workspace_id")
    monkeypatch.setattr(retrieval.search, "insist_on", lambda clearance, found: None)

    async def told_anyway(self: Assistant, reply: Reply, clearance: Clearance) -> bool:
        return True

    monkeypatch.setattr(Assistant, "may_still_be_told", told_anyway)


def surfaces_of(found: Outcome) -> set[str]:
    return {leak.surface for leak in found.leaks}


# Where every guard stands


@pytest.mark.timeout(900)
async def test_where_every_guard_stands_nothing_leaks_by_any_surface(house: House) -> None:
    found = await house.probe()
    assert (found.leaks, found.unequal) == ((), ())
    assert found.is_conclusive
    assert found.failed == 0
    assert found.readable >= found.reached > found.readable / 2
    tried = {surface.surface: surface.tried for surface in found.surfaces}
    assert set(tried) == {surface.name for surface in SURFACES} - set(found.not_there)
    assert min(tried.values()) > 0
    assert found.compared >= 7
    assert found.labels == len({*POLICIES, "guest", "ostiary-admin", "probe-lent"})
    assert found.secrets == 5 * found.labels
    await _everything_is_gone(house)
    await _it_stands_in_the_record(house, found)


async def _it_stands_in_the_record(house: House, found: Outcome) -> None:
    async with house.database.writing_in(house.workspace_id) as connection:
        (event,) = await search(connection, Sought(kind=PROBED))
    assert event.details == {"tried": found.tried, "leaked": 0}
    assert metrics.CANARIES_TRIED._value.get() == found.tried
    assert metrics.CANARIES_LEAKED._value.get() == 0


async def _everything_is_gone(house: House) -> None:
    """No row is left of any workspace but the one there was, and no job."""
    with psycopg.connect(house.urls.admin) as connection:
        tables = connection.execute(
            "SELECT table_schema || '.' || quote_ident(table_name) FROM information_schema.columns"
            " WHERE column_name = 'workspace_id' AND table_schema IN ('auth', 'retrieval', 'bot')"
        ).fetchall()
        left = {
            name
            for (name,) in tables
            if connection.execute(
                f"SELECT 1 FROM {name} WHERE workspace_id <> %s LIMIT 1", (house.workspace_id,)
            ).fetchone()
        }
        workspaces = connection.execute("SELECT id FROM auth.workspace").fetchall()
        jobs = connection.execute("SELECT count(*) FROM procrastinate.procrastinate_jobs").fetchone()
    assert (left, workspaces, jobs) == (set(), [(house.workspace_id,)], (0,))


# Where one is broken


async def test_a_bot_that_answers_nobody_is_no_bot_that_keeps_secrets(
    house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def broken(self: Assistant, question: str, clearance: Clearance) -> Reply:
        raise RuntimeError("no model")

    monkeypatch.setattr(Assistant, "begin", broken)
    found = await house.probe(DIRECT)
    show(found)
    assert found.leaked == 0
    assert not found.is_conclusive
    assert "proves nothing" in capsys.readouterr().out.replace("\n", " ")


async def test_both_locks_off_are_noticed(
    house: House, admin: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlock_the_database(admin)
    unlock_the_application(monkeypatch)
    found = await house.probe(DIRECT)
    assert surfaces_of(found) == {DIRECT}
    assert {leak.part for leak in found.leaks} == {"code word", "number", "title", "heading", "file name"}


async def test_row_level_security_off_alone_lets_nothing_out(house: House, admin: psycopg.Connection) -> None:
    unlock_the_database(admin)
    assert (await house.probe(DIRECT)).leaked == 0


async def test_the_applications_filter_off_alone_lets_nothing_out(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlock_the_application(monkeypatch)
    assert (await house.probe(DIRECT)).leaked == 0


async def test_an_audience_made_of_the_asker_alone_is_noticed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def asker_alone(client: object, place: Place, asker: str, bot: str) -> Audience:
        return Audience(frozenset({asker}))

    monkeypatch.setattr(bot.slack.audiences, "read_audience", asker_alone)
    assert surfaces_of(await house.probe(DIRECT, MIXED)) == {MIXED}


async def test_an_app_or_an_outsider_forgotten_in_the_audience_is_noticed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = bot.slack.places.read_audience

    async def members_alone(client: Any, place: Place, asker: str, bot_id: str) -> Audience:
        heard = await listed(client, place, asker, bot_id)
        infos = {u: (await client.users_info(user=u))["user"] for u in heard.slack_user_ids}
        ours = {u for u, info in infos.items() if info["team_id"] == f"PROBE{TEAM}" and not info["is_bot"]}
        return replace(heard, slack_user_ids=frozenset(ours) | {asker}, complete=True)

    monkeypatch.setattr(bot.slack.audiences, "read_audience", members_alone)
    found = await house.probe("a shared channel with an outsider", "a private channel with another app")
    assert surfaces_of(found) == {"a shared channel with an outsider", "a private channel with another app"}
    assert any(OUTSIDER in leak.to for leak in found.leaks)


async def test_somebody_unknown_who_is_left_out_of_the_audience_is_noticed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = bot.slack.places.read_audience

    async def of_those_known(client: Any, place: Place, asker: str, bot_id: str) -> Audience:
        heard = await listed(client, place, asker, bot_id)
        return replace(heard, slack_user_ids=heard.slack_user_ids - {"U0NOBODY"})

    monkeypatch.setattr(bot.slack.audiences, "read_audience", of_those_known)
    name = "a place with somebody unknown"
    assert surfaces_of(await house.probe(name)) == {name}


async def test_sharing_for_the_askers_rights_is_noticed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    listening = Replier._listening

    async def as_its_asker(self: Replier, question: Question, *, again: bool) -> Listening:
        heard = await listening(self, question, again=again)
        return replace(heard, everybody=heard.asker) if question.purpose == SHARE else heard

    monkeypatch.setattr(Replier, "_listening", as_its_asker)
    name = "Answer here for everybody"
    assert surfaces_of(await house.probe(name)) == {name}


async def test_a_private_part_that_is_posted_for_all_is_noticed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def tell_all(
        self: Outbox, place: Place, user_id: str, said: str, blocks: Sequence[Block], **more: Any
    ) -> str:
        return await self.post(place, said, blocks, **more)

    monkeypatch.setattr(Outbox, "tell_alone", tell_all)
    assert surfaces_of(await house.probe(MIXED)) == {MIXED}


async def test_somebody_deactivated_who_keeps_their_roles_is_noticed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = auth.people.roles_held

    def as_if_still_there(person: Person, *rest: Any) -> frozenset[str]:
        return held(replace(person, active=True), *rest)

    monkeypatch.setattr(auth.rights, "roles_held", as_if_still_there)
    found = await house.probe("somebody deactivated")
    assert surfaces_of(found) == {"somebody deactivated"}


async def test_a_guest_who_holds_what_members_hold_is_noticed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = auth.people.roles_held

    def as_a_member(person: Person, *rest: Any) -> frozenset[str]:
        is_guest = person.kind in auth.people.GUESTS
        return held(replace(person, kind=PersonKind.MEMBER) if is_guest else person, *rest)

    monkeypatch.setattr(auth.rights, "roles_held", as_a_member)
    found = await house.probe("questions that name nothing", limits=replace(SMALL, asks=120))
    assert all("guest" in leak.to for leak in found.leaks)
    assert found.leaks


async def test_rights_that_are_remembered_too_long_are_noticed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    known: dict[str, Rights | None] = {}

    async def once(database: Database, workspace_id: int, user_id: str) -> Rights | None:
        best = await auth.rights.rights_of(database, workspace_id, user_id)
        before = known.get(user_id)
        if before is None or (best is not None and before.clearance.label_ids < best.clearance.label_ids):
            known[user_id] = best
        return known[user_id]

    monkeypatch.setattr(bot.slack.replying, "rights_of", once)
    name = "a right that was taken away"
    assert surfaces_of(await house.probe(name)) == {name}


async def test_rights_that_are_not_read_again_before_sending_are_noticed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    listening, first = Replier._listening, dict[int, Listening]()

    async def as_at_first(self: Replier, question: Question, *, again: bool) -> Listening:
        if question.id not in first:
            first[question.id] = await listening(self, question, again=again)
        return first[question.id]

    monkeypatch.setattr(Replier, "_listening", as_at_first)
    found = await house.probe("changes while an answer is made", "a right that was taken away")
    assert surfaces_of(found) == {"changes while an answer is made"}


async def test_buttons_for_lending_that_anybody_may_press_are_noticed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def an_owner(database: Database, workspace_id: int, user_id: str) -> Rights | None:
        rights = await auth.rights.rights_of(database, workspace_id, user_id)
        return rights and replace(rights, roles=rights.roles | {"probe-owners"})

    monkeypatch.setattr(bot.slack.lending, "rights_of", an_owner)
    name = "Ask somebody who may know"
    assert surfaces_of(await house.probe(name)) == {name}


async def test_a_refusal_that_tells_what_exists_is_noticed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse = Replier._refuse

    async def with_a_hint(self: Replier, question: Question) -> None:
        async with self._database.writing_in(self._workspace_id) as connection:
            rows = await connection.execute(text("SELECT id FROM auth.access_label"))
            every = Clearance(self._workspace_id, frozenset(row.id for row in rows), 1)
        if (await self._assistant.answer(question.text, every)).found:
            said = "I found nothing on that that you can read!"
            await self._say(question, said, plain_blocks(said))
        else:
            await refuse(self, question)

    monkeypatch.setattr(Replier, "_refuse", with_a_hint)
    found = await house.probe("denied and missing")
    assert found.leaks == ()
    assert found.unequal
    assert found.leaked == len(found.unequal)


async def test_a_refusal_that_others_can_see_is_noticed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where all that is missing is refused in private, and what is denied before everybody."""
    refuse = Replier._refuse

    async def in_public(self: Replier, question: Question) -> None:
        async with self._database.writing_in(self._workspace_id) as connection:
            rows = await connection.execute(text("SELECT id FROM auth.access_label"))
            every = Clearance(self._workspace_id, frozenset(row.id for row in rows), 1)
        if (await self._assistant.answer(question.text, every)).found and not question.place.is_direct:
            await self._outbox.post(question.place, "Not for you.", plain_blocks("Not for you."))
        await refuse(self, question)

    monkeypatch.setattr(Replier, "_refuse", in_public)
    assert any("channel" in what for what in (await house.probe("denied and missing")).unequal)


async def test_a_secret_in_the_log_is_noticed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    make = Replier._make
    log = structlog.get_logger("test")

    async def aloud(self: Replier, question: Question, part: Part, *rest: Any, **more: Any) -> Opening | None:
        opening = await make(self, question, part, *rest, **more)
        said = " ".join(source.text for source in opening.telling.sources) if opening else ""
        log.warning("answering", with_words=said)
        return opening

    monkeypatch.setattr(Replier, "_make", aloud)
    found = await house.probe(DIRECT, "log and figures")
    assert {leak.to for leak in found.leaks} == {"the log"}


async def test_a_wall_between_workspaces_that_is_down_is_noticed(
    house: House, admin: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlock_the_database(admin)
    fused = retrieval.search._FUSED.replace("v.workspace_id = :workspace_id AND", "")
    monkeypatch.setattr(retrieval.search, "_FUSED", fused)
    monkeypatch.setattr(retrieval.search, "LABEL_FILTER", "true")
    monkeypatch.setattr(retrieval.search, "insist_on", lambda clearance, found: None)
    async with house.database.writing_in(house.workspace_id) as connection:
        label_id = await intern_label(connection, parse_policy("everyone"))
    note = Submission("note", "note.md", b"The canteen opens at noon.", label_id, "Note")
    await house.means.ingestor.ingest(house.workspace_id, note)
    found = await house.probe("another workspace")
    assert {leak.to for leak in found.leaks} == {"another workspace"}


# The shadow workspace


async def test_what_is_planted_in_the_shadow_is_behind_a_wall_whatever_labels_are_claimed(
    house: House,
) -> None:
    library = Library(house.database, house.means.embeddings)
    canary = new_canary("everyone", random.Random(1))
    async with shadow.shadow_of(house.database, TEAM) as shadow_id:
        rules = with_built_in(await read_rules(house.database, house.workspace_id))
        async with house.database.writing_in(shadow_id) as connection:
            await define_built_in_roles(connection)
        await shadow.plant(house.database, shadow_id, house.means.ingestor, canary, "everyone")
        async with house.database.writing_in(shadow_id) as connection:
            labels = frozenset([await intern_label(connection, parse_policy("everyone"))])
        claimed = Clearance(house.workspace_id, labels, 1)
        assert await library.passages(canary.question, claimed) == []
        assert len(await library.passages(canary.question, Clearance(shadow_id, labels, 1))) == 1
        async with house.database.writing_in(house.workspace_id) as connection:
            seen = await connection.execute(text("SELECT count(*) FROM retrieval.document"))
            assert seen.scalar_one() == 0
    assert set(POLICIES) <= set(rules.policies)
    await _everything_is_gone(house)


async def test_what_a_probe_left_that_crashed_is_removed_by_the_next(house: House) -> None:
    crashed = shadow.shadow_of(house.database, TEAM)
    shadow_id = await crashed.__aenter__()
    async with house.database.writing_in(shadow_id) as connection:
        await define_built_in_roles(connection)
    canary = new_canary("everyone", random.Random(1))
    await shadow.plant(house.database, shadow_id, house.means.ingestor, canary, "everyone")
    assert (await house.probe("home tab and prompts")).leaked == 0
    await _everything_is_gone(house)


async def test_a_bot_that_works_beside_it_answers_its_people_and_they_hear_nothing_of_the_probe(
    parrot_office: Office, embeddings: LocalEmbeddings
) -> None:
    async with ParserProcess() as parser:
        means = Means(
            parrot_office.database, embeddings, Ingestor(parrot_office.database, embeddings, parser)
        )
        running = asyncio.create_task(
            probe(means, parrot_office.workspace_id, "T0TEST", only=(DIRECT,), limits=SMALL)
        )
        for _ in range(3):
            asked = await parrot_office.visitor.dm("enzo", "How many days of paid leave are there?")
            reply = await parrot_office.visitor.wait_for_reply("enzo", "@ostiary", after=asked.ts, timeout=60)
            assert "27 days" in reply.plain
        assert (await running).leaked == 0
    for person in ("pia", "enzo", "gus"):
        assert not any("egister" in words for words in parrot_office.visitor.everything_visible_to(person))


async def test_no_real_workspace_can_be_removed_nor_renamed_to_be_a_probes(house: House) -> None:
    remove = text("SELECT auth.remove_probe(:id)")
    rename = text("UPDATE auth.workspace SET team_id = 'PROBE1' WHERE id = :id")
    for statement, said in ((remove, "Only the workspace of a probe"), (rename, "permission denied")):
        with pytest.raises(DBAPIError, match=said):
            async with house.database.registering() as connection:
                await connection.execute(statement, {"id": house.workspace_id})


async def test_two_probes_do_not_run_at_once(house: House) -> None:
    other = Database(house.urls)
    try:
        first = asyncio.create_task(house.probe("home tab and prompts"))
        async with other.registering() as connection:
            held = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted")
            while (await connection.execute(held)).scalar_one() == 0:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        with pytest.raises(ProbeRunning):
            await probe(replace(house.means, database=other), house.workspace_id, TEAM, limits=SMALL)
        assert (await first).leaked == 0
    finally:
        await other.close()


async def test_a_surface_that_there_is_not_is_refused_by_name(house: House) -> None:
    with pytest.raises(NoSuchSurface, match="carrier pigeons"):
        await house.probe("carrier pigeons")


# The schedule, and what is told


async def test_the_schedule_probes_when_the_last_probe_is_old_enough_and_rings_at_a_leak(
    house: House, admin: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlock_the_database(admin)
    unlock_the_application(monkeypatch)
    with capture_logs() as logged:
        task = asyncio.create_task(
            scheduled_probe(
                house.means,
                house.workspace_id,
                TEAM,
                every_h=1e-6,
                limits=SMALL,
                only=(DIRECT,),
                look_every_s=0.05,
            )
        )
        while not task.done() and await last_probe(house.database, house.workspace_id) is None:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    alarms = [event for event in logged if event["log_level"] == "critical"]
    assert alarms[0]["event"] == "canaries got out"
    assert alarms[0]["leaked"] > 0


async def test_a_workspace_that_was_probed_lately_is_not_probed_again(house: House) -> None:
    assert (await house.probe("home tab and prompts")).leaked == 0
    first = await last_probe(house.database, house.workspace_id)
    task = asyncio.create_task(
        scheduled_probe(house.means, house.workspace_id, TEAM, every_h=24, look_every_s=0.01)
    )
    await asyncio.sleep(0.5)
    task.cancel()
    assert await last_probe(house.database, house.workspace_id) == first


async def test_a_leak_is_told_without_the_secret(
    house: House,
    admin: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    unlock_the_database(admin)
    unlock_the_application(monkeypatch)
    made = []

    def remembered(policy: str, rng: Any) -> Any:
        made.append(new_canary(policy, rng))
        return made[-1]

    monkeypatch.setattr("bot.probe.probing.new_canary", remembered)
    found = await house.probe(DIRECT)
    show(found)
    printed = capsys.readouterr().out
    assert "the code word of a secret" in printed.replace("\n", " ")
    assert "leaks." in printed
    assert not marks(*made).found_in([printed, repr(found)])


def test_the_command_says_what_it_takes() -> None:
    said = CliRunner().invoke(app, ["probe", "--help"])
    assert said.exit_code == 0
    assert "--real-model" in said.output


# The judge's own rules


NOTHING = Rules({}, frozenset(), (), (), (), {})


@pytest.mark.parametrize(
    ("policy", "roles", "may"),
    [
        ("nobody", {"nobody", "everyone"}, False),
        ("everyone", {"everyone"}, True),
        ("finance+leadership", {"finance"}, False),
        ("finance+leadership,hr", {"hr"}, True),
        ("staff+!contractor", {"staff", "contractor"}, False),
        ("!contractor", {"staff"}, False),
    ],
)
def test_a_policy_admits_by_the_plainest_reading(policy: str, roles: set[str], may: bool) -> None:
    assert admits(policy, roles) is may


def test_whoever_is_gone_or_from_outside_holds_nothing_whatever_they_were_given() -> None:
    now, given = datetime.now(UTC), frozenset({("finance", None)})
    for stance in (
        Stance("member", active=False, grants=given),
        Stance("outsider", grants=given),
        Stance("bot", grants=given),
    ):
        assert roles_held(stance, NOTHING, now) == frozenset()


def test_a_guest_holds_everyone_not_even_by_inheritance() -> None:
    rules = replace(NOTHING, inherits=frozenset({("board", "everyone"), ("everyone", "staff")}))
    stance = Stance("guest", grants=frozenset({("board", None)}))
    assert roles_held(stance, rules, datetime.now(UTC)) == {"guest", "board"}


def test_every_set_of_roles_has_somebody_and_beyond_the_limit_the_seed_draws() -> None:
    roles = {f"r{at}": "" for at in range(60)}
    stances = {Stance("member", grants=frozenset({(role, None), ("r0", None)})): 1 for role in roles}
    rules = with_built_in(replace(NOTHING, roles=roles, stances=stances, policies=("r1+r2",)))
    now = datetime.now(UTC)
    whole = cast_for(rules, most=500, rng=random.Random(1), now=now)
    held = {whole.roles(actor, now) for actor in whole.actors}
    assert all(roles_held(stance, rules, now) in held for stance in stances)
    assert any(admits("r1+r2", roles) for roles in held)
    assert whole.left_out == 0
    drawn = [cast_for(rules, most=30, rng=random.Random(1), now=now) for _ in range(2)]
    assert [a.stance for a in drawn[0].actors] == [a.stance for a in drawn[1].actors]
    assert drawn[0].left_out > 0


def marks(*canaries: Canary) -> Marks:
    return Marks({mark: canary.topic for canary in canaries for mark in canary.marks})


@pytest.mark.parametrize(
    "disguise",
    [
        lambda word: " ".join(word),
        lambda word: word.upper(),
        lambda word: "-".join(word) + "!",
        lambda word: word.replace("a", "\u0430").replace("o", "\u043e").replace("e", "\u0435"),
        lambda word: "\u200b".join(word),
        lambda word: "".join(chr(ord(c) + 0xFEE0) for c in word),
        lambda word: f"x{word}x",
        lambda word: "".join(f"{c}\u0301" for c in word),
    ],
)
def test_a_mark_is_found_however_it_is_written(disguise: Any) -> None:
    canary = new_canary("nobody", random.Random(5))
    sought = marks(canary)
    assert sought.found_in([disguise(canary.word)]) == {canary.word}
    assert sought.found_in([canary.content.decode(), canary.title, canary.uri]) == set(canary.marks)
    assert sought.found_in([canary.question, question_about("else")]) == frozenset()
