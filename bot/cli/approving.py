"""What `ostiary answers` does."""

from contextlib import AsyncExitStack

from rich.text import Text

from bot.administering.changes import Change, RemoveDocuments
from bot.administering.wording import policy_in_words
from bot.approving import Approvals
from bot.cli.administering import Desk, carry_out, open_desk
from bot.cli.output import out
from bot.runtime import load_embeddings, open_ingestor
from bot.settings import load_settings
from retrieval.approved import sources_of
from retrieval.cataloguing import UnknownDocument


async def approve_answer(question_id: int, handle: str, asked: str | None, said: str | None) -> None:
    settings = load_settings()
    async with AsyncExitStack() as stack:
        desk = await stack.enter_async_context(open_desk())
        person = await desk.person(handle)
        embeddings = await load_embeddings(settings)
        ingestor = await stack.enter_async_context(open_ingestor(settings, desk.database, embeddings))
        approvals = Approvals(desk.database, desk.workspace_id, ingestor)
        approved = await approvals.approve(question_id, person.slack_user_id, asked, said)
    out.print(Text(f"It is document {approved.document_id} now, for {policy_in_words(approved.readers)}."))


async def retire_answer(named: str) -> None:
    """Raises UnknownDocument where it is no approved answer."""

    async def retired(desk: Desk) -> Change:
        ids = await desk.documents([named])
        async with desk.database.writing_in(desk.workspace_id) as connection:
            if not await sources_of(connection, ids[0]):
                raise UnknownDocument(f"{named} is no approved answer. See `ostiary answers list`.")
        return RemoveDocuments(ids)

    await carry_out(retired, dry_run=False)
