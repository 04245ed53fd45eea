"""Whatever sequence of grants, revocations, joinings, relabellings, deletions, questions and clicks there is:
nobody receives text, title, file name or citation outside the clearance of the moment of sending.

The machine's own judgement is tested too: with a guard taken out it must find a leak.
"""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from auth.clearance import Clearance
from auth.database import Database, DatabaseUrls
from bot.assistant import Assistant
from bot.slack import replying
from tests.door.machine import DoorMachine
from tests.door.memory import LeakError


def lives(examples: int, steps: int) -> settings:
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        phases=[Phase.explicit, Phase.generate],
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


@pytest.fixture
def machine(urls: DatabaseUrls) -> Iterator[type[DoorMachine]]:
    loop = asyncio.new_event_loop()
    database = Database(urls)

    class Machine(DoorMachine):
        pass

    Machine.database, Machine.loop = database, loop
    yield Machine
    loop.run_until_complete(database.close())
    loop.close()


def test_nobody_is_ever_told_what_they_may_not_read(machine: type[DoorMachine]) -> None:
    machine.made.clear()
    run_state_machine_as_test(machine, settings=lives(45, 50))
    steps = sum(n for name, n in machine.made.items() if name.startswith("step: "))
    assert steps > 1500
    assert {name.removeprefix("sent: ") for name in machine.made if name.startswith("sent: ")} >= {
        "direct message",
        "ephemeral",
        "public channel, thread",
        "private channel, thread",
        "mpim channel, thread",
    }


async def _yes(*_: object) -> bool:
    return True


@pytest.mark.parametrize("guard", ["the check before sending", "the audience"])
def test_with_a_guard_taken_out_a_leak_is_found(
    machine: type[DoorMachine], monkeypatch: pytest.MonkeyPatch, guard: str
) -> None:
    if guard == "the check before sending":
        monkeypatch.setattr(Assistant, "may_still_be_told", _yes)
    else:

        async def asker_alone(database: Any, workspace_id: int, audience: Any) -> Clearance:
            rights = await replying.rights_of(database, workspace_id, min(audience.slack_user_ids))
            assert rights is not None
            return rights.clearance

        monkeypatch.setattr(replying, "audience_clearance", asker_alone)
    with pytest.raises(LeakError):
        run_state_machine_as_test(machine, settings=lives(150, 50))
