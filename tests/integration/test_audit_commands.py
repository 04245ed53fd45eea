"""`ostiary audit`: what administrators on the machine see of the log, and what they can do with it."""

import csv
import hashlib
import json
import stat
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from auth.audiences import intern_audience
from auth.audit import ANSWER_SENT, record
from auth.database import WORKSPACE, Database, DatabaseUrls
from auth.directory import PersonFacts, find_people, upsert_people
from auth.granting import define_role, grant
from auth.labelling import intern_label
from auth.labels import parse_policy
from auth.people import PersonKind
from auth.rights import Audience
from bot.cli import main
from bot.cli.output import out

ADA = PersonFacts("UADA", "ada", "Ada", PersonKind.MEMBER)
BEN = PersonFacts("UBEN", "ben", "Ben", PersonKind.MEMBER)
Ostiary = Callable[..., tuple[int, str]]
_ADD_DOCUMENT = text(
    "INSERT INTO retrieval.document (workspace_id, label_id, uri, title)"
    f" VALUES ({WORKSPACE}, :label_id, 'file:pay.md', 'What everybody earns') RETURNING id"
)


@pytest.fixture
async def document_id(database: Database, workspace_id: int) -> int:
    """Ada, in finance, was told something from a document for finance; Ben was refused."""
    async with database.writing_in(workspace_id, actor="UBOSS") as connection:
        await upsert_people(connection, [ADA, BEN])
        await define_role(connection, "finance")
        ada = (await find_people(connection, ["UADA"]))["UADA"]
        await grant(connection, ada, "finance", granted_by="UBOSS", reason="she counts [not red]")
        label_id = await intern_label(connection, parse_policy("finance"))
        added = int((await connection.execute(_ADD_DOCUMENT, {"label_id": label_id})).scalar_one())
    async with database.writing_in(workspace_id) as connection:
        audience_id = await intern_audience(connection, Audience(frozenset({"UADA"})))
        about = {"question": 1, "answer": 1, "part": "asker", "asker": "UADA", "audience": audience_id}
        await record(connection, ANSWER_SENT, {**about, "documents": [added]}, person="UADA")
        await record(connection, "question.refused", {"question": 2, "größe": 'ein "Maß"\n'}, person="UBEN")
    return added


@pytest.fixture
def ostiary(
    urls: DatabaseUrls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Ostiary:
    """Runs a command on the test's database; gives its exit code and all that it says, blanks made one."""
    assert urls.app
    assert urls.reader
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OSTIARY_TEST_CACHE", raising=False)
    monkeypatch.setenv("OSTIARY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DATABASE_URL", urls.admin)
    monkeypatch.setenv("DATABASE_APP_URL", urls.app)
    monkeypatch.setenv("DATABASE_READER_URL", urls.reader)
    monkeypatch.setattr(out, "_width", 250)

    def run(*words: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["ostiary", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return int(str(ended.value.code or 0)), " ".join((captured.out + captured.err).split())

    return run


def meddle(urls: DatabaseUrls, statement: str) -> None:
    """As somebody who owns the machine: past triggers and walls."""
    with psycopg.connect(urls.admin, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(statement)


def today(days: int = 0) -> str:
    return f"{datetime.now(UTC) + timedelta(days=days):%Y-%m-%d}"


@pytest.mark.usefixtures("document_id")
def test_the_log_is_searched_by_person_and_kind_and_told_in_sentences(ostiary: Ostiary) -> None:
    code, said = ostiary("audit", "search", "--person", "@ada", "--kind", "grant")
    assert code == 0
    assert "UBOSS gave @ada the role finance, saying: she counts [not red]." in said
    assert "refused" not in ostiary("audit", "search", "--person", "UADA")[1]


def test_a_document_is_looked_for_by_its_id_or_address_and_its_title_is_never_shown(
    ostiary: Ostiary, document_id: int
) -> None:
    by_id, by_uri = (
        ostiary("audit", "search", "--document", name) for name in (str(document_id), "file:pay.md")
    )
    assert by_id == by_uri
    assert f"UBOSS added document {document_id} (file:pay.md), for finance" in by_id[1]
    assert f"Ostiary answered @ada alone, from document {document_id} (file:pay.md)." in by_id[1]
    assert "earns" not in by_id[1]


@pytest.mark.usefixtures("document_id")
def test_a_search_is_bounded_by_days_and_shown_in_pages(ostiary: Ostiary) -> None:
    nothing = "The audit log has nothing like that."
    assert ostiary("audit", "search", "--until", today(-1)) == (0, nothing)
    assert ostiary("audit", "search", "--since", today(1)) == (0, nothing)
    first = ostiary("audit", "search", "--since", today(), "--until", today(), "--limit", "1")[1]
    assert "found nothing for @ben" in first
    before = first.rpartition("--before ")[2].removesuffix(".")
    assert "answered @ada" in ostiary("audit", "search", "--limit", "1", "--before", before)[1]


@pytest.mark.usefixtures("document_id")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("search", "--person", "eve"), "Error: Nobody here is called 'eve'."),
        (
            ("search", "--document", "file:x.md"),
            "Error: No document with the address file:x.md was ever here.",
        ),
        (("who-could-see", "999", "--on", "2026-03-01"), "Error: No document with the id 999 was ever here."),
        (("who-could-see", "file:pay.md", "--on", "2020-03-01"), "says nothing of 2020-03-01"),
        (("withdraw", "--before", "2999-01-01"), "Error: 2999-01-01 is yet to come."),
    ],
)
def test_what_cannot_be_answered_is_said_in_a_sentence(
    ostiary: Ostiary, words: tuple[str, ...], said: str
) -> None:
    code, heard = ostiary("audit", *words)
    assert code == 1
    assert said in heard


@pytest.mark.usefixtures("document_id")
def test_a_whole_log_is_said_to_be_and_its_end_noted_once(ostiary: Ostiary, tmp_path: Path) -> None:
    for earlier in (0, 1, 1):
        code, said = ostiary("audit", "verify")
        assert code == 0
        assert "events, whole" in said
        assert f"{earlier} end{'s' if earlier != 1 else ''} noted earlier" in said
    (line,) = (tmp_path / "home" / "audit-anchors.jsonl").read_text().splitlines()
    noted = json.loads(line)
    assert (noted["workspace"], noted["date"][:10]) == ("T0TEST", today())
    assert f"event {noted['seq']}, {noted['hash']}" in said


@pytest.mark.usefixtures("document_id")
def test_a_log_that_was_cut_off_with_its_end_is_found_by_the_noted_one(
    ostiary: Ostiary, urls: DatabaseUrls
) -> None:
    assert ostiary("audit", "verify")[0] == 0
    meddle(
        urls,
        "DELETE FROM auth.audit_event WHERE kind = 'question.refused'; UPDATE auth.audit_head h SET"
        " (seq, hash) = (SELECT e.seq, e.hash FROM auth.audit_event e ORDER BY e.seq DESC LIMIT 1)",
    )
    code, said = ostiary("audit", "verify")
    assert code == 1
    assert "is not the one that was noted outside the database." in said
    assert ostiary("audit", "verify", "--no-anchor")[0] == 0


@pytest.mark.usefixtures("document_id")
def test_an_altered_event_is_named_and_no_end_is_noted(
    ostiary: Ostiary, urls: DatabaseUrls, tmp_path: Path
) -> None:
    meddle(urls, "UPDATE auth.audit_event SET actor = 'UEVE' WHERE kind = 'grant.added'")
    code, said = ostiary("audit", "verify")
    assert code == 1
    assert "(grant.added," in said
    assert "was altered." in said
    assert not (tmp_path / "home" / "audit-anchors.jsonl").exists()


@pytest.mark.usefixtures("document_id")
def test_without_anchors_nothing_is_noted(ostiary: Ostiary, tmp_path: Path) -> None:
    assert ostiary("audit", "verify", "--no-anchor")[0] == 0
    assert not (tmp_path / "home").exists()


@pytest.mark.usefixtures("document_id")
@pytest.mark.parametrize("line", ["{}", "not json", '["seq"]', '{"workspace": "T", "seq": "x", "hash": ""}'])
def test_a_spoilt_file_of_anchors_is_said_to_be(ostiary: Ostiary, tmp_path: Path, line: str) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "audit-anchors.jsonl").write_text(f"{line}\n")
    code, said = ostiary("audit", "verify")
    assert code == 1
    assert "Line 1 of" in said
    assert "is no anchor." in said


@pytest.mark.usefixtures("document_id")
def test_ends_of_other_workspaces_are_left_alone(ostiary: Ostiary, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "audit-anchors.jsonl").write_text(
        '{"workspace": "T0OTHER", "seq": 1, "hash": "00"}\n'
    )
    assert ostiary("audit", "verify")[0] == 0


def test_who_could_see_names_readers_roles_and_answers_of_the_day(ostiary: Ostiary, document_id: int) -> None:
    code, said = ostiary("audit", "who-could-see", "file:pay.md", "--on", today())
    assert code == 0
    assert "@ada Ada" in said
    assert "finance" in said
    assert "Answers that were made from it that day:" in said
    assert "@ben" not in said
    assert "earns" not in said


def test_answers_that_cannot_be_shown_to_be_right_end_with_code_1(
    ostiary: Ostiary, document_id: int, urls: DatabaseUrls
) -> None:
    code, said = ostiary("audit", "check-answers")  # the log tells of one of which there is no record
    assert code == 1
    assert "its record was removed" in said
    meddle(
        urls,
        "INSERT INTO bot.question (workspace_id, id, event_id, channel_id, channel_type, message_ts, asker_slack_id, text)"
        " VALUES (1, 1, 'E', 'C', 'im', '1', 'UADA', '?'); INSERT INTO bot.answer (workspace_id, question_id, part, text,"
        " label_ids, chunk_ids, policy_version, clearance, model, message_ts) VALUES (1, 1, 'asker', '', '{}', '{}', 1, '', '', '1')",
    )
    code, said = ostiary("audit", "check-answers")
    assert code == 1
    assert "(to question 1): It was sent without a last look" in said
    assert "1 checked, 1 wrong" in said
    assert ostiary("audit", "check-answers", "--since", today(1))[0] == 0


def recomputed(row: dict[str, Any]) -> tuple[str, str]:
    """The hashes of an exported event, by the recipe in the command's help and nothing of Ostiary."""
    details_hash = row["details_hash"]
    if row["details"] is not None:
        details_hash = hashlib.sha256(row["details"].encode()).hexdigest()
    names = ("workspace_id", "seq", "at", "actor", "kind", "relation", "subject", "person", "document_id")
    array = json.dumps([row[name] for name in (*names, "policy_version", "change_id")], ensure_ascii=False)
    chained = bytes.fromhex(row["previous"]) + bytes.fromhex(details_hash) + array.encode()
    return details_hash, hashlib.sha256(chained).hexdigest()


def from_csv(row: dict[str, str]) -> dict[str, Any]:
    numbers = {"workspace_id", "seq", "document_id", "policy_version", "change_id"}
    kept = {"previous", "hash", "details_hash"}
    return {
        name: value if name in kept else None if value == "" else int(value) if name in numbers else value
        for name, value in row.items()
    }


@pytest.mark.parametrize("form", ["jsonl", "csv"])
@pytest.mark.usefixtures("document_id")
def test_the_chain_of_an_export_is_recomputed_without_the_database(
    ostiary: Ostiary, urls: DatabaseUrls, tmp_path: Path, form: str
) -> None:
    meddle(urls, "UPDATE auth.audit_event SET details = NULL WHERE kind = 'answer.sent'")
    file = tmp_path / "log"
    code, said = ostiary("audit", "export", str(file), "--format", form)
    with file.open(encoding="utf-8", newline="") as lines:
        rows = (
            [json.loads(line) for line in lines]
            if form == "jsonl"
            else [from_csv(r) for r in csv.DictReader(lines)]
        )
    assert code == 0
    assert f"{len(rows)} events written" in said
    assert [recomputed(row) for row in rows] == [(row["details_hash"], row["hash"]) for row in rows]
    assert rows[0]["previous"] == ""
    assert all(later["previous"] == earlier["hash"] for earlier, later in pairwise(rows))
    assert sum(row["details"] is None for row in rows) == 1


@pytest.mark.usefixtures("document_id")
def test_an_export_shows_what_was_altered(ostiary: Ostiary, urls: DatabaseUrls, tmp_path: Path) -> None:
    meddle(urls, "UPDATE auth.audit_event SET person = 'UEVE' WHERE kind = 'grant.added'")
    ostiary("audit", "export", str(tmp_path / "log"))
    rows = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert [row["kind"] for row in rows if recomputed(row)[1] != row["hash"]] == ["grant.added"]


@pytest.mark.usefixtures("document_id")
def test_an_export_is_for_its_owners_eyes_and_overwrites_nothing(ostiary: Ostiary, tmp_path: Path) -> None:
    file = tmp_path / "log"
    assert ostiary("audit", "export", str(file))[0] == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    code, said = ostiary("audit", "export", str(file))
    assert code == 1
    assert said.startswith("Error: There is a file")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log"]


@pytest.mark.usefixtures("document_id")
def test_an_export_that_fails_leaves_nothing_behind(
    ostiary: Ostiary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OSTIARY_WORKSPACE", "T0NOWHERE")
    assert ostiary("audit", "export", str(tmp_path / "log"))[0] == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("document_id")
def test_withdrawn_details_are_counted_by_verify_and_told_by_search(
    ostiary: Ostiary, urls: DatabaseUrls
) -> None:
    assert ostiary("audit", "withdraw", "--before", today()) == (
        0,
        f"No event before {today()} had details to withdraw.",
    )
    age_the_log(urls)
    code, said = ostiary("audit", "withdraw", "--before", today())
    assert (code, said) == (0, f"The details of 2 events before {today()} are gone for good.")
    code, said = ostiary("audit", "verify")
    assert code == 0
    assert "the details of 2 events, their time being over" in said
    said = ostiary("audit", "search", "--limit", "2")[1]
    assert "Somebody on the command line withdrew the details of 2 events before" in said
    assert "Ostiary: question.refused for @ben; the details were withdrawn, their time being over." in said
    assert "the role finance, saying: she counts" in ostiary("audit", "search", "--kind", "grant")[1]


def age_the_log(urls: DatabaseUrls) -> None:
    """Make everything two days older, its hashes worked out anew, as if it had been written then."""
    with psycopg.connect(urls.admin, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("UPDATE auth.audit_event SET at = at - interval '2 days'")
        previous = b""
        for (seq,) in connection.execute("SELECT seq FROM auth.audit_event ORDER BY seq").fetchall():
            connection.execute("UPDATE auth.audit_event SET previous = %s WHERE seq = %s", (previous, seq))
            connection.execute(
                "UPDATE auth.audit_event e SET hash = auth.event_hash(e) WHERE seq = %s", (seq,)
            )
            (previous,) = connection.execute(
                "SELECT hash FROM auth.audit_event WHERE seq = %s", (seq,)
            ).fetchone() or (b"",)
        connection.execute("UPDATE auth.audit_head SET hash = %s", (previous,))
