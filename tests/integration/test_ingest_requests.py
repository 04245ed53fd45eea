"""Requests to add a document: readers are fixed once, and what was handed in is let go of at the end."""

from dataclasses import replace
from datetime import timedelta

from auth.database import Database
from bot.slack.ingest_requests import (
    Chosen,
    IngestionRequest,
    NewRequest,
    accept_request,
    add_request,
    end_request,
    forget_old_texts,
    read_request,
    set_request_aside,
)

PASTED = NewRequest("text", "pasted text", "Canteen", "U1", "C1", b"Opens at 11:45.", event_id="E1")


async def stored(database: Database, workspace_id: int, request_id: int) -> IngestionRequest:
    async with database.writing_in(workspace_id) as connection:
        request = await read_request(connection, request_id)
    assert request is not None
    return request


async def add(database: Database, workspace_id: int, new: NewRequest = PASTED) -> int | None:
    async with database.writing_in(workspace_id) as connection:
        return await add_request(connection, new)


async def test_an_event_delivered_twice_is_one_request(database: Database, workspace_id: int) -> None:
    assert await add(database, workspace_id) is not None
    assert await add(database, workspace_id) is None


async def test_a_modal_sent_twice_does_not_change_who_may_read(database: Database, workspace_id: int) -> None:
    request_id = await add(database, workspace_id)
    assert request_id is not None
    async with database.writing_in(workspace_id) as connection:
        assert await accept_request(connection, request_id, Chosen("hr", "Canteen"))
        assert not await accept_request(connection, request_id, Chosen("everyone", "Canteen"))
    assert (await stored(database, workspace_id, request_id)).readers == "hr"


async def test_a_request_that_has_ended_is_not_accepted_again(database: Database, workspace_id: int) -> None:
    request_id = await add(database, workspace_id)
    assert request_id is not None
    async with database.writing_in(workspace_id) as connection:
        await end_request(connection, request_id, "failed")
        assert not await accept_request(connection, request_id, Chosen("everyone", "Canteen"))
    ended = await stored(database, workspace_id, request_id)
    assert (ended.state, ended.readers, ended.content) == ("failed", None, None)


async def test_a_request_of_another_workspace_is_not_there(database: Database, workspace_id: int) -> None:
    request_id = await add(database, workspace_id)
    assert request_id is not None
    async with database.writing_in(workspace_id + 1) as connection:
        assert await read_request(connection, request_id) is None
        assert not await accept_request(connection, request_id, Chosen("everyone", "Canteen"))
    assert (await stored(database, workspace_id, request_id)).state == "waiting"


async def test_text_that_nobody_came_back_for_is_let_go_of(database: Database, workspace_id: int) -> None:
    waiting, aside, accepted = [await add(database, workspace_id, replace(PASTED, event_id=e)) for e in "ABC"]
    assert waiting is not None
    assert aside is not None
    assert accepted is not None
    async with database.writing_in(workspace_id) as connection:
        for request_id in (aside, accepted):
            await accept_request(connection, request_id, Chosen("hr"))
        await set_request_aside(connection, aside)
        assert await forget_old_texts(connection) == 0
    async with database.writing_in(workspace_id) as connection:
        assert await forget_old_texts(connection, timedelta(0)) == 2
    for request_id in (waiting, aside):
        left = await stored(database, workspace_id, request_id)
        assert (left.state, left.content) == ("failed", b"")
    assert (await stored(database, workspace_id, accepted)).content == PASTED.content
