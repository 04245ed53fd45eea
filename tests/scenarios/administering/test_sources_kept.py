"""`/docs sources`: what is read again by itself, seen and changed by administrators alone."""

import asyncio

from auth.labelling import intern_label
from auth.labels import NOBODY, parse_policy
from bot.administering.administration import COMMAND_LINE, Administration
from bot.administering.changes import AddSource, DefineCollection
from bot.queue import JobQueue
from bot.slack.admin import access_screens as access
from bot.slack.admin import collection_screens as collections
from bot.slack.admin import failure_screens as failures
from bot.slack.admin import source_screens as sources
from bot.slack.admin.counter import ADMINS_ONLY
from bot.slack.admin.screens import UNDO
from bot.slack.app import slack_client
from bot.slack.channel_readers import NOT_IN_IT, ChannelReaders
from bot.slack.ingest_requests import NewRequest, add_request, read_request
from bot.slack.keeping_channels import ChannelKeeper
from retrieval.sources.kept import Counts, Kind, end_run, list_sources, source_with
from retrieval.sources.ledger import Ledger
from tests.scenarios.administering.moves import (
    command,
    events,
    give,
    modal,
    press,
    submit,
    take_everything_from_pia,
    typed,
    values_of,
)
from tests.scenarios.conftest import Office

PATIENCE_S = 60


async def keep(office: Office, *references: str, readers: str = "people") -> list[int]:
    """Keep web pages that are read when asked to; returns their numbers."""
    administration = Administration(office.database, office.workspace_id)
    for reference in references:
        await administration.carry_out(AddSource(Kind.URL, reference, parse_policy(readers)), COMMAND_LINE)
    async with office.database.writing_in(office.workspace_id) as connection:
        return [source.id for source in await list_sources(connection)]


async def keep_people(office: Office) -> int:
    """Keep the channel #people, as Pia does with a form; returns its number once it was read."""
    await office.visitor.post("pia", "#people", "Bonuses are paid in May.")
    await command(office, "/ingest")
    await submit(office, {"channel": "#people"})
    await office.visitor.wait_for_reply(
        "pia", "@ostiary", containing="is kept from now on", timeout=PATIENCE_S
    )
    return await read(office, added=1)


async def read(office: Office, **counts: int) -> int:
    """Wait until the one source was read with this outcome."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            async with office.database.writing_in(office.workspace_id) as connection:
                (source,) = await list_sources(connection)
            if source.ended_at and all(getattr(source.counts, what) == n for what, n in counts.items()):
                return source.id
            await asyncio.sleep(0.2)


async def test_a_kept_channel_is_listed_by_its_name_with_how_it_went(office: Office) -> None:
    number = await keep_people(office)
    view = await command(office, "/docs", "sources")
    assert "*#people*\nChannel · for who is in it · read every hour\nLast read" in view.plain
    assert "UTC: 1 added\n" in view.plain
    view = await press(office, sources.ONE, str(number))
    assert "Next time: " in view.plain
    assert "1 document came from it.\nKept by @pia since" in view.plain
    assert "c0people" not in view.plain.lower()


async def test_a_source_is_paused_and_resumed_and_both_are_in_the_log(office: Office) -> None:
    (number,) = await keep(office, "https://a.example/")
    await command(office, "/docs", "sources")
    await press(office, sources.ONE, str(number))
    before = await events(office)
    paused = (await press(office, sources.PAUSE)).plain
    assert f"Paused source {number}." in paused
    assert f"Source {number} is https://a.example/." in paused
    view = await press(office, sources.ONE, str(number))
    assert "Paused.\nNot read yet.\nIt is not read again by itself." in view.plain
    assert not values_of(view, sources.READ)
    assert f"Took source {number} up again." in (await press(office, sources.RESUME)).plain
    assert await events(office) == before + 2
    await press(office, UNDO)
    assert "Paused" in (await press(office, sources.ONE, str(number))).plain


async def test_a_source_is_read_when_an_administrator_says_so(office: Office) -> None:
    number = await keep_people(office)
    await office.visitor.post("pia", "#people", "And in November.")
    await command(office, "/docs", "sources")
    await press(office, sources.ONE, str(number))
    assert sources.READ_NOW in (await press(office, sources.READ)).plain
    await read(office, updated=1)
    assert "UTC: 1 updated." in (await press(office, sources.ONE, str(number))).plain


async def test_a_source_is_removed_with_its_documents_once_that_is_confirmed(office: Office) -> None:
    number = await keep_people(office)
    await command(office, "/docs", "sources")
    await press(office, sources.ONE, str(number))
    shown = await press(office, sources.REMOVE_ALL)
    assert "Nothing is changed yet." in shown.plain
    assert "@pia loses 1 document." in shown.plain
    assert f"Source {number} is #people." in shown.plain
    assert "#people" in (await command(office, "/docs", "#people")).plain.partition("Show all")[2]
    await press(office, sources.HOME)
    await press(office, sources.ONE, str(number))
    await press(office, sources.REMOVE_ALL)
    await submit(office)
    assert f"Removed source {number}, with its documents, for good." in modal(office).plain
    assert "No source is kept yet." in (await press(office, sources.HOME)).plain
    assert "There is nothing like this" in (await command(office, "/docs", "#people")).plain


async def test_a_source_is_given_other_readers(office: Office) -> None:
    (number,) = await keep(office, "https://a.example/")
    await command(office, "/docs", "sources")
    await press(office, sources.ONE, str(number))
    shown = await press(office, access.CHANGE)
    assert "https://a.example/, with all that came from it" in shown.plain
    await submit(office, {"readers": ["engineering"], "rule": "any"})
    assert f"gave source {number} and what came from it the readers engineering" in modal(office).plain
    await submit(office)
    assert "A web page, for engineering." in (await press(office, sources.ONE, str(number))).plain


async def test_an_administrator_who_may_not_read_a_source_sees_neither_its_name_nor_its_failure(
    office: Office,
) -> None:
    (number,) = await keep(office, "https://merger.example/")
    async with office.database.writing_in(office.workspace_id) as connection:
        await end_run(connection, number, Counts(failed=1), "merger.example does not answer.")
    await give(office, "enzo", "ostiary-admin")
    view = await command(office, "/docs", "sources", person="enzo")
    assert f"*Source {number}*\nWeb page · for people" in view.plain
    view = await press(office, sources.ONE, str(number), person="enzo")
    assert "Why is told to those who may read what is in it." in view.plain
    shown = await press(office, sources.REMOVE, str(number), person="enzo")
    assert "merger" not in view.plain + shown.plain
    await command(office, "/docs", "sources")
    view = await press(office, sources.ONE, str(number))
    assert "*https://merger.example/*" in view.plain
    assert "merger.example does not answer." in view.plain


async def test_pausing_a_source_does_not_tell_what_it_is_called(office: Office) -> None:
    (number,) = await keep(office, "https://merger.example/")
    await give(office, "enzo", "ostiary-admin")
    await command(office, "/docs", "sources", person="enzo")
    await press(office, sources.ONE, str(number), person="enzo")
    paused = await press(office, sources.PAUSE, person="enzo")
    assert f"Paused source {number}." in paused.plain
    assert "merger" not in paused.plain


async def test_a_private_channel_is_kept_by_nobody_who_is_not_in_it(office: Office) -> None:
    await give(office, "enzo", "ostiary-admin")
    async with office.database.writing_in(office.workspace_id) as connection:
        forged = NewRequest("channel", "C0PEOPLE", "", office.visitor.who("enzo").user_id, "")
        request = await read_request(connection, await add_request(connection, forged) or 0)
    assert request is not None
    client = slack_client(office.sandbox.bot_token, office.sandbox.api_url)
    bot_user_id = office.sandbox.sandbox.workspace.bot_user_id
    channels = ChannelReaders(client, office.database, office.workspace_id, bot_user_id)
    keeper = ChannelKeeper(office.database, office.workspace_id, channels)
    queue = JobQueue(office.database.urls, office.workspace_id)
    assert await keeper.keep(request, queue) == (f"The channel is not kept. {NOT_IN_IT}", "failed")
    assert "No source is kept yet." in (await command(office, "/docs", "sources")).plain


async def test_what_fails_in_a_channel_is_not_told_to_who_kept_it_and_left(office: Office) -> None:
    number = await keep_people(office)
    async with office.database.writing_in(office.workspace_id) as connection:
        source = await source_with(connection, number)
        nobodys = await intern_label(connection, NOBODY)
    await Ledger(office.database, office.workspace_id, source).failed(
        "slack-day:C0PEOPLE:x", nobodys, "Merger."
    )
    await command(office, "/docs")
    view = await press(office, failures.FAILURES)
    assert "for others than you" in view.plain
    assert "Merger" not in view.plain


async def test_a_source_whose_readers_a_field_decides_is_told_to_who_may_read_all_of_it(
    office: Office,
) -> None:
    by = {"hr": parse_policy("people"), "eng": parse_policy("engineering")}
    administration = Administration(office.database, office.workspace_id)
    wiki = AddSource(Kind.LOADER, "wiki.Loader", NOBODY, {"label_by": "team", "arguments": {}}, by)
    await administration.carry_out(wiki, COMMAND_LINE)
    view = await command(office, "/docs", "sources")
    assert "Loader · for by" not in view.plain
    assert "Loader · by the field team: eng, hr" in view.plain
    assert "wiki" not in view.plain
    await give(office, "pia", "engineering")
    assert "wiki.Loader" in (await command(office, "/docs", "sources")).plain


async def test_somebody_who_is_no_administrator_learns_nothing_of_sources(office: Office) -> None:
    (number,) = await keep(office, "https://a.example/", readers="everyone")
    assert (await typed(office, "/docs", "sources", "enzo")).plain == ADMINS_ONLY
    await command(office, "/docs", "sources")
    await press(office, sources.ONE, str(number))
    await take_everything_from_pia(office)
    before = await events(office)
    assert (await press(office, sources.PAUSE)).plain == ADMINS_ONLY
    assert await events(office) == before


async def test_a_source_that_is_gone_is_said_to_be(office: Office) -> None:
    (number,) = await keep(office, "https://a.example/")
    await command(office, "/docs", "sources")
    await press(office, sources.ONE, str(number))
    async with office.database.writing_in(office.workspace_id) as connection:
        await connection.exec_driver_sql("DELETE FROM retrieval.source")
    assert (await press(office, sources.PAUSE)).plain.startswith("There is no such source any more.")


async def test_many_sources_are_shown_page_by_page(office: Office) -> None:
    await keep(office, *(f"https://a{number:02}.example/" for number in range(17)))
    view = await command(office, "/docs", "sources")
    assert "1 to 15 of 17" in view.plain
    assert "a15.example" not in view.plain
    view = await press(office, f"{sources.HOME}:later")
    assert "16 to 17 of 17" in view.plain
    assert "a16.example" in view.plain
    assert "a14.example" not in view.plain


async def test_how_fast_a_collection_fades_is_seen_and_set(office: Office) -> None:
    administration = Administration(office.database, office.workspace_id)
    await administration.carry_out(DefineCollection("news", parse_policy("people")), COMMAND_LINE)
    await command(office, "/access")
    view = await press(office, access.COLLECTIONS)
    (number,) = values_of(view, access.COLLECTION)
    assert "It fades" not in (await press(office, access.COLLECTION, number)).plain
    await press(office, collections.FADE)
    ((at, sentence),) = (await submit(office, {"days": "soon"})).field_errors.items()
    assert at.startswith("days")
    assert sentence == "Write a number of days, as 30, or nothing."
    await submit(office, {"days": "30"})
    assert "let what is in the collection news count half after 30 days" in modal(office).plain
    await submit(office)
    view = await press(office, access.COLLECTION, number)
    assert "It fades: what is in it counts half after 30 days." in view.plain
    await press(office, collections.FADE)
    await submit(office, {"days": ""})
    await submit(office)
    assert "It fades" not in (await press(office, access.COLLECTION, number)).plain
