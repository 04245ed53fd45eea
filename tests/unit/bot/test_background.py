"""Work beside other work ends with it, whatever becomes of the first cancellation."""

import asyncio

import pytest

from bot import background
from bot.background import end, in_background

pytestmark = pytest.mark.timeout(60)


async def test_a_loop_that_loses_its_cancellation_is_cancelled_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "CANCEL_AGAIN_S", 0.05)
    came, turns = asyncio.Event(), 0

    async def wait_for_ever() -> None:
        nonlocal turns
        while True:
            await asyncio.wait_for(came.wait(), 60)
            came.clear()
            turns += 1

    async with in_background(wait_for_ever()):
        await asyncio.sleep(0.01)
        came.set()  # and cancelled in the same turn of the loop
    assert turns == 1, "Python's wait_for no longer loses cancellations: the second one can go"


async def test_what_failed_in_the_background_is_raised_at_the_end() -> None:
    async def fails() -> None:
        raise LookupError("it is not there")

    with pytest.raises(LookupError, match="it is not there"):
        async with in_background(fails()):
            await asyncio.sleep(0.01)


async def test_all_are_ended_however_they_end() -> None:
    async def fails_at_the_end() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            raise LookupError

    tasks = [asyncio.create_task(asyncio.sleep(60)), asyncio.create_task(fails_at_the_end())]
    await asyncio.sleep(0)
    await end(*tasks)
    assert tasks[0].cancelled()
    assert isinstance(tasks[1].exception(), LookupError)
