"""`ostiary sources`, as somebody types it."""

import json
import os
import re
from pathlib import Path

import pytest

from tests.integration.administering.conftest import Say
from tests.integration.sources.test_loaders import LOADERS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "handbook"
    made.mkdir()
    (made / "parking.md").write_text("# Parking\n\nGuests park on deck three of the garage.")
    (made / "bands.md").write_text("# Bands\n\nA junior engineer earns fifty thousand a year.")
    return made


def test_a_folder_is_kept_shown_paused_read_and_removed(ostiary: Say, folder: Path) -> None:
    said = ostiary("sources", "add", str(folder), "--readers", "finance", "--every", "12h")
    assert f"Kept {folder} as a source, for the readers finance, read every 12 hours." in said
    assert "It is source 1." in said
    assert "Source 1: 2 added, 0 updated, 0 unchanged, 0 withdrawn, 0 failed." in said
    listed = ostiary("sources", "list")
    assert f"1 path {folder} finance every 12 hours" in listed
    assert "parking.md answers" in ostiary("sources", "show", "1")
    change = re.search(r"Undo: ostiary access undo (\d+)$", ostiary("sources", "pause", "1"))
    assert change is not None
    assert "is paused" in ostiary("sources", "refresh", "1", fails=True)
    ostiary("access", "undo", change[1])
    assert "2 unchanged" in ostiary("sources", "refresh", "1")
    assert "removed source 1, with its documents, for good" in ostiary(
        "sources", "remove", "1", "--with-documents", "--dry-run"
    )
    said = ostiary("sources", "remove", "1", "--with-documents")
    assert "This cannot be undone." in said
    assert ostiary("sources", "list").startswith("No source is kept yet.")
    log = ostiary("audit", "search")
    for happened in (
        "kept source 1 of documents",
        "paused source 1",
        "took up again source 1",
        "removed source 1",
    ):
        assert happened in log, log


def test_a_source_gets_other_readers_and_the_ones_that_it_had_back(ostiary: Say, folder: Path) -> None:
    ostiary("sources", "add", str(folder), "--readers", "finance")
    ostiary("access", "change", "bands.md", "--readers", "leadership")
    assert "Nothing is changed (--dry-run)" in ostiary(
        "sources", "relabel", "1", "--readers", "hr", "--dry-run"
    )
    assert "finance when asked to" in ostiary("sources", "list")
    said = ostiary("sources", "relabel", "1", "--readers", "hr")
    assert "Gave source 1 and what came from it the readers hr." in said
    assert "Left as it is, with readers of its own: 1 document in it." in said
    assert "hr when asked to" in ostiary("sources", "list")
    assert "parking.md hr" in ostiary("docs", "list")
    assert "bands.md leadership" in ostiary("docs", "list")
    log = ostiary("audit", "search")
    assert "let what comes from source 1 of documents" in log
    assert "be for hr (label" in log
    change = re.search(r"Undo: ostiary access undo (\d+)$", said)
    assert change is not None
    ostiary("access", "undo", change[1])
    assert "parking.md finance" in ostiary("docs", "list")
    assert "finance when asked to" in ostiary("sources", "list")
    for words, why in (
        ((), "Say who may read it"),
        (("--label-by", "a=b:hr"), "has the same readers"),
        (("--readers", "no-such-role"), "no-such-role"),
    ):
        assert why in ostiary("sources", "relabel", "1", *words, fails=True)
    assert "There is no source 7" in ostiary("sources", "relabel", "7", "--readers", "hr", fails=True)


def test_of_several_with_one_reference_the_one_just_kept_is_read(
    ostiary: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "loaders_of_ours.py").write_text(LOADERS)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    for number, pages in ((1, 1), (2, 2)):
        written = [{"id": f"{number}.{n}", "text": f"Page {number}.{n} of a wiki."} for n in range(pages)]
        file = tmp_path / f"{number}.json"
        file.write_text(json.dumps(written))
        arguments = json.dumps({"file": str(file)})
        said = ostiary(
            "sources", "add", "loaders_of_ours.Wiki", "--loader", "--readers", "hr", "--arguments", arguments
        )
        assert f"Source {number}: {pages} added" in said


def test_to_ingest_with_a_schedule_is_to_keep(ostiary: Say, folder: Path) -> None:
    said = ostiary("ingest", str(folder), "--readers", "everyone", "--every", "24h")
    assert "Source 1: 2 added" in said
    assert "every day" in ostiary("sources", "list")


def test_what_is_unclear_is_said_and_nothing_is_kept(ostiary: Say, folder: Path) -> None:
    for words, said in (
        ((str(folder),), "Say who may read it"),
        ((str(folder / "nowhere"), "--readers", "hr"), "There is no file or folder"),
        ((str(folder), "--readers", "no-such-role"), "no-such-role"),
        ((str(folder), "--readers", "hr", "--every", "1m"), "every 15 minutes at most"),
        ((str(folder), "--readers", "hr", "--label-by", "a=b:hr"), "are for loaders"),
        (("x.Y", "--loader", "--label-by", "department=finance"), "names no readers"),
        (("x.Y", "--loader", "--label-by", "a=b:hr", "--label-by", "c=d:hr"), "One field decides"),
        (("x.Y", "--loader", "--readers", "hr", "--arguments", "[1]"), "Arguments go by name"),
        (
            ("x.Y", "--loader", "--readers", "hr", "--arguments", '{"api_key": "k"}'),
            "is a secret, and arguments are stored",
        ),
    ):
        assert said in ostiary("sources", "add", *words, fails=True), words
    assert ostiary("sources", "list").startswith("No source is kept yet.")
