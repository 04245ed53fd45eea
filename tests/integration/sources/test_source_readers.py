"""A kept source is given other readers: what it brought follows, all of it or nothing."""

import asyncio
import json
import os
from pathlib import Path

import pytest

from auth.database import Database
from auth.labelling import intern_label, read_labels
from auth.labels import parse_policy
from auth.undo import CannotUndo
from bot.administering.administration import COMMAND_LINE
from bot.administering.changes import CannotChange, RelabelDocuments, RelabelSource, RemoveSource, UndoChange
from retrieval.failing import list_failures
from retrieval.sources.kept import Counts, Kind
from tests.integration.sources.conftest import Keeping
from tests.integration.sources.test_loaders import LOADERS

HR, FINANCE, LEADERSHIP = (parse_policy(role) for role in ("hr", "finance", "leadership"))


@pytest.fixture(autouse=True)
def _loaders_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "wiki_readers.py").write_text(LOADERS)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))


async def readers_of(keeping: Keeping) -> dict[str, str]:
    return {name: document.readers for name, document in (await keeping.documents()).items()}


async def failures(keeping: Keeping) -> dict[str, str]:
    """The end of an address -> for whom the reason is."""
    async with keeping.database.writing_in(keeping.workspace_id) as connection:
        policies = await read_labels(connection)
        return {
            failed.uri.rpartition("/")[2]: str(policies[failed.label_id])
            for failed in await list_failures(connection, 100)
        }


async def test_what_came_from_a_source_follows_its_readers(keeping: Keeping, folder: Path) -> None:
    source = await keeping.add(Kind.PATH, folder, "finance")
    await keeping.counts(source)
    await keeping.carry_out(RelabelSource(source, HR))
    assert await readers_of(keeping) == {"parking.md": "hr", "bands.md": "hr"}
    assert (await keeping.source(source)).readers == "hr"
    assert await keeping.found("Where do guests park?", "finance") == []
    assert await keeping.found("Where do guests park?", "hr")
    (folder / "new.md").write_text("# New\n\nThe canteen opens at noon.")
    assert await keeping.counts(source) == Counts(added=1, unchanged=2)
    assert set((await readers_of(keeping)).values()) == {"hr"}


async def test_what_is_withdrawn_comes_back_for_the_new_readers(keeping: Keeping, folder: Path) -> None:
    source = await keeping.add(Kind.PATH, folder, "finance")
    await keeping.counts(source)
    (folder / "parking.md").rename(folder.parent / "parking.md")
    assert await keeping.counts(source) == Counts(unchanged=1, withdrawn=1)
    await keeping.carry_out(RelabelSource(source, HR))
    (folder.parent / "parking.md").rename(folder / "parking.md")
    assert await keeping.counts(source) == Counts(unchanged=1, updated=1)
    assert await readers_of(keeping) == {"parking.md": "hr", "bands.md": "hr"}


async def test_a_document_with_readers_of_its_own_keeps_them(keeping: Keeping, folder: Path) -> None:
    source = await keeping.add(Kind.PATH, folder, "finance")
    await keeping.counts(source)
    async with keeping.database.writing_in(keeping.workspace_id) as connection:
        leadership = await intern_label(connection, LEADERSHIP)
    bands = (await keeping.items(source))[(folder / "pay" / "bands.md").as_uri()].document_id
    assert bands is not None
    await keeping.carry_out(RelabelDocuments((bands,), LEADERSHIP))
    done = await keeping.administration.carry_out(RelabelSource(source, HR), COMMAND_LINE)
    assert any("readers of its own: 1 document" in note for note in done.effect.notes)
    assert await readers_of(keeping) == {"parking.md": "hr", "bands.md": "leadership"}
    await keeping.carry_out(RelabelSource(source, LEADERSHIP))
    await keeping.carry_out(RelabelSource(source, FINANCE))
    assert await readers_of(keeping) == {"parking.md": "finance", "bands.md": "leadership"}
    await keeping.counts(source)
    assert (await readers_of(keeping))["bands.md"] == "leadership"
    assert leadership in (await labels_there(keeping))


async def labels_there(keeping: Keeping) -> set[int]:
    async with keeping.database.writing_in(keeping.workspace_id) as connection:
        return set(await read_labels(connection))


async def test_it_can_be_looked_at_first(keeping: Keeping, folder: Path) -> None:
    source = await keeping.add(Kind.PATH, folder, "finance")
    await keeping.counts(source)
    await keeping.administration.preview(RelabelSource(source, HR), COMMAND_LINE)
    assert (await keeping.source(source)).readers == "finance"
    assert set((await readers_of(keeping)).values()) == {"finance"}


async def test_it_is_undone_with_all_that_came_meanwhile(keeping: Keeping, folder: Path) -> None:
    source = await keeping.add(Kind.PATH, folder, "finance")
    await keeping.counts(source)
    change = await keeping.carry_out(RelabelSource(source, HR))
    assert change is not None
    (folder / "new.md").write_text("# New\n\nThe canteen opens at noon.")
    await keeping.counts(source)
    await keeping.carry_out(UndoChange(change))
    assert set((await readers_of(keeping)).values()) == {"finance"}
    assert await keeping.counts(source) == Counts(unchanged=3)
    await keeping.carry_out(RelabelSource(source, LEADERSHIP))  # they are still the source's own, not by hand
    assert set((await readers_of(keeping)).values()) == {"leadership"}


async def test_what_is_being_read_comes_in_for_the_new_readers(
    keeping: Keeping, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = await keeping.add(Kind.PATH, folder, "everyone")
    parse, changed = keeping.ingestor._parser.parse, list[int]()

    async def relabelled_meanwhile(*given: object) -> object:
        if not changed:
            changed.append(source)
            await keeping.carry_out(RelabelSource(source, HR))
        return await parse(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(keeping.ingestor._parser, "parse", relabelled_meanwhile)
    assert await keeping.counts(source) == Counts(added=2)
    assert await readers_of(keeping) == {"parking.md": "hr", "bands.md": "hr"}
    assert await keeping.found("Where do guests park?", "everyone") == []
    assert await keeping.counts(source) == Counts(unchanged=2)
    assert set((await readers_of(keeping)).values()) == {"hr"}


async def test_what_fails_meanwhile_is_for_the_new_readers(
    keeping: Keeping, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "pay" / "bands.md").unlink()
    (folder / "parking.md").write_bytes(b"%PDF-1.7 and nothing else")
    source = await keeping.add(Kind.PATH, folder, "everyone")
    parse, changed = keeping.ingestor._parser.parse, list[int]()

    async def relabelled_meanwhile(*given: object) -> object:
        if not changed:
            changed.append(source)
            await keeping.carry_out(RelabelSource(source, HR))
        return await parse(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(keeping.ingestor._parser, "parse", relabelled_meanwhile)
    assert (await keeping.read(source)).counts == Counts(failed=1)
    assert await failures(keeping) == {"parking.md": "hr"}
    await keeping.carry_out(RelabelSource(source, FINANCE))
    assert await failures(keeping) == {"parking.md": "finance"}


async def test_whoever_stores_at_that_moment_is_waited_for(
    keeping: Keeping, folder: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    from retrieval import ingestion

    source = await keeping.add(Kind.PATH, folder, "everyone")
    store, changing = ingestion._store, list[asyncio.Task[object]]()

    async def stored_while_it_is_changed(*given: object) -> int:
        if not changing:
            changing.append(asyncio.create_task(keeping.carry_out(RelabelSource(source, HR))))
            await asyncio.sleep(0.3)
            assert not changing[0].done()
        return await store(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(ingestion, "_store", stored_while_it_is_changed)
    await keeping.read(source)
    await changing[0]
    assert set((await readers_of(keeping)).values()) == {"hr"}


async def test_readers_by_a_field_change_by_its_values(keeping: Keeping, tmp_path: Path) -> None:
    source, pages = await wiki(keeping, tmp_path, {"money": "finance", "people": "hr"})
    await keeping.carry_out(
        RelabelSource(source, readers_by={"money": HR, "people": FINANCE}, label_by="space")
    )
    assert set((await readers_of(keeping)).values()) == {"hr", "finance"}
    assert await keeping.found("What is the budget?", "hr")
    assert await keeping.found("What is the budget?", "finance") == ["Ada has a raise in May."]
    assert (await keeping.counts(source)).unchanged == 2
    pages.write_text(json.dumps([*json.loads(pages.read_text()), page("3", "plans", "We move to Oslo.")]))
    assert (await keeping.read(source)).counts.failed == 1
    change = await keeping.carry_out(
        RelabelSource(source, readers_by={"plans": LEADERSHIP}, label_by="space")
    )
    assert await keeping.counts(source) == Counts(added=1, unchanged=2)
    assert await keeping.found("Where do we move?", "leadership") == ["We move to Oslo."]
    assert change is not None
    with pytest.raises(CannotUndo, match="plans:nobody"):
        await keeping.carry_out(UndoChange(change))
    await keeping.carry_out(
        RelabelSource(source, readers_by={"plans": parse_policy("nobody")}, label_by="space")
    )
    assert await keeping.found("Where do we move?", "leadership") == []


async def test_values_with_the_same_readers_are_told_apart_by_nobody(
    keeping: Keeping, tmp_path: Path
) -> None:
    source, _ = await wiki(keeping, tmp_path, {"money": "finance", "people": "finance"})
    with pytest.raises(CannotChange, match="cannot be told apart"):
        await keeping.carry_out(RelabelSource(source, readers_by={"money": HR}, label_by="space"))
    assert set((await readers_of(keeping)).values()) == {"finance"}
    await keeping.carry_out(RelabelSource(source, readers_by={"money": HR, "people": HR}, label_by="space"))
    assert set((await readers_of(keeping)).values()) == {"hr"}


async def test_undoing_moves_nothing_but_what_the_change_moved(keeping: Keeping, tmp_path: Path) -> None:
    source, _ = await wiki(keeping, tmp_path, {"money": "finance", "people": "hr"})
    change = await keeping.carry_out(RelabelSource(source, readers_by={"people": FINANCE}, label_by="space"))
    assert change is not None
    assert len(await keeping.found("What is the budget?", "finance")) == 2
    await keeping.carry_out(UndoChange(change))
    assert await keeping.found("What is the budget?", "finance") == ["The budget is four million."]
    assert await keeping.found("What is the budget?", "hr") == ["Ada has a raise in May."]
    assert (await keeping.counts(source)).unchanged == 2
    await keeping.carry_out(RelabelSource(source, readers_by={"people": LEADERSHIP}, label_by="space"))
    assert await keeping.found("What is the budget?", "leadership") == ["Ada has a raise in May."]


async def test_values_that_came_to_the_same_readers_are_told_apart_by_undoing_it(
    keeping: Keeping, tmp_path: Path
) -> None:
    source, _ = await wiki(keeping, tmp_path, {"money": "finance", "people": "hr"})
    everybodys = {"money": LEADERSHIP, "people": LEADERSHIP}
    change = await keeping.carry_out(RelabelSource(source, readers_by=everybodys, label_by="space"))
    assert change is not None
    await keeping.carry_out(UndoChange(change))
    assert await keeping.found("What is the budget?", "finance") == ["The budget is four million."]
    assert await keeping.found("What is the budget?", "hr") == ["Ada has a raise in May."]


async def test_what_came_meanwhile_and_cannot_be_told_apart_is_not_left_open(
    keeping: Keeping, tmp_path: Path
) -> None:
    source, pages = await wiki(keeping, tmp_path, {"money": "finance", "people": "hr"})
    change = await keeping.carry_out(RelabelSource(source, readers_by={"people": FINANCE}, label_by="space"))
    assert change is not None
    pages.write_text(json.dumps([*json.loads(pages.read_text()), page("3", "people", "Bob leaves in June.")]))
    await keeping.read(source)
    with pytest.raises(CannotUndo, match="cannot be told apart"):
        await keeping.carry_out(UndoChange(change))
    assert len(await keeping.found("Who leaves?", "finance")) == 3


async def test_readers_are_named_as_the_source_has_them(
    keeping: Keeping, folder: Path, tmp_path: Path
) -> None:
    by_field, _ = await wiki(keeping, tmp_path, {"money": "finance"})
    plain = await keeping.add(Kind.PATH, folder, "finance")
    for change in (
        RelabelSource(by_field, HR),
        RelabelSource(by_field, readers_by={"money": HR}, label_by="department"),
        RelabelSource(by_field, HR, readers_by={"money": HR}, label_by="space"),
        RelabelSource(plain, readers_by={"money": HR}, label_by="space"),
    ):
        with pytest.raises(CannotChange, match="readers"):
            await keeping.carry_out(change)
    await keeping.carry_out(RemoveSource(plain, with_documents=False))


def page(number: str, space: str, text: str) -> dict[str, str]:
    return {"id": number, "space": space, "title": f"Page {number}", "text": text}


async def wiki(keeping: Keeping, folder: Path, by_value: dict[str, str]) -> tuple[int, Path]:
    """A loader's source by field, read once, and the file of its pages."""
    pages = folder / "pages.json"
    pages.write_text(
        json.dumps(
            [
                page("1", "money", "The budget is four million."),
                page("2", "people", "Ada has a raise in May."),
            ]
        )
    )
    arguments = {"arguments": {"file": str(pages)}, "label_by": "space", "id_by": "id"}
    source = await keeping.add(
        Kind.LOADER, "wiki_readers.Wiki", "nobody", arguments=arguments, by_value=by_value
    )
    await keeping.read(source)
    return source, pages
