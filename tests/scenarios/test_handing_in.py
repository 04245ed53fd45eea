"""What admins hand in beside single files: a form, archives, messages and threads; how far it is, and stopping it."""

import asyncio
import io
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from auth.database import WORKSPACE
from auth.directory import person_called
from auth.granting import grant, list_roles
from auth.labels import parse_policy
from auth.rights import rights_of
from auth.sources import list_sources
from bot.administering.administration import COMMAND_LINE, Administration
from bot.administering.changes import DefineCollection
from bot.sandbox.seen import SeenMessage
from bot.sandbox.state_values import Given
from bot.sandbox.visitor import NewFile
from bot.slack.ingesting import ADMINS_ONLY
from bot.slack.intake_views import ADD_MESSAGE, ADD_THREAD
from bot.slack.views import CANCEL_INGESTION
from retrieval.embedding import LocalEmbeddings
from retrieval.ingestion import Ingestor, Outcome, Submission
from tests.scenarios.administering.moves import command, give, modal, submit
from tests.scenarios.conftest import Office

PATIENCE_S = 60
_URIS = text(f"SELECT uri FROM retrieval.document WHERE workspace_id = {WORKSPACE}")
_FAILED = text(f"SELECT uri, reason FROM retrieval.failure WHERE workspace_id = {WORKSPACE}")
_READERS = text(
    "SELECT l.policy FROM retrieval.document d JOIN auth.access_label l ON l.workspace_id = d.workspace_id"
    f" AND l.id = d.label_id WHERE d.workspace_id = {WORKSPACE} AND d.uri LIKE :uri"
)
_STANDS = text(
    "SELECT d.expires_at::date::text, c.name FROM retrieval.document d LEFT JOIN retrieval.collection c"
    f" ON c.workspace_id = d.workspace_id AND c.id = d.collection_id WHERE d.workspace_id = {WORKSPACE} AND uri = :uri"
)


@pytest.fixture
def office(parrot_office: Office) -> Office:
    return parrot_office


async def told(office: Office, containing: str, person: str = "pia") -> SeenMessage:
    return await office.visitor.wait_for_reply(person, "@ostiary", containing=containing, timeout=PATIENCE_S)


async def rows(office: Office, statement: object, **values: object) -> list[tuple[object, ...]]:
    async with office.database.writing_in(office.workspace_id) as connection:
        return [tuple(row) for row in await connection.execute(statement, values)]  # type: ignore[call-overload]


async def readable(office: Office, person: str) -> set[str]:
    """The titles that somebody may read."""
    rights = await rights_of(office.database, office.workspace_id, office.visitor.who(person).user_id)
    assert rights is not None
    async with office.database.reading_as(rights.clearance) as reader:
        return {row.title for row in await reader.execute(text("SELECT title FROM retrieval.document"))}


def zipped(files: Mapping[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()


async def hand_in(office: Office, files: Mapping[str, bytes], **values: Given) -> None:
    await command(office, "/ingest")
    ids = [await office.visitor.upload("pia", name, content) for name, content in files.items()]
    assert (await submit(office, {"files": ids, "readers": ["people"], **values})).acknowledged


async def test_the_form_takes_a_file_with_its_end_date_and_collection(office: Office) -> None:
    collection = DefineCollection("Rules", parse_policy("people"), lent_for=timedelta(days=1))
    await Administration(office.database, office.workspace_id).carry_out(collection, COMMAND_LINE)
    await command(office, "/ingest")
    (number,) = [
        o["value"]
        for b in modal(office).blocks
        if b["block_id"] == "collection"
        for o in b["element"]["options"]
    ]
    file_id = await office.visitor.upload("pia", "deck.md", b"# Parking\n\nGuests park on deck 3.")
    await submit(
        office,
        {
            "files": [file_id],
            "readers": ["people"],
            "collection": number,
            "expires": "2100-01-01",
            "title": "Decks",
        },
    )
    assert (
        await told(office, "was added")
    ).plain == "Decks was added for people: 1 passage can be found now."
    assert await rows(office, _STANDS, uri=f"slack-file:{file_id}") == [("2100-01-02", "Rules")]


async def test_text_and_an_address_go_through_the_same_form(office: Office) -> None:
    await command(office, "/ingest")
    assert (await submit(office, {"readers": ["people"]})).field_errors == {
        "files": "Choose a file or a channel, or give an address or a text."
    }
    await submit(office, {"given": "The canteen opens at 11:45.", "readers": ["people"]})
    assert "The canteen opens at 11:45 was added for people" in (await told(office, "was added")).plain


async def test_an_archive_is_taken_apart_and_what_cannot_be_read_is_named_while_the_rest_goes_on(
    office: Office,
) -> None:
    files = {
        "a/leave.md": b"# Leave\n\nThirty days.",
        "broken.pdf": b"%PDF-1.7 nothing behind it",
        "rules.txt": b"No dogs in the office.",
    }
    await hand_in(office, {"all.zip": zipped(files)})
    said = (await told(office, "not added")).plain
    assert "2 added for people: 2 new passages." in said
    assert "1 not added:\n• all.zip/broken.pdf is damaged" in said
    assert {"Leave", "rules"} <= await readable(office, "pia")
    ((uri, reason),) = await rows(office, _FAILED)
    assert str(uri).endswith("#broken.pdf")
    assert "broken.pdf" in str(reason)


async def test_a_file_of_somebody_else_is_not_taken_by_its_id(office: Office) -> None:
    theirs = await office.visitor.dm("enzo", "", files=[NewFile("mine.md", b"# Mine\n\nEnzo's own.")])
    await told(office, ADMINS_ONLY, "enzo")
    before = await rows(office, _URIS)
    await command(office, "/ingest")
    view = modal(office)
    file_id = office.sandbox.sandbox.workspace.message(theirs.channel_id, theirs.ts).files[0]  # type: ignore[union-attr]
    await office.visitor.submit_view("pia", view.id, {"files": [file_id], "readers": ["people"]})
    assert "That file is not yours." in (await told(office, "not added")).plain
    assert await rows(office, _URIS) == before


async def test_a_message_is_added_with_its_files_for_whom_the_admin_chose(office: Office) -> None:
    files = [NewFile("deck.md", b"# Parking\n\nGuests park on deck 3.")]
    message = await office.visitor.post("enzo", "#general", "The lift is out of order.", files=files)
    await office.visitor.shortcut("pia", message.ts, "#general", ADD_MESSAGE)
    await submit(office, {"readers": ["people"]})
    said = (await told(office, "added")).plain
    assert said == "2 added for people: 2 new passages."
    assert "Parking" in await readable(office, "pia")
    assert "Parking" not in await readable(office, "enzo")


@pytest.mark.parametrize("callback_id", [ADD_MESSAGE, ADD_THREAD])
async def test_a_shortcut_is_refused_to_who_is_no_admin_and_where_the_bot_is_not(
    office: Office, callback_id: str
) -> None:
    message = await office.visitor.post("enzo", "#general", "The lift is out of order.")
    await office.visitor.shortcut("enzo", message.ts, "#general", callback_id)
    assert (await told(office, ADMINS_ONLY, "enzo")).plain == ADMINS_ONLY
    assert not office.visitor.views_open_for("enzo")


async def test_a_thread_is_added_for_who_is_in_its_channel_as_long_as_they_are(office: Office) -> None:
    root = await office.visitor.post("pia", "#people", "How do we onboard?")
    await office.visitor.post("pia", "#people", "With a buddy.", thread_ts=root.ts)
    await office.visitor.shortcut("pia", root.ts, "#people", ADD_THREAD)
    assert "Only who is in #people may read it" in modal(office).plain
    await submit(office)
    await told(office, "was added")
    title = "#people: How do we onboard?"
    assert title in await readable(office, "pia")
    assert title not in await readable(office, "enzo")
    await office.visitor.invite("#people", "enzo")
    await eventually(office, "enzo", title, there=True)
    await office.visitor.leave("pia", "#people")
    await eventually(office, "pia", title, there=False)


async def eventually(office: Office, person: str, title: str, *, there: bool) -> None:
    async with asyncio.timeout(60):
        while (title in await readable(office, person)) is not there:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_a_message_of_a_private_channel_is_never_for_others_than_its_members(office: Office) -> None:
    message = await office.visitor.post("pia", "#people", "Bonuses are paid in May.")
    await office.visitor.shortcut("pia", message.ts, "#people", ADD_MESSAGE)
    await submit(office, {"readers": ["everyone"]})
    await told(office, "was added")
    ((policy,),) = await rows(office, _READERS, uri="slack-message:%")
    assert "+" in str(policy)
    assert str(policy).startswith("everyone+in-")
    assert "Bonuses are paid in May." not in await readable(office, "enzo")


async def test_what_the_bot_said_is_no_part_of_a_thread(office: Office) -> None:
    asked = await office.visitor.post("pia", "#people", "@ostiary What does a senior engineer earn?")
    await office.visitor.wait_for_reply("pia", "#people", thread_ts=asked.ts, timeout=PATIENCE_S)
    await office.visitor.shortcut("pia", asked.ts, "#people", ADD_THREAD)
    await submit(office)
    await told(office, "was added")
    async with office.database.writing_in(office.workspace_id) as connection:
        await grant(connection, await person_called(connection, "pia"), "people", granted_by="test")
    rights = await rights_of(office.database, office.workspace_id, office.visitor.who("pia").user_id)
    assert rights is not None
    async with office.database.reading_as(rights.clearance) as reader:
        said = " ".join(
            row.text
            for row in await reader.execute(
                text(
                    "SELECT c.text FROM retrieval.chunk c JOIN retrieval.document d ON d.id = c.document_id"
                    " AND d.workspace_id = c.workspace_id WHERE d.uri LIKE 'slack-thread:%'"
                )
            )
        )
    assert "What does a senior engineer earn?" in said
    assert "78,000" not in said


async def test_a_long_hand_in_tells_how_far_it_is_and_can_be_cancelled(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, release = asyncio.Event(), asyncio.Event()
    real = Ingestor.ingest

    async def held(
        self: Ingestor, workspace_id: int, submission: Submission, *rest: object, **named: object
    ) -> Outcome:
        if submission.name.endswith("2.md"):
            slow.set()
            await release.wait()
        return await real(self, workspace_id, submission, *rest, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Ingestor, "ingest", held)
    await hand_in(office, {f"{n}.md": f"# Rule {n}\n\nRule number {n}.".encode() for n in (1, 2, 3)})
    await slow.wait()
    shown = await told(office, "Reading 2 of 3: 2.md ...")
    assert "Rule 1" in await readable(office, "pia")
    await office.visitor.click("pia", shown.ts, "@ostiary", CANCEL_INGESTION)
    ended = await told(office, "Cancelled")
    assert ended.ts == shown.ts
    assert ended.plain.startswith("Cancelled: 1 of 3 were done before.\n1 added for people: 1 new passage.")
    assert all(block["type"] != "actions" for block in ended.blocks)
    assert not {"Rule 2", "Rule 3"} & await readable(office, "pia")
    release.set()


async def test_the_message_that_told_how_far_it_was_ends_in_what_became_of_it(
    office: Office, embeddings: LocalEmbeddings, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Ingestor.ingest

    async def slowly(self: Ingestor, *given: object, **named: object) -> object:
        await asyncio.sleep(1.8)
        return await real(self, *given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Ingestor, "ingest", slowly)
    await hand_in(office, {"deck.md": b"# Parking\n\nGuests park on deck 3."})
    shown = await told(office, "Reading deck.md ...")
    ended = await told(office, "was added")
    assert ended.ts == shown.ts
    await give(office, "enzo", "people")
    assert "Parking" in await readable(office, "enzo")


async def test_a_channel_is_kept_for_who_is_in_it_and_follows_what_is_said(office: Office) -> None:
    root = await office.visitor.post("pia", "#people", "How do we onboard?")
    await office.visitor.post("pia", "#people", "With a buddy.", thread_ts=root.ts)
    await office.visitor.post("pia", "#people", "Bonuses are paid in May.")
    await command(office, "/ingest")
    await submit(office, {"channel": "#people"})
    assert (await told(office, "is kept from now on")).plain.startswith(
        "#people is kept from now on, for who is in it"
    )
    await eventually(office, "pia", "#people: How do we onboard?", there=True)
    day = f"{datetime.fromtimestamp(float(root.ts), UTC):%Y-%m-%d}"
    await eventually(office, "pia", f"#people, {day}", there=True)
    assert not {title for title in await readable(office, "enzo") if "#people" in title}
    async with office.database.writing_in(office.workspace_id) as connection:
        assert (await list_roles(connection))["in-c0people"] == "Is in a private channel"
        shown = [source.in_words for source in await list_sources(connection)]
        assert [words for words in shown if "channel" in words] == ["the private channel C0PEOPLE"]
    await command(office, "/ingest")
    await submit(office, {"channel": "#people"})
    assert "is kept already, as source" in (await told(office, "kept already")).plain


async def test_an_answer_of_the_bot_is_not_added_under_other_readers(office: Office) -> None:
    asked = await office.visitor.dm("pia", "What does a senior engineer earn?")
    answer = await office.visitor.wait_for_reply("pia", "@ostiary", timeout=PATIENCE_S)
    assert answer.ts > asked.ts
    await office.visitor.shortcut("pia", answer.ts, "@ostiary", ADD_MESSAGE)
    await told(office, "I add only what people wrote")
    assert not office.visitor.views_open_for("pia")
