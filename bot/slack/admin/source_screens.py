"""What `/docs` shows of sources that are kept: values in, screens out."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.administering.kept_sources import SourceEntry
from bot.administering.wording import capitalised, counted
from bot.slack.admin.elements import actions, button, confirmation, context, divider, section
from bot.slack.admin.failure_screens import DOCUMENTS, FAILURES
from bot.slack.admin.screens import Screen, pager
from bot.slack.channel_readers import readers_of_a_channel
from bot.slack.views import Block
from retrieval.sources.kept import Kind

HOME, ONE = "admin_sources", "admin_source"
PAUSE, RESUME, READ = "admin_source_pause", "admin_source_resume", "admin_source_read"
REMOVE, REMOVE_ALL = "admin_source_remove", "admin_source_remove_all"
CHANGE = "admin_change_readers"
PAGE = 15
KINDS = {
    Kind.PATH: "folder or file",
    Kind.URL: "web page",
    Kind.SITEMAP: "sitemap",
    Kind.LOADER: "loader",
    Kind.SLACK_CHANNEL: "channel",
}
READ_NOW = "It is read now, which may take a while. Open it again to see how that went."


def sources(entries: Sequence[SourceEntry], start: int, total: int) -> Screen:
    """A page of the sources that are kept, of `total`."""
    none = (
        "No source is kept yet. `/ingest` keeps a channel; `ostiary sources add` folders, web pages and more."
    )
    return Screen(
        "Sources",
        [
            context(
                "What is read again by itself: what changed there is changed here, what is gone no longer answers."
            ),
            divider(),
            *([_in_short(entry) for entry in entries] or [section(none)]),
            *pager(HOME, start, PAGE, total),
        ],
        back=(DOCUMENTS, "0"),
    )


def called(entry: SourceEntry) -> str:
    """What to call a source towards somebody who may not be allowed to read what is in it."""
    return entry.name or f"Source {entry.id}"


def numbered(entry: SourceEntry) -> list[str]:
    """What its number stands for, to whoever may know; nothing to others."""
    return [f"Source {entry.id} is {entry.name}."] if entry.name else []


def _in_short(entry: SourceEntry) -> Block:
    about = " · ".join([capitalised(KINDS[entry.kind]), _readers(entry), _often(entry)])
    return section(
        f"{about}\n{_last_time(entry)}", heading=called(entry), accessory=button(ONE, "Open", entry.id)
    )


def one(entry: SourceEntry, names: Mapping[str, str]) -> Screen:
    """How a source stands. `names`: Slack user id, or who else keeps sources -> what to call them."""
    kept = f"Kept by {names.get(entry.kept_by, entry.kept_by)} since {entry.created_at:%-d %B %Y}."
    facts = [
        f"A {KINDS[entry.kind]}, {_readers(entry)}.",
        f"In the collection {entry.collection}." if entry.collection else "",
        f"{capitalised(_often(entry))}.",
        f"{_last_time(entry)}.",
        entry.error or ("Why is told to those who may read what is in it." if entry.went_wrong else ""),
        _next_time(entry),
        f"{counted(entry.documents, 'document')} came from it.",
        f"{kept} Number {entry.id}." if entry.name else kept,
    ]
    failed = button(FAILURES, "What failed") if entry.counts.failed else None
    return Screen(
        "Source",
        [
            section("\n".join(fact for fact in facts if fact), heading=called(entry)),
            actions(*_moves(entry), failed),
            actions(
                button(CHANGE, "Change its readers", f"source {entry.id}")
                if _may_be_relabelled(entry)
                else None,
                button(REMOVE, "Remove, keep its documents ...", entry.id),
                button(REMOVE_ALL, "Remove with its documents ...", entry.id),
            ),
        ],
        carried={"source": entry.id},
        back=(HOME, "0"),
    )


def _moves(entry: SourceEntry) -> list[Block]:
    if entry.paused:
        return [button(RESUME, "Resume", entry.id, style="primary")]
    pause = confirmation(
        "Pause it?", "It is not read again until you resume it. What came from it goes on answering.", "Pause"
    )
    return [
        button(READ, "Read it now", entry.id, style="primary"),
        button(PAUSE, "Pause", entry.id, confirm=pause),
    ]


def _may_be_relabelled(entry: SourceEntry) -> bool:
    """A channel is for who is in it; the readers of what a field decides are given on the command line."""
    return entry.kind is not Kind.SLACK_CHANNEL and entry.by_field is None


def _readers(entry: SourceEntry) -> str:
    """`for people`, `for who is in it`, `by the field team: eng, hr`."""
    if entry.by_field is not None:
        return entry.readers
    in_it = readers_of_a_channel(entry.readers) if entry.kind is Kind.SLACK_CHANNEL else entry.readers
    return f"for {in_it}"


def _often(entry: SourceEntry) -> str:
    """`read every 12 hours`, `paused (every 12 hours)`, `paused`."""
    if entry.paused and entry.every is None:
        return "paused"
    return entry.often if entry.paused else f"read {entry.often}"


def _last_time(entry: SourceEntry) -> str:
    """How the last run went."""
    if entry.began_at is None:
        return "Not read yet"
    if entry.ended_at is None:
        return f"Being read since {_moment(entry.began_at)}"
    amiss = ", not to its end" if entry.went_wrong else ""
    counted = f": {entry.counted}" if entry.counted else ""
    return f"Last read {_moment(entry.ended_at)}{amiss}{counted}"


def _next_time(entry: SourceEntry) -> str:
    if entry.paused or entry.every is None or entry.next_at is None:
        return "It is not read again by itself."
    return f"Next time: {_moment(entry.next_at)}."


def _moment(moment: datetime) -> str:
    return f"{moment:%-d %B %Y, %H:%M} UTC"
