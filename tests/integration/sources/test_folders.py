"""A folder that is kept: what changes in it changes here, and nothing else does."""

import os
import shutil
import zipfile
from pathlib import Path

import pytest

from auth.labelling import read_labels
from auth.labels import parse_policy
from bot.administering.administration import Administration
from bot.administering.changes import (
    AddSource,
    CannotChange,
    DefineCollection,
    PauseSource,
    RelabelDocuments,
    RemoveDocuments,
    RemoveSource,
    ResumeSource,
    UndoChange,
)
from retrieval.failing import list_failures
from retrieval.sources import files
from retrieval.sources.kept import Counts, Kind, SourceKept, UnknownSource
from retrieval.sources.ledger import SourceStopped
from retrieval.sources.refreshing import AlreadyRunning
from tests.integration.sources.conftest import Keeping

WHERE = "Where do guests park?"


async def documents_by_name(keeping: Keeping) -> dict[str, int]:
    entries = await keeping.administration.documents(None)
    return {str(entry.uri).rpartition("/")[2]: entry.id for entry in entries}


async def test_every_document_of_a_folder_is_added_for_its_readers(keeping: Keeping, folder: Path) -> None:
    source = await keeping.add(Kind.PATH, folder, "finance")
    assert await keeping.counts(source) == Counts(added=2)
    assert {name: d.readers for name, d in (await keeping.documents()).items()} == {
        "parking.md": "finance",
        "bands.md": "finance",
    }
    assert "deck three" in (await keeping.found(WHERE, "finance"))[0]


async def test_what_did_not_change_is_neither_read_nor_written(keeping: Keeping, folder: Path) -> None:
    source = await keeping.add(Kind.PATH, folder)
    await keeping.read(source)
    before = keeping.last_written()

    def refuse(*_: object) -> None:
        raise AssertionError("it was parsed or embedded again")

    keeping.ingestor._parser = keeping.ingestor._embeddings = refuse  # type: ignore[assignment]
    assert await keeping.counts(source) == Counts(unchanged=2)
    (folder / "parking.md").touch()  # another mark, the same content
    assert await keeping.counts(source) == Counts(unchanged=2)
    assert keeping.last_written() == before


async def test_a_file_that_was_not_touched_is_not_even_opened(
    keeping: Keeping, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_SETTLED_S", -1)
    opened: list[str] = []
    load = files._load

    def counting(path: Path, name: str) -> bytes:
        opened.append(name)
        return load(path, name)

    monkeypatch.setattr(files, "_load", counting)
    source = await keeping.add(Kind.PATH, folder)
    await keeping.counts(source)
    assert len(opened) == 2
    (folder / "parking.md").touch()
    assert await keeping.counts(source) == Counts(unchanged=2)
    assert await keeping.counts(source) == Counts(unchanged=2)
    assert opened[2:] == ["parking.md"]


async def test_what_changed_gets_a_new_version(keeping: Keeping, folder: Path) -> None:
    source = await keeping.add(Kind.PATH, folder)
    await keeping.read(source)
    (folder / "parking.md").write_text("# Parking\n\nVisitors leave their cars behind the bakery.")
    assert await keeping.counts(source) == Counts(updated=1, unchanged=1)
    assert (await keeping.documents())["parking.md"].versions == 2
    assert "bakery" in (await keeping.found(WHERE))[0]


async def test_what_is_gone_no_longer_answers_and_comes_back_with_its_file(
    keeping: Keeping, folder: Path
) -> None:
    source = await keeping.add(Kind.PATH, folder)
    await keeping.read(source)
    (folder / "parking.md").rename(folder.parent / "parking.md")
    assert await keeping.counts(source) == Counts(unchanged=1, withdrawn=1)
    withdrawn = (await keeping.documents())["parking.md"]
    assert (withdrawn.versions, withdrawn.current, withdrawn.vectors) == (1, 0, 0)
    assert not any("deck three" in passage for passage in await keeping.found(WHERE))
    assert await keeping.counts(source) == Counts(unchanged=1)
    (folder.parent / "parking.md").rename(folder / "parking.md")
    assert await keeping.counts(source) == Counts(updated=1, unchanged=1)
    assert "deck three" in (await keeping.found(WHERE))[0]


async def test_a_folder_that_is_not_there_or_came_back_empty_takes_nothing_away(
    keeping: Keeping, folder: Path
) -> None:
    source = await keeping.add(Kind.PATH, folder)
    await keeping.read(source)
    shutil.move(folder, folder.parent / "elsewhere")
    run = await keeping.read(source)
    assert run.error is not None
    assert "is read where `ostiary serve` or `ostiary worker` runs" in run.error
    os.mkdir(folder)
    run = await keeping.read(source)
    assert run.error is not None
    assert run.error.startswith("It came back empty")
    assert (await keeping.source(source)).error == run.error
    assert {d.current for d in (await keeping.documents()).values()} == {1}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may list every folder")
async def test_what_lies_in_a_folder_that_cannot_be_listed_is_not_taken_for_gone(
    keeping: Keeping, folder: Path
) -> None:
    source = await keeping.add(Kind.PATH, folder)
    await keeping.read(source)
    (folder / "pay").chmod(0)
    try:
        run = await keeping.read(source)
    finally:
        (folder / "pay").chmod(0o755)
    assert (run.counts.withdrawn, run.counts.failed) == (0, 1)


async def test_an_archive_that_broke_takes_nothing_of_it_away(keeping: Keeping, folder: Path) -> None:
    archive = shutil.make_archive(str(folder.parent / "all"), "zip", folder)
    source = await keeping.add(Kind.PATH, archive)
    assert await keeping.counts(source) == Counts(added=2)
    os.truncate(archive, 200)
    run = await keeping.read(source)
    assert (run.counts.withdrawn, run.counts.failed) == (0, 1)
    assert {d.current for d in (await keeping.documents()).values()} == {1}


async def test_a_single_file_that_was_deleted_is_withdrawn(keeping: Keeping, folder: Path) -> None:
    source = await keeping.add(Kind.PATH, folder / "parking.md")
    assert await keeping.counts(source) == Counts(added=1)
    (folder / "parking.md").unlink()
    assert await keeping.counts(source) == Counts(withdrawn=1)


async def test_what_somebody_gave_other_readers_keeps_them(keeping: Keeping, folder: Path) -> None:
    source = await keeping.add(Kind.PATH, folder)
    await keeping.read(source)
    ids = await documents_by_name(keeping)
    await keeping.carry_out(RelabelDocuments((ids["parking.md"],), parse_policy("hr")))
    (folder / "parking.md").write_text("# Parking\n\nVisitors leave their cars behind the bakery.")
    assert await keeping.counts(source) == Counts(updated=1, unchanged=1)
    assert (await keeping.documents())["parking.md"].readers == "hr"
    assert not any("bakery" in passage for passage in await keeping.found(WHERE))
    assert "bakery" in (await keeping.found(WHERE, "hr"))[0]


async def test_what_was_closed_to_everybody_stays_closed(keeping: Keeping, folder: Path) -> None:
    source = await keeping.add(Kind.PATH, folder)
    await keeping.read(source)
    ids = await documents_by_name(keeping)
    await keeping.carry_out(RelabelDocuments((ids["parking.md"],), parse_policy("nobody")))
    (folder / "parking.md").write_text("# Parking\n\nVisitors leave their cars behind the bakery.")
    await keeping.counts(source)
    assert (await keeping.documents())["parking.md"].readers == "nobody"
    (folder / "parking.md").unlink()
    await keeping.counts(source)
    (folder / "parking.md").write_text("# Parking\n\nGuests park on the roof.")
    await keeping.counts(source)
    assert (await keeping.documents())["parking.md"].readers == "nobody"


async def test_a_document_that_was_there_before_keeps_its_readers(keeping: Keeping, folder: Path) -> None:
    first = await keeping.add(Kind.PATH, folder / "pay", "hr")
    await keeping.read(first)
    second = await keeping.add(Kind.PATH, folder, "everyone")
    assert await keeping.counts(second) == Counts(added=1, unchanged=1)
    assert {n: d.readers for n, d in (await keeping.documents()).items()} == {
        "bands.md": "hr",
        "parking.md": "everyone",
    }


async def test_what_another_source_still_has_is_not_withdrawn(keeping: Keeping, folder: Path) -> None:
    whole = await keeping.add(Kind.PATH, folder)
    await keeping.read(whole)
    part = await keeping.add(Kind.PATH, folder / "pay")
    await keeping.read(part)
    (folder / "pay" / "bands.md").unlink()
    (folder / "pay" / "other.md").write_text("# Other\n\nBonuses are paid in spring.")
    assert (await keeping.counts(part)).withdrawn == 0
    assert (await keeping.documents())["bands.md"].current == 1
    assert (await keeping.counts(whole)).withdrawn == 1
    assert (await keeping.documents())["bands.md"].current == 0


async def test_what_somebody_removed_for_good_does_not_come_back(keeping: Keeping, folder: Path) -> None:
    source = await keeping.add(Kind.PATH, folder)
    await keeping.read(source)
    ids = await documents_by_name(keeping)
    await keeping.carry_out(RemoveDocuments((ids["parking.md"],)))
    (folder / "parking.md").write_text("# Parking\n\nVisitors leave their cars behind the bakery.")
    assert await keeping.counts(source) == Counts(unchanged=2)
    assert set(await keeping.documents()) == {"bands.md"}


async def test_what_cannot_be_read_is_named_and_not_tried_again_until_it_changes(
    keeping: Keeping, folder: Path
) -> None:
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 nothing behind it")
    source = await keeping.add(Kind.PATH, folder)
    run = await keeping.read(source)
    assert (run.counts.added, run.counts.failed) == (2, 1)
    parsed = []
    parse = keeping.ingestor._parser.parse

    async def counting(data: bytes, name: str) -> object:
        parsed.append(name)
        return await parse(data, name)

    keeping.ingestor._parser.parse = counting  # type: ignore[assignment,method-assign]
    again = await keeping.read(source)
    assert again.failures == run.failures
    assert parsed == []
    await keeping.read(source, by_hand=True)
    assert parsed == ["broken.pdf"]
    (folder / "broken.pdf").write_bytes(b"# Mended\n\nIt can be read now.")
    assert await keeping.counts(source) == Counts(added=1, unchanged=2)


async def test_a_paused_source_is_not_read(keeping: Keeping, folder: Path) -> None:
    source = await keeping.add(Kind.PATH, folder)
    await keeping.carry_out(PauseSource(source))
    with pytest.raises(SourceStopped, match="is paused"):
        await keeping.read(source)
    await keeping.carry_out(ResumeSource(source))
    assert await keeping.counts(source) == Counts(added=2)


async def test_a_source_is_read_by_one_at_a_time(
    keeping: Keeping, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = await keeping.add(Kind.PATH, folder)
    refused: list[str] = []
    ingest = keeping.ingestor.ingest

    async def twice(*given: object, **named: object) -> object:
        with pytest.raises(AlreadyRunning) as error:
            await keeping.read(source)
        refused.append(str(error.value))
        return await ingest(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(keeping.ingestor, "ingest", twice)
    assert await keeping.counts(source) == Counts(added=2)
    assert len(refused) == 2


async def test_a_source_that_is_removed_while_it_is_read_leaves_nothing_half_done(
    keeping: Keeping, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = await keeping.add(Kind.PATH, folder)
    ingest = keeping.ingestor.ingest

    async def removed_meanwhile(*given: object, **named: object) -> object:
        if source not in gone:
            gone.append(source)
            await keeping.carry_out(RemoveSource(source, with_documents=True))
        return await ingest(*given, **named)  # type: ignore[arg-type]

    gone: list[int] = []
    monkeypatch.setattr(keeping.ingestor, "ingest", removed_meanwhile)
    run = await keeping.read(source)
    assert run.error == "It was removed while it was read."
    assert await keeping.documents() == {}


async def test_a_source_is_removed_with_its_documents_or_without(keeping: Keeping, folder: Path) -> None:
    source = await keeping.add(Kind.PATH, folder, "finance")
    await keeping.read(source)
    change = await keeping.carry_out(RemoveSource(source, with_documents=False))
    assert change is not None
    assert {d.current for d in (await keeping.documents()).values()} == {1}
    with pytest.raises(UnknownSource):
        await keeping.source(source)
    await keeping.carry_out(UndoChange(change))
    assert (await keeping.source(source)).readers == "finance"
    assert await keeping.counts(source) == Counts(unchanged=2)
    await keeping.carry_out(RemoveSource(source, with_documents=True))
    assert await keeping.documents() == {}
    assert "finance" not in await keeping.labels()


async def test_what_a_source_brings_is_filed_in_its_collection(keeping: Keeping, folder: Path) -> None:
    await keeping.carry_out(DefineCollection("Handbook", parse_policy("everyone")))
    source = await keeping.add(Kind.PATH, folder, collection="Handbook")
    await keeping.counts(source)
    assert {d.collection for d in (await keeping.documents()).values()} == {"Handbook"}


async def test_the_same_source_is_not_kept_twice(keeping: Keeping, folder: Path) -> None:
    await keeping.add(Kind.PATH, folder)
    with pytest.raises(SourceKept, match="is kept already, as source"):
        await keeping.add(Kind.PATH, folder, "hr")


async def test_paths_and_loaders_are_for_whoever_runs_the_machine(keeping: Keeping) -> None:
    """Whoever administers in Slack may not have any file of the machine read to them."""
    from auth.directory import PersonFacts, find_people, upsert_people
    from auth.granting import grant
    from auth.people import PersonKind
    from auth.roles import ADMIN

    async with keeping.database.writing_in(keeping.workspace_id) as connection:
        await upsert_people(connection, [PersonFacts("UADA", "ada", "Ada", PersonKind.MEMBER)])
        people = await find_people(connection, ["UADA"])
        await grant(connection, people["UADA"], ADMIN, granted_by="test")
    administration = Administration(keeping.database, keeping.workspace_id)
    for kind in (Kind.PATH, Kind.LOADER):
        with pytest.raises(CannotChange, match="reach into the machine"):
            await administration.carry_out(AddSource(kind, "/etc/passwd", parse_policy("everyone")), "UADA")
    done = await administration.carry_out(
        AddSource(Kind.URL, "https://example.com/", parse_policy("everyone")), "UADA"
    )
    assert done.change_id is not None


async def failures(keeping: Keeping) -> dict[str, tuple[str, str]]:
    """The end of an address -> why it is not in, and for whom that is."""
    async with keeping.database.writing_in(keeping.workspace_id) as connection:
        policies = await read_labels(connection)
        return {
            failed.uri.rpartition("/")[2]: (failed.reason, str(policies[failed.label_id]))
            for failed in await list_failures(connection, 100)
        }


async def test_what_is_passed_over_is_among_the_failures_until_it_is_well(
    keeping: Keeping, folder: Path
) -> None:
    (folder / "out.md").symlink_to(folder.parent / "elsewhere.md")
    (folder / "pack.zip").write_bytes(b"PK\x03\x04 and then it broke")
    source = await keeping.add(Kind.PATH, folder, "finance")
    run = await keeping.read(source)
    assert (run.counts, len(run.failures)) == (Counts(added=2, failed=2), 2)
    there = await failures(keeping)
    assert "is a link that leads out of the folder" in there["out.md"][0]
    assert {name: readers for name, (_, readers) in there.items()} == {
        "out.md": "finance",
        "pack.zip": "finance",
    }
    assert (await keeping.items(source))[(folder / "out.md").absolute().as_uri()].state == "failed"
    with zipfile.ZipFile(folder / "pack.zip", "w") as archive:
        archive.writestr("trip.md", "# Trip\n\nThe trip of the year goes to Oslo.")
    (folder / "out.md").unlink()
    assert await keeping.counts(source) == Counts(added=1, unchanged=2)
    assert await failures(keeping) == {}


async def test_what_is_passed_over_now_is_for_the_readers_that_its_document_has(
    keeping: Keeping, folder: Path
) -> None:
    source = await keeping.add(Kind.PATH, folder, "everyone")
    await keeping.counts(source)
    parking = folder / "parking.md"
    document = (await keeping.items(source))[parking.as_uri()].document_id
    assert document is not None
    await keeping.carry_out(RelabelDocuments((document,), parse_policy("hr")))
    said = parking.read_text()
    parking.unlink()
    parking.symlink_to(folder.parent / "elsewhere.md")
    assert (await keeping.read(source)).counts == Counts(unchanged=1, failed=1)
    assert {readers for _, readers in (await failures(keeping)).values()} == {"hr"}
    assert (await keeping.documents())["parking.md"].current == 1
    parking.unlink()
    parking.write_text(said)
    assert await keeping.counts(source) == Counts(unchanged=2)
    assert await failures(keeping) == {}


async def test_a_folder_of_which_nothing_was_ever_taken_in_may_be_emptied(
    keeping: Keeping, tmp_path: Path
) -> None:
    folder = tmp_path / "links"
    folder.mkdir()
    (folder / "out.md").symlink_to(tmp_path / "elsewhere.md")
    source = await keeping.add(Kind.PATH, folder, "finance")
    assert (await keeping.read(source)).counts == Counts(failed=1)
    (folder / "out.md").unlink()
    assert await keeping.counts(source) == Counts()
    assert await failures(keeping) == {}
