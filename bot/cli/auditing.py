"""What `ostiary audit` does and prints."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from rich.text import Text
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.audit import Sought, Verdict, search, verify
from auth.directory import find_people, list_workspaces, person_called
from auth.history import Told, find_document, who_could_see, who_was_told
from auth.retention import withdraw
from bot.administering.administration import COMMAND_LINE
from bot.audit_names import read_names
from bot.audit_words import in_words
from bot.cli.administering import Desk, open_desk, print_table
from bot.cli.anchors import NAME, AnchorFile
from bot.cli.output import checks_table, counted, out
from bot.proofs import check_answers
from bot.settings import load_settings

HEARERS_NAMED = 12
_MINUTE, _SECOND = "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"


@dataclass(frozen=True)
class Wanted:
    """What to look for, as the command line says it."""

    person: str | None
    document: str | None
    kind: str | None
    since: datetime | None
    until: datetime | None


async def print_events(wanted: Wanted, before: int | None, limit: int) -> None:
    async with open_desk() as desk, desk.database.writing_in(desk.workspace_id) as connection:
        who = await _slack_user_id(connection, wanted.person) if wanted.person else None
        document_id = await find_document(connection, wanted.document) if wanted.document else None
        sought = Sought(who, document_id, wanted.kind, wanted.since, wanted.until)
        events = await search(connection, sought, before=before, limit=limit + 1)
        names = await read_names(connection, events)
    shown = events[:limit]
    rows = [(str(event.seq), f"{event.at:{_SECOND}}", in_words(event, names)) for event in shown]
    print_table(("Event", "When (UTC)", "What happened"), rows, "The audit log has nothing like that.")
    if len(events) > limit:
        out.print(Text(f"There is more: --before {shown[-1].seq}.", style="dim"))


async def _slack_user_id(connection: AsyncConnection, named: str) -> str:
    """Somebody by Slack user id, or by handle."""
    if named in await find_people(connection, [named]):
        return named
    return (await person_called(connection, named)).slack_user_id


async def verify_log(*, anchored: bool) -> bool:
    """Print how the log stands; True if it is whole."""
    async with open_desk() as desk:
        noted = await _anchor_file(desk)
        anchors = noted.read() if anchored else ()
        async with desk.database.writing_in(desk.workspace_id) as connection:
            verdict = await verify(connection, anchors)
    is_new = verdict.head not in anchors[-1:] and verdict.events > 0
    if anchored and not verdict.faults and is_new:
        noted.add(verdict.head)
    rows = _standing(verdict)
    if anchored:
        said = f"{counted(len(anchors), 'end')} noted earlier in {noted.path}"
        rows.append((None, "Anchors", f"{said}; keep a copy of that file elsewhere"))
    out.print(checks_table(rows))
    return not verdict.faults


def _standing(verdict: Verdict) -> list[tuple[bool | None, str, str]]:
    rows: list[tuple[bool | None, str, str]] = [(False, "Fault", fault) for fault in verdict.faults]
    if not rows:
        rows.append((True, "Log", f"{counted(verdict.events, 'event')}, whole"))
        rows.append((None, "Its end", f"event {verdict.head.seq}, {verdict.head.hash}"))
    if verdict.withdrawn:
        withdrawn = counted(verdict.withdrawn, "event")
        rows.append((None, "Withdrawn", f"the details of {withdrawn}, their time being over"))
    return rows


async def _anchor_file(desk: Desk) -> AnchorFile:
    async with desk.database.registering() as connection:
        workspaces = await list_workspaces(connection)
    team_id = next(team_id for workspace_id, team_id, _ in workspaces if workspace_id == desk.workspace_id)
    return AnchorFile(load_settings().home / NAME, team_id)


async def print_who_could_see(document: str, day: date) -> None:
    start = datetime.combine(day, time(), UTC)
    end = start + timedelta(days=1)
    async with open_desk() as desk, desk.database.writing_in(desk.workspace_id) as connection:
        document_id = await find_document(connection, document, before=end)
        found = await who_could_see(connection, document_id, day)
        told = [told for told in await who_was_told(connection, document_id) if start <= told.at < end]
        heard = {slack_user_id for answer in told for slack_user_id in (*answer.members, answer.asker)}
        people = await find_people(connection, heard)
    rows = [
        (
            f"@{could.handle}",
            could.name,
            f"{could.since:{_MINUTE}}",
            "the end of the day" if could.until == end else f"{could.until:{_MINUTE}}",
            ", ".join(sorted(could.roles)),
        )
        for could in found
    ]
    nobody = f"Nobody could have read document {document_id} on {day}."
    print_table(("Handle", "Name", "From (UTC)", "Until (UTC)", "By"), rows, nobody)
    if told:
        handles = {slack_user_id: f"@{person.handle}" for slack_user_id, person in people.items()}
        out.print(Text("\nAnswers that were made from it that day:", style="bold"))
        print_table(("When (UTC)", "Asked by", "Heard by"), [_told(answer, handles) for answer in told], "")


def _told(answer: Told, handles: dict[str, str]) -> tuple[str, str, str]:
    named = sorted(handles.get(member, member) for member in answer.members)
    more = len(named) - HEARERS_NAMED
    heard = ", ".join(named[:HEARERS_NAMED]) + (f" and {more} more" if more > 0 else "")
    everybody = ", and any full member" if answer.every_member else ""
    return f"{answer.at:{_MINUTE}}", handles.get(answer.asker, answer.asker), heard + everybody


async def print_checked_answers(since: datetime | None) -> bool:
    """Print what is wrong, and how many were checked; True if nothing is."""
    async with open_desk() as desk:
        report = await check_answers(desk.database, desk.workspace_id, since)
    rows: list[tuple[bool | None, str, str]] = [(False, "Wrong", str(wrong)) for wrong in report.wrong]
    if not report.wrong:
        rows.append((True, "Answers", f"{report.checked} checked, each right for whoever heard it"))
    else:
        rows.append((None, "Answers", f"{report.checked} checked, {len(report.wrong)} wrong"))
    if report.unproven:
        rows.append((None, "Unproven", f"{report.unproven} sent by a version that kept no proofs yet"))
    if report.withdrawn:
        rows.append((None, "Withdrawn", f"of {report.withdrawn} the event's details, their time being over"))
    out.print(checks_table(rows))
    return not report.wrong


async def withdraw_details(before: datetime) -> None:
    async with open_desk() as desk:
        withdrawn = await withdraw(desk.database.urls, desk.workspace_id, before, COMMAND_LINE)
    if withdrawn:
        out.print(
            Text(f"The details of {counted(withdrawn, 'event')} before {before:%Y-%m-%d} are gone for good.")
        )
    else:
        out.print(Text(f"No event before {before:%Y-%m-%d} had details to withdraw."))
