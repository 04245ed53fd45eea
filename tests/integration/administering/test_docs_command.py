"""`ostiary docs`: what there is, how it stands, what failed, and documents taken in again from their files."""

from pathlib import Path

import pytest

from tests.conftest import CACHE
from tests.integration.administering.conftest import Say

LEAVE = (
    "# Leave\n\nEvery employee has thirty days of paid leave a year, and five more after ten years with us.\n"
)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with the models in it, and a folder of files beside it."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "models").symlink_to(CACHE)
    monkeypatch.setenv("OSTIARY_HOME", str(tmp_path / "home"))
    (tmp_path / "files").mkdir()
    return tmp_path / "files"


def test_documents_are_listed_by_page_and_by_what_they_are(ostiary: Say) -> None:
    first = ostiary("docs", "list", "--limit", "2")
    assert first.startswith(
        "Id Address Readers Collection Owner State 1 handbook everyone answering 2 budget"
    )
    assert first.endswith("There are more: --offset 2.")
    assert ostiary("docs", "list", "--offset", "3").endswith("4 plans finance+leadership answering")
    assert "3 salaries hr" in ostiary("docs", "list", "--readers", "hr")
    assert ostiary("docs", "list", "--readers", "guest") == "No document here is like that."
    ostiary("access", "collection", "define", "books", "--readers", "finance")
    ostiary("access", "collection", "file", "budget", "--in", "books")
    listed = ostiary("docs", "list", "--collection", "books")
    assert "budget" in listed
    assert "plans" not in listed
    assert "States: answering, expired, withdrawn and stale." in ostiary(
        "docs", "list", "--state", "odd", fails=True
    )


def test_words_are_sought_in_what_somebody_may_read_alone(ostiary: Say) -> None:
    assert "3 salaries hr" in ostiary("docs", "search", "salar")
    assert ostiary("docs", "search", "salar", "--as", "odile") == "No document here is like that."


def test_a_document_is_shown_with_its_title_only_to_whoever_may_read_it(ostiary: Say) -> None:
    said = ostiary("docs", "show", "salaries", "--as", "odile")
    assert "Title (not for these eyes)" in said
    assert "Address" not in said
    said = ostiary("docs", "show", "handbook", "--as", "odile")
    assert "Title handbook Address handbook Readers everyone (every full member) Owner nobody" in said
    assert "State answering" in said
    assert "current text/plain 2 handbook" in said


def test_a_document_is_given_an_end_and_an_owner_and_its_history_says_so(ostiary: Say) -> None:
    said = ostiary("docs", "expire", "budget", "--on", "2100-03-03")
    assert said.startswith("Let document 2 answer until the end of 3 March 2100. Nobody gains or loses")
    assert "answering until the end of 3 March 2100" in ostiary("docs", "show", "budget")
    ostiary("docs", "owner", "budget", "--person", "ben")
    said = ostiary("docs", "expire", "budget", "--now")
    assert "@priya loses 1 document." in said
    listed = ostiary("docs", "list", "--state", "expired")
    assert "2 budget finance @ben expired" in listed
    history = ostiary("docs", "history", "budget")
    assert "made @ben the owner of document 2 (budget)" in history
    assert "let document 2 (budget) answer until the end of 3 March 2100" in history
    assert "withdrew document 2 (budget), which had expired" in history
    ostiary("docs", "expire", "budget", "--never")
    assert ostiary("docs", "list", "--state", "expired") == "No document here is like that."


def test_relabel_and_remove_are_those_of_access(ostiary: Say) -> None:
    assert "Gave document 3 the readers finance." in ostiary(
        "docs", "relabel", "salaries", "--readers", "finance"
    )
    assert "Removed document 3 for good." in ostiary("docs", "remove", "salaries")


def test_what_fails_is_kept_until_it_is_in(ostiary: Say, home: Path) -> None:
    file = home / "leave.pdf"
    file.write_bytes(b"%PDF-1.7 nothing behind it")
    ostiary("ingest", str(file), "--readers", "finance", fails=True)
    said = ostiary("docs", "failures")
    assert "leave.pdf" in said
    assert "finance 1" in said
    file.write_text(LEAVE)  # by its content it is text now
    ostiary("ingest", str(file), "--readers", "finance")
    assert ostiary("docs", "failures") == "Nothing failed."
    (home / "empty.md").write_text(" ")
    ostiary("ingest", str(home / "empty.md"), "--readers", "finance", fails=True)
    number = ostiary("docs", "failures").split("Tries ")[1].split()[0]
    assert ostiary("docs", "failures", "--forget", number) == "Let go of 1 failure."


def test_a_copy_is_said_to_be_one_and_a_document_is_taken_in_again_as_it_was(
    ostiary: Say, home: Path
) -> None:
    (home / "leave.md").write_text(LEAVE)
    (home / "copy.md").write_text(LEAVE)
    ostiary(
        "ingest", str(home / "leave.md"), "--readers", "hr", "--title", "Days off", "--expires", "2100-01-01"
    )
    said = ostiary("ingest", str(home / "copy.md"), "--readers", "everyone")
    assert said.startswith("copy.md is the same file as document 5. 1 added, 0 failed;")
    assert "Like it the same file as document 6" in ostiary("docs", "show", "5")
    assert ostiary("docs", "refresh", "5") == "Document 5 is unchanged."
    (home / "leave.md").write_text(LEAVE.replace("thirty", "forty"))
    assert ostiary("docs", "refresh", "5") == "Document 5 has a new version with 1 passage."
    ostiary("roles", "grant", "hr", "odile")
    shown = ostiary("docs", "show", "5", "--as", "odile")
    assert shown.count("Days off") == 3
    assert "hr (hr)" in shown
    assert "answering until the end of 1 January 2100" in shown
    (home / "leave.md").unlink()
    assert "There is no file" in ostiary("docs", "refresh", "5", fails=True)
    ostiary("docs", "expire", "6", "--now")
    assert ostiary("docs", "refresh", "6") == "Document 6 is unchanged. It has expired, and does not answer."


def test_documents_of_another_embedder_are_indexed_anew_once(ostiary: Say) -> None:
    assert ostiary("docs", "reindex", "--dry-run") == "4 documents to index anew."
    assert ostiary("docs", "reindex", "budget") == "Indexed anew: 1 document, 2 passages."
    ostiary("access", "change", "salaries", "--readers", "nobody")
    said = ostiary("docs", "reindex")
    assert said.startswith("Indexed anew: 2 documents, 4 passages.")
    assert "Left as they are: 1 document, closed to everybody" in said
    assert ostiary("docs", "reindex", "budget") == "0 documents to index anew."
    assert ostiary("docs", "reindex", "budget", "--all") == "Indexed anew: 1 document, 2 passages."
    assert "There is no document" in ostiary("docs", "reindex", "nowhere.md", fails=True)
