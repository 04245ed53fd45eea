"""What administrators are told, in sentences."""

from datetime import UTC, date, datetime, timedelta

from bot.administering.administration import Done
from bot.administering.changes import Change
from bot.administering.effects import Effect
from bot.administering.overviews import Readable
from bot.administering.wording import capitalised, counted

PEOPLE_NAMED = 10
NOTHING_CHANGED = "Nothing changed: it was so already."


def done_in_words(change: Change, done: Done) -> str:
    """What a change did, and to whom."""
    if done.change_id is None:
        return " ".join([NOTHING_CHANGED, *done.effect.notes])
    return f"{capitalised(change.in_words())}.\n{done.effect.in_words(PEOPLE_NAMED)}"


def would_be(change: Change, effect: Effect) -> str:
    """What a change would do, were it made now."""
    return (
        f"Nothing is changed yet. What would be done: {change.in_words()}.\n{effect.in_words(PEOPLE_NAMED)}"
    )


def readable_in_words(readable: Readable) -> str:
    """What somebody holds, and what that opens."""
    handle = readable.person.handle
    if not readable.roles:
        return f"@{handle} holds no role, and may read nothing."
    held = "\n".join(f"• {role}: {'; '.join(ways)}" for role, ways in readable.roles.items())
    opened = "\n".join(f"• {counted(e.documents, 'document')} for {e.in_words}" for e in readable.labels)
    parts = [
        f"@{handle} holds:\n{held}",
        f"and may read {counted(readable.documents, 'document')}:\n{opened}",
    ]
    if readable.titles:
        parts.append(
            "Among them, as far as you may read them yourself:\n"
            + "\n".join(f"• {title}" for title in readable.titles)
        )
    return "\n\n".join(parts)


def beginning_of_day(day: date | None) -> datetime | None:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) if day else None


def end_of_day(day: date | None) -> datetime | None:
    """The moment at which something ends whose last day this is (UTC)."""
    if day is None:
        return None
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
