"""What `ostiary gaps` does: the gaps as somebody sees them, with channels as they were last known."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from auth.channels import audience_known, channel_names
from auth.rights import Audience
from bot.answering.sanitize import clean
from bot.cli.administering import open_desk, print_table
from bot.cli.output import out, progress_line
from bot.gaps import DAYS, Gaps, Mark
from bot.runtime import load_embeddings
from bot.settings import load_settings
from bot.slack.small_talk import small_talk


async def show(handle: str) -> None:
    """Print the list."""
    async with _opened(handle) as (gaps, user_id, names):
        found = await gaps.open_to(user_id)
    rows = [
        (
            str(gap.id),
            "\n".join(clean(words) for words in (gap.text, *gap.other_words)),
            str(len(gap.questions)),
            str(gap.people),
            str(gap.disliked or ""),
            f"{gap.last_asked:%Y-%m-%d}",
            ", ".join(f"#{names.get(channel_id, channel_id)}" for channel_id in gap.channel_ids),
        )
        for gap in found
    ]
    nothing = f"Nobody asked where {handle} could read it, in {DAYS} days, and found nothing or a bad answer."
    print_table(("Id", "Question", "Asked", "People", "Thumbs down", "Last", "In"), rows, nothing)


async def mark(handle: str, gap_id: int, verdict: Mark) -> None:
    async with _opened(handle) as (gaps, user_id, _):
        gap = await gaps.mark(user_id, gap_id, verdict)
    out.print(
        f"Marked as {verdict.value}, with {len(gap.questions)} in all. `ostiary gaps reopen` takes it back."
    )


async def put_back(handle: str, gap_id: int) -> None:
    async with _opened(handle) as (gaps, user_id, _):
        number = await gaps.reopen(user_id, gap_id)
    out.print(f"On the list again, with {number} in all.")


@asynccontextmanager
async def _opened(handle: str) -> AsyncIterator[tuple[Gaps, str, dict[str, str]]]:
    """The gaps, the Slack user id of whoever looks, and the names of channels."""
    async with open_desk() as desk:
        person = await desk.person(handle)
        async with desk.database.writing_in(desk.workspace_id) as connection:
            names = await channel_names(connection)
        with progress_line() as progress:
            embeddings = await load_embeddings(load_settings(), progress)

        async def who_is_in(channel_id: str) -> Audience:
            async with desk.database.writing_in(desk.workspace_id) as connection:
                return await audience_known(connection, channel_id)

        gaps = Gaps(
            desk.database,
            desk.workspace_id,
            embeddings.encode,
            who_is_in,
            lambda words: small_talk(words) is None,
        )
        yield gaps, person.slack_user_id, names
