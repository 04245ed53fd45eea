"""`/digest` in Slack: for whoever asks, alone; for a channel, set up by administrators."""

from tests.scenarios.administering.moves import typed
from tests.scenarios.conftest import Office


async def test_somebody_is_told_what_is_new_for_them_alone(office: Office) -> None:
    assert "direct message" in (await typed(office, "/digest", "", "enzo")).plain
    answer = await office.visitor.wait_for_reply("enzo", "@ostiary", timeout=60)
    assert "(new)" in answer.plain
    assert "Salary" not in answer.plain


async def test_administrators_alone_set_one_up_and_stop_it(office: Office) -> None:
    words = "weekly #general leave"
    assert "ostiary-admin" in (await typed(office, "/digest", words, "enzo")).plain
    assert "Set up a weekly digest for #general on leave." in (await typed(office, "/digest", words)).plain
    assert "ostiary-admin" in (await typed(office, "/digest", "list", "enzo")).plain
    assert "1: weekly" in (await typed(office, "/digest", "list")).plain
    assert "ostiary-admin" in (await typed(office, "/digest", "stop 1", "enzo")).plain
    assert "Stopped digest 1." in (await typed(office, "/digest", "stop 1")).plain
    assert "No digest" in (await typed(office, "/digest", "list")).plain
