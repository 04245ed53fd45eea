"""Any LangChain loader as a source: run apart, within limits, for the readers that are named and nobody else."""

import json
from pathlib import Path

import pytest

from auth.labelling import read_labels
from auth.labels import parse_policy
from bot.administering.changes import RelabelDocuments
from retrieval.failing import list_failures
from retrieval.sources.kept import Counts, Kind
from retrieval.sources.loaders import LoaderLimits, LoaderReader, SecretGiven
from tests.integration.sources.conftest import Keeping

LOADERS = '''
import os, sys, time
from langchain_core.document_loaders import BaseLoader
from langchain_core.documents import Document

class Wiki(BaseLoader):
    """Pages of a wiki, as a file of JSON has them."""
    def __init__(self, file, token=""):
        self.file, self.token = file, token
    def lazy_load(self):
        import json
        print("a loader may print what it likes")
        for page in json.load(open(self.file)):
            yield Document(page.pop("text"), metadata=page)

class Endless(BaseLoader):
    def lazy_load(self):
        yield Document("once", metadata={"id": "1"})
        time.sleep(600)

class Broken(BaseLoader):
    def __init__(self, token):
        self.token = token
    def lazy_load(self):
        raise ValueError("401 for https://wiki/?key=" + self.token)
        yield

class Curious(BaseLoader):
    def lazy_load(self):
        yield Document(" ".join(sorted(os.environ)), metadata={"id": "1"})

class Dying(BaseLoader):
    def lazy_load(self):
        yield Document("once", metadata={"id": "1"})
        os._exit(3)

class NoLoader:
    pass
'''
PAGES = [
    {
        "id": "1",
        "space": "money",
        "title": "Budget",
        "text": "The budget of the coming year is four million.",
    },
    {"id": "2", "space": "all", "title": "Parking", "text": "Guests park on deck three of the garage."},
]


class Wiki:
    """A wiki whose pages a test rewrites."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.says(PAGES)

    def says(self, pages: list[dict[str, str]]) -> None:
        self.file.write_text(json.dumps(pages))

    @property
    def arguments(self) -> dict[str, object]:
        return {"arguments": {"file": str(self.file)}, "label_by": "space"}


@pytest.fixture
def wiki(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Wiki:
    (tmp_path / "loaders_of_ours.py").write_text(LOADERS)
    import os

    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    return Wiki(tmp_path / "wiki.json")


async def kept_wiki(keeping: Keeping, wiki: Wiki) -> int:
    by_value = {"money": "finance", "all": "everyone"}
    return await keeping.add(
        Kind.LOADER, "loaders_of_ours.Wiki", "nobody", arguments=wiki.arguments, by_value=by_value
    )


async def failing_for(keeping: Keeping) -> dict[str, str]:
    """Whose each failure is, by what it says."""
    async with keeping.database.writing_in(keeping.workspace_id) as connection:
        policies = await read_labels(connection)
        return {
            failed.reason: str(policies[failed.label_id]) for failed in await list_failures(connection, 10)
        }


async def test_what_was_closed_for_long_is_taken_in_once_its_readers_are_known(
    keeping: Keeping, wiki: Wiki
) -> None:
    wiki.says([{**PAGES[0], "space": "skunkworks"}])
    source = await kept_wiki(keeping, wiki)
    for _ in range(3):
        assert (await keeping.read(source)).counts == Counts(failed=1)
        ((reason, readers),) = (await failing_for(keeping)).items()
        assert ("skunkworks" in reason, readers) == (True, "nobody")
    wiki.says(PAGES[:1])
    assert await keeping.counts(source) == Counts(added=1)
    assert await failing_for(keeping) == {}


async def test_why_a_document_failed_is_for_the_readers_that_somebody_gave_it(
    keeping: Keeping, wiki: Wiki
) -> None:
    wiki.says(PAGES[1:])
    source = await kept_wiki(keeping, wiki)
    await keeping.counts(source)
    await keeping.carry_out(RelabelDocuments((1,), parse_policy("leadership")))
    wiki.says([{**PAGES[1], "text": " "}])
    await keeping.read(source)
    assert list((await failing_for(keeping)).values()) == ["leadership"]
    wiki.says(PAGES[:1])
    for _ in range(keeping.readers[Kind.LOADER].patience):
        assert await failing_for(keeping) != {}
        await keeping.read(source)
    assert await failing_for(keeping) == {}


async def readers_of(keeping: Keeping) -> dict[str, str]:
    return {
        name.rpartition(":")[2]: d.readers for name, d in (await keeping.documents()).items() if d.current
    }


async def error_of(keeping: Keeping, name: str, arguments: dict[str, object] | None = None) -> str:
    source = await keeping.add(Kind.LOADER, name, arguments={"arguments": arguments or {}})
    run = await keeping.read(source)
    assert run.error is not None
    return run.error


async def test_a_loader_of_langchains_community_is_a_source(keeping: Keeping, folder: Path) -> None:
    source = await keeping.add(
        Kind.LOADER,
        "langchain_community.document_loaders.TextLoader",
        "hr",
        arguments={"arguments": {"file_path": str(folder / "parking.md")}},
    )
    assert await keeping.counts(source) == Counts(added=1)
    assert await keeping.counts(source) == Counts(unchanged=1)
    assert "deck three" in (await keeping.found("Where do guests park?", "hr"))[0]


async def test_a_field_of_what_is_loaded_decides_its_readers(keeping: Keeping, wiki: Wiki) -> None:
    source = await kept_wiki(keeping, wiki)
    assert await keeping.counts(source) == Counts(added=2)
    assert await readers_of(keeping) == {"1": "finance", "2": "everyone"}


async def test_what_carries_no_value_that_readers_are_named_for_is_nobodys(
    keeping: Keeping, wiki: Wiki
) -> None:
    wiki.says([{"id": "1", "space": "secret", "text": "A plan."}, {"id": "2", "text": "Another plan."}])
    source = await kept_wiki(keeping, wiki)
    run = await keeping.read(source)
    assert run.counts == Counts(failed=2)
    assert [failure.rpartition(": ")[2] for failure in run.failures] == ["nobody may read it.", "nobody may."]
    assert await keeping.documents() == {}


async def test_another_value_gives_other_readers_together_with_the_new_text(
    keeping: Keeping, wiki: Wiki
) -> None:
    source = await kept_wiki(keeping, wiki)
    await keeping.counts(source)
    wiki.says(
        [{**PAGES[0], "space": "all"}, {**PAGES[1], "space": "money", "text": "Guests park in the vault."}]
    )
    assert await keeping.counts(source) == Counts(updated=2)
    assert await readers_of(keeping) == {"1": "everyone", "2": "finance"}
    assert not any("vault" in passage for passage in await keeping.found("Where do guests park?"))


async def test_a_value_that_means_nobody_closes_what_was_open_until_it_is_known_again(
    keeping: Keeping, wiki: Wiki
) -> None:
    source = await kept_wiki(keeping, wiki)
    await keeping.counts(source)
    wiki.says([PAGES[0], {**PAGES[1], "space": "secret"}])
    assert (await keeping.read(source)).counts.failed == 1
    assert await readers_of(keeping) == {"1": "finance"}
    assert not any("deck three" in passage for passage in await keeping.found("Where do guests park?"))
    wiki.says(PAGES)
    await keeping.counts(source)
    assert await readers_of(keeping) == {"1": "finance", "2": "everyone"}


async def test_readers_given_by_hand_outlast_every_value(keeping: Keeping, wiki: Wiki) -> None:
    source = await kept_wiki(keeping, wiki)
    await keeping.counts(source)
    ids = {str(d.uri): d.id for d in await keeping.administration.documents(None)}
    await keeping.carry_out(RelabelDocuments((ids[f"loader:{source}:1"],), parse_policy("hr")))
    await keeping.counts(source)
    for space in ("all", "money", "all"):
        wiki.says([{**PAGES[0], "space": space}, PAGES[1]])
        await keeping.counts(source)
    assert await readers_of(keeping) == {"1": "hr", "2": "everyone"}


async def test_parts_of_one_document_for_different_readers_are_not_mixed(
    keeping: Keeping, wiki: Wiki
) -> None:
    wiki.says([PAGES[0], {**PAGES[1], "id": "1"}])
    source = await kept_wiki(keeping, wiki)
    run = await keeping.read(source)
    assert run.failures == ["1.txt: It has parts for different readers: nobody may read it."]
    assert await keeping.documents() == {}


async def test_a_document_that_gets_parts_for_other_readers_is_closed(keeping: Keeping, wiki: Wiki) -> None:
    source = await kept_wiki(keeping, wiki)
    await keeping.counts(source)
    wiki.says([*PAGES, {**PAGES[1], "space": "money", "text": "The vault is behind the garage."}])
    assert (await keeping.read(source)).counts == Counts(unchanged=1, failed=1)
    assert not await keeping.found("Where do guests park?")


async def test_what_was_missing_twice_is_withdrawn(keeping: Keeping, wiki: Wiki) -> None:
    source = await kept_wiki(keeping, wiki)
    await keeping.counts(source)
    wiki.says(PAGES[:1])
    assert await keeping.counts(source) == Counts(unchanged=1)
    assert await keeping.counts(source) == Counts(unchanged=1, withdrawn=1)
    assert await readers_of(keeping) == {"1": "finance"}


async def test_what_was_missing_once_and_came_back_is_counted_anew(keeping: Keeping, wiki: Wiki) -> None:
    source = await kept_wiki(keeping, wiki)
    for pages in (PAGES, PAGES[:1], PAGES, PAGES[:1]):
        wiki.says(pages)
        assert (await keeping.counts(source)).withdrawn == 0


async def test_a_loader_that_does_not_end_is_stopped(keeping: Keeping, wiki: Wiki) -> None:
    keeping.readers[Kind.LOADER] = LoaderReader(LoaderLimits(seconds=8))
    assert "was not done within 8 s, and was stopped" in await error_of(keeping, "loaders_of_ours.Endless")
    assert await keeping.documents() == {}


async def test_a_loader_that_dies_halfway_takes_nothing_away(keeping: Keeping, wiki: Wiki) -> None:
    error = await error_of(keeping, "loaders_of_ours.Dying")
    assert error == "loaders_of_ours.Dying stopped before it had loaded everything."


async def test_a_loader_that_brings_too_much_is_stopped(keeping: Keeping, wiki: Wiki) -> None:
    keeping.readers[Kind.LOADER] = LoaderReader(LoaderLimits(documents=1))
    error = await error_of(keeping, "loaders_of_ours.Wiki", {"file": str(wiki.file)})
    assert "loads more than 1 documents" in error


async def test_one_document_that_is_too_much_is_refused_in_words(keeping: Keeping, wiki: Wiki) -> None:
    keeping.readers[Kind.LOADER] = LoaderReader(LoaderLimits(bytes=2**20))
    wiki.says([{"id": "1", "text": "deck three " * 300_000}])
    error = await error_of(keeping, "loaders_of_ours.Wiki", {"file": str(wiki.file)})
    assert "1 MB, which is the limit" in error


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("no_such_package_here.Loader", "pip install 'no_such_package_here'"),
        ("loaders_of_ours.Missing", "there is no such loader"),
        ("loaders_of_ours.NoLoader", "a subclass of langchain_core's BaseLoader"),
        ("Loader", "there is no such loader"),
    ],
)
async def test_what_is_no_loader_is_named_with_what_to_do(
    keeping: Keeping, wiki: Wiki, name: str, said: str
) -> None:
    assert said in await error_of(keeping, name)


@pytest.mark.parametrize(
    "arguments",
    [
        {"api_token": "hunter2"},
        {"headers": {"Authorization": "Bearer hunter2"}},
        {"aws_access_key_id": "hunter2"},
        {"connection": ["postgresql://ada:hunter2@db.example.com/wiki"]},
    ],
)
async def test_a_secret_is_not_stored(keeping: Keeping, wiki: Wiki, arguments: dict[str, object]) -> None:
    with pytest.raises(SecretGiven, match="environment variable"):
        await error_of(keeping, "loaders_of_ours.Broken", arguments)


async def test_an_address_and_a_key_of_a_space_are_no_secrets(keeping: Keeping, wiki: Wiki) -> None:
    told = {"url": "https://wiki.example.com/a:b", "space_key": "HB"}
    assert "could not be used" in await error_of(keeping, "loaders_of_ours.Broken", told)


async def test_a_secret_comes_from_the_environment_and_stays_there(
    keeping: Keeping, wiki: Wiki, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WIKI_TOKEN", "hunter2")
    assert "key=***" in await error_of(keeping, "loaders_of_ours.Broken", {"token": "env:WIKI_TOKEN"})
    error = await error_of(keeping, "loaders_of_ours.Broken", {"token": "env:NOT_SET"})
    assert "the environment variable NOT_SET is not set" in error


async def test_a_loader_is_not_shown_the_secrets_of_ostiary(
    keeping: Keeping, wiki: Wiki, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DATABASE_URL", "SLACK_BOT_TOKEN", "OSTIARY_HOME", "PGPASSWORD"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("WIKI_TOKEN", "hunter2")
    source = await keeping.add(Kind.LOADER, "loaders_of_ours.Curious")
    await keeping.counts(source)
    known = " ".join(await keeping.found("WIKI_TOKEN PYTHONPATH"))
    assert "WIKI_TOKEN" in known
    assert not any(name in known for name in ("DATABASE_URL", "SLACK_BOT", "OSTIARY_HOME", "PGPASS"))
