"""What leaves the bot: nothing that makes Slack fetch what a document names."""

import pytest
from slack_sdk.errors import SlackApiError

from bot.sandbox.server import SandboxServer
from bot.slack.app import slack_client
from bot.slack.delivery import FoundAnswer, Outbox, Unreachable
from bot.slack.places import Place
from bot.slack.views import plain_blocks

LINKED = "See https://intranet.example/?q=secret for more."


@pytest.mark.parametrize("channel", ["C0GENERAL", "U0PIA"])
async def test_no_link_in_what_the_bot_posts_is_unfurled(sandbox: SandboxServer, channel: str) -> None:
    client = slack_client(sandbox.bot_token, sandbox.api_url)
    await Outbox(client).post(Place(channel, "channel", None), LINKED, plain_blocks(LINKED))
    assert sandbox.unfurls == []


async def test_a_link_that_was_not_held_back_would_be_unfurled(sandbox: SandboxServer) -> None:
    client = slack_client(sandbox.bot_token, sandbox.api_url)
    await client.chat_postMessage(channel="C0GENERAL", text=LINKED, unfurl_links=True)
    assert len(sandbox.unfurls) == 1


async def test_what_is_told_to_one_person_is_seen_by_nobody_else(sandbox: SandboxServer) -> None:
    client = slack_client(sandbox.bot_token, sandbox.api_url)
    place = Place("C0GENERAL", "channel", None)
    await Outbox(client).tell_alone(place, "U0PIA", "For Pia.", plain_blocks("For Pia."))
    heard = {name: sandbox.visitor.visible_to(name, "#general") for name in ("pia", "enzo")}
    assert [message.ephemeral for message in heard["pia"]] == [True]
    assert heard["enzo"] == ()


async def test_whoever_left_a_place_is_told_in_person_and_whoever_left_the_company_is_not_there(
    sandbox: SandboxServer,
) -> None:
    outbox = Outbox(slack_client(sandbox.bot_token, sandbox.api_url))
    place, said = Place("C0GENERAL", "channel", None), plain_blocks("For Enzo.")
    await sandbox.visitor.leave("enzo", "#general")
    await outbox.tell_alone(place, "U0ENZO", "For Enzo.", said)
    assert [message.plain for message in sandbox.visitor.visible_to("enzo", "@ostiary")] == ["For Enzo."]
    await sandbox.visitor.deactivate("enzo")
    with pytest.raises(Unreachable):
        await outbox.tell_alone(place, "U0ENZO", "For Enzo.", said)
    with pytest.raises(SlackApiError):  # a channel that is gone says nothing of who asked there
        await outbox.post(Place("C0NOWHERE", "channel", None), "For all.", said)


async def test_an_answer_that_another_app_signs_as_ours_is_not_taken_for_it(sandbox: SandboxServer) -> None:
    client = slack_client(sandbox.bot_token, sandbox.api_url)
    place, outbox = Place("C0GENERAL", "channel", None), Outbox(client)
    ts = await outbox.post(place, "27 days.", plain_blocks("27 days."), question_id=7)
    assert await outbox.find_answer(place, "0", 7, sandbox.bot_user_id) == FoundAnswer(ts, whole=True)
    assert await outbox.find_answer(place, "0", 7, "U0OTHERBOT") is None
    assert await outbox.find_answer(place, "0", 8, sandbox.bot_user_id) is None
