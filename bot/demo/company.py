"""The demo company as its file describes it, and how it is brought into a database."""

import tomllib
from collections.abc import Callable
from datetime import date
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from auth.database import Database
from auth.labelling import intern_label
from auth.labels import parse_policy
from bot.directory_file import DirectoryFile, load_directory, read_directory
from retrieval.ingestion import Ingestor, Submission

COMPANY = Path(__file__).parent / "company"
COMPANY_FILE = COMPANY / "company.toml"


class DemoDocument(BaseModel):
    """A document of the company, and who may read it."""

    model_config = ConfigDict(frozen=True)

    path: str
    title: str
    department: str
    readers: str
    exclude: str = Field("", alias="except")
    dated: date
    supersedes: str | None = None


class TourQuestion(BaseModel):
    """A question worth asking, as whom, where, and what a right answer contains."""

    model_config = ConfigDict(frozen=True)

    question: str
    handle: str = Field(alias="as")
    where: str
    expects: str | None = None
    must_not: tuple[str, ...] = ()
    seen_by: str | None = None
    group: str | None = Field(None, alias="set")


class Company(BaseModel):
    """Documents in an order in which older ones come before those that replace them, and the tour."""

    documents: tuple[DemoDocument, ...]
    tour: tuple[TourQuestion, ...]

    def in_order(self) -> list[tuple[str, DemoDocument]]:
        """(name of the document, one of its versions), oldest version first."""
        newer = {document.supersedes: document for document in self.documents if document.supersedes}
        named = []
        for document in self.documents:
            latest = document
            while latest.path in newer:
                latest = newer[latest.path]
            named.append((latest.path, document))
        return sorted(named, key=lambda pair: (pair[0], pair[1].dated))


def read_company() -> Company:
    return Company.model_validate(tomllib.loads(COMPANY_FILE.read_text(encoding="utf-8")))


def read_people() -> DirectoryFile:
    return read_directory(COMPANY_FILE)


async def load_company(database: Database, ingestor: Ingestor, progress: Callable[[int, int], None]) -> int:
    """Bring people and documents in; what is there unchanged is left alone. Returns the workspace's id."""
    workspace_id = await load_directory(database, read_people())
    documents = read_company().in_order()
    for done, (name, document) in enumerate(documents):
        progress(done, len(documents))
        await _ingest(database, ingestor, workspace_id, name, document)
    progress(len(documents), len(documents))
    return workspace_id


async def _ingest(
    database: Database, ingestor: Ingestor, workspace_id: int, name: str, document: DemoDocument
) -> None:
    policy = parse_policy(document.readers)
    if document.exclude:
        policy = policy.but_not(frozenset(role.strip() for role in document.exclude.split(",")))
    async with database.writing_in(workspace_id) as connection:
        label_id = await intern_label(connection, policy)
    submission = Submission(
        uri=f"demo:{name}",
        name=Path(document.path).name,
        data=(COMPANY / document.path).read_bytes(),
        label_id=label_id,
        title=document.title,
        dated=document.dated,
        department=document.department,
        added_by="demo",
    )
    if document.path != name and await ingestor.holds(workspace_id, submission):
        return  # an older version, superseded in an earlier start
    await ingestor.ingest(workspace_id, submission)
