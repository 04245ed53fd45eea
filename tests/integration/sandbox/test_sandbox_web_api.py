"""The Web API's answers and refusals, as the real client meets them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.server import SandboxServer


async def refusal(call: Awaitable[Any]) -> Any:
    """The body of the answer with which Slack refuses."""
    with pytest.raises(SlackApiError) as refused:
        await call
    return refused.value.response


Calling = Callable[[AsyncWebClient], Awaitable[Any]]
MODAL: dict[str, Any] = {"type": "modal", "title": {"type": "plain_text", "text": "Hi"}, "blocks": []}
LONG = "x" * 40_001
REFUSED: dict[str, tuple[Calling, str]] = {
    "a private channel without the bot": (
        lambda c: c.chat_postMessage(channel="G0PAY", text="hi"),
        "channel_not_found",
    ),
    "a channel that never was": (
        lambda c: c.chat_postMessage(channel="C0NONE", text="hi"),
        "channel_not_found",
    ),
    "a public channel without the bot": (
        lambda c: c.chat_postMessage(channel="C0RANDOM", text="hi"),
        "not_in_channel",
    ),
    "an archived channel": (lambda c: c.chat_postMessage(channel="C0OLD", text="hi"), "is_archived"),
    "a message without words": (
        lambda c: c.api_call("chat.postMessage", json={"channel": "C0GENERAL"}),
        "no_text",
    ),
    "a message too long": (lambda c: c.chat_postMessage(channel="C0GENERAL", text=LONG), "msg_too_long"),
    "markdown beside text": (
        lambda c: c.chat_postMessage(channel="C0GENERAL", text="hi", markdown_text="hi"),
        "markdown_text_conflict",
    ),
    "a reply to nothing": (
        lambda c: c.chat_postMessage(channel="C0GENERAL", text="hi", thread_ts="1.000001"),
        "thread_not_found",
    ),
    "metadata without a type": (
        lambda c: c.chat_postMessage(channel="C0GENERAL", text="hi", metadata={"event_payload": {}}),
        "invalid_metadata_format",
    ),
    "a whisper to somebody elsewhere": (
        lambda c: c.chat_postEphemeral(channel="G0BOARD", user="U0PRIYA", text="hi"),
        "user_not_in_channel",
    ),
    "an update of nothing": (
        lambda c: c.chat_update(channel="C0GENERAL", ts="1.000001", text="hi"),
        "message_not_found",
    ),
    "members of a private channel": (lambda c: c.conversations_members(channel="G0PAY"), "channel_not_found"),
    "history of a channel it is not in": (
        lambda c: c.conversations_history(channel="C0RANDOM"),
        "not_in_channel",
    ),
    "replies to nothing": (
        lambda c: c.conversations_replies(channel="C0GENERAL", ts="1.000001"),
        "thread_not_found",
    ),
    "a person who never was": (lambda c: c.users_info(user="U0NOBODY"), "user_not_found"),
    "a group that never was": (lambda c: c.usergroups_users_list(usergroup="S0NONE"), "no_such_subteam"),
    "a broken cursor": (lambda c: c.users_list(cursor="nonsense"), "invalid_cursor"),
    "an unknown kind of channel": (lambda c: c.conversations_list(types="secret"), "invalid_types"),
    "a file that never was": (lambda c: c.files_info(file="F0NONE"), "file_not_found"),
    "a reaction to nothing": (
        lambda c: c.reactions_add(channel="C0GENERAL", name="eyes", timestamp="1.000001"),
        "message_not_found",
    ),
    "an unknown method": (lambda c: c.api_call("chat.shout"), "unknown_method"),
    "a trigger never issued": (lambda c: c.views_open(trigger_id="1.2.x", view=MODAL), "invalid_trigger_id"),
    "an update of no view": (lambda c: c.views_update(view_id="V0NONE", view=MODAL), "not_found"),
    "the app's method with the bot's token": (
        lambda c: c.api_call("apps.connections.open"),
        "not_allowed_token_type",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_a_wrong_call_is_refused_in_slacks_own_word(case: str, client: AsyncWebClient) -> None:
    call, error = REFUSED[case]
    assert (await refusal(call(client)))["error"] == error


async def test_the_bot_is_told_who_it_is(sandbox: SandboxServer, client: AsyncWebClient) -> None:
    answer = await client.auth_test()
    assert (answer["user_id"], answer["user"], answer["team_id"]) == (
        sandbox.bot_user_id,
        "ostiary",
        "T0LANTERN",
    )


@pytest.mark.parametrize(("token", "error"), [("", "not_authed"), ("xoxb-wrong", "invalid_auth")])
async def test_a_missing_or_wrong_token_is_refused(sandbox: SandboxServer, token: str, error: str) -> None:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with aiohttp.ClientSession() as session:
        answer = await (await session.post(f"{sandbox.api_url}auth.test", headers=headers)).json()
    assert answer == {"ok": False, "error": error}


async def test_names_the_scope_that_is_missing(sandbox: SandboxServer, client: AsyncWebClient) -> None:
    sandbox.scopes.discard("chat:write")
    answer = await refusal(client.chat_postMessage(channel="C0GENERAL", text="hi"))
    assert (answer["error"], answer["needed"]) == ("missing_scope", "chat:write")


async def test_reading_a_direct_message_needs_its_own_scope(
    sandbox: SandboxServer, client: AsyncWebClient
) -> None:
    said = await sandbox.visitor.dm("priya", "hello")
    answer = await refusal(client.conversations_info(channel=said.channel_id))
    assert answer["needed"] == "im:read"


async def test_a_rate_limit_says_when_to_come_back(sandbox: SandboxServer, client: AsyncWebClient) -> None:
    sandbox.limits.allow("chat.postMessage", calls=2, per_seconds=30)
    for _ in range(2):
        await client.chat_postMessage(channel="C0GENERAL", text="hi")
    answer = await refusal(client.chat_postMessage(channel="C0GENERAL", text="hi"))

    assert (answer.status_code, answer["error"]) == (429, "ratelimited")
    assert 1 <= int(answer.headers["Retry-After"]) <= 30


async def test_a_rate_limit_ends(sandbox: SandboxServer, client: AsyncWebClient, clock: Any) -> None:
    sandbox.limits.allow("auth.test", calls=1, per_seconds=30)
    await client.auth_test()
    await refusal(client.auth_test())
    clock.advance(31)
    assert (await client.auth_test())["ok"]


async def test_failures_can_be_asked_for_and_pass(sandbox: SandboxServer, client: AsyncWebClient) -> None:
    sandbox.limits.fail_next("auth.test", error="internal_error", status=500)
    sandbox.limits.refuse_next("auth.test", retry_after=7)
    assert (await refusal(client.auth_test())).status_code == 500
    assert (await refusal(client.auth_test())).headers["Retry-After"] == "7"
    assert (await client.auth_test())["ok"]


async def test_lists_come_in_pages_that_join_without_gap_or_repeat(client: AsyncWebClient) -> None:
    seen: list[str] = []
    cursor = ""
    for _ in range(10):
        page = await client.users_list(limit=2, cursor=cursor)
        assert len(page["members"]) <= 2
        seen += [member["id"] for member in page["members"]]
        cursor = page["response_metadata"]["next_cursor"]
        if not cursor:
            break
    whole = await client.users_list()
    assert seen == [member["id"] for member in whole["members"]]
    assert len(seen) == 6


async def test_the_sdk_follows_the_cursor_by_itself(client: AsyncWebClient) -> None:
    members: list[str] = []
    async for page in await client.conversations_members(channel="C0GENERAL", limit=1):
        members += page["members"]
    assert members[:3] == ["U0PRIYA", "U0MARTA", "U0GUS"]
    assert len(members) == 4


async def test_kinds_of_people_carry_slacks_own_marks(client: AsyncWebClient) -> None:
    people = {member["name"]: member for member in (await client.users_list())["members"]}
    assert people["gus"]["is_restricted"]
    assert people["gus"]["is_ultra_restricted"]
    assert people["stella"]["is_stranger"]
    assert people["stella"]["team_id"] != "T0LANTERN"
    assert people["omar"]["deleted"]
    assert people["marta"]["is_admin"]
    assert people["ostiary"]["is_bot"]
    assert not people["priya"]["is_restricted"]


async def test_lists_only_channels_the_bot_may_know_of(client: AsyncWebClient) -> None:
    types = "public_channel,private_channel"
    known = {c["name"] for c in (await client.conversations_list(types=types))["channels"]}
    joined = {c["name"] for c in (await client.users_conversations(types=types))["channels"]}
    assert known == {"general", "random", "board", "old"}
    assert joined == {"general", "board", "old"}


async def test_user_groups_name_their_active_members(client: AsyncWebClient) -> None:
    groups = (await client.usergroups_list(include_users=True))["usergroups"]
    assert [(group["handle"], group["users"]) for group in groups] == [("engineers", ["U0PRIYA"])]
    assert (await client.usergroups_users_list(usergroup="S0ENG"))["users"] == ["U0PRIYA"]


async def test_a_message_to_a_persons_id_reaches_their_direct_message(
    sandbox: SandboxServer, client: AsyncWebClient
) -> None:
    answer = await client.chat_postMessage(channel="U0PRIYA", text="psst")
    assert answer["channel"].startswith("D")
    assert sandbox.visitor.visible_to("priya", "@ostiary")[-1].text == "psst"
    assert sandbox.visitor.visible_to("marta", "@ostiary") == ()


async def test_every_call_is_on_record_without_its_token(
    sandbox: SandboxServer, client: AsyncWebClient
) -> None:
    await client.chat_postMessage(channel="C0GENERAL", text="hi")
    call = sandbox.calls[-1]
    assert (call.method, call.arguments["text"]) == ("chat.postMessage", "hi")
    assert "token" not in call.arguments


async def test_another_site_in_the_browser_cannot_play_the_people(sandbox: SandboxServer) -> None:
    said = {"person": "priya", "channel": "general", "text": "@ostiary tell all"}
    async with aiohttp.ClientSession() as session:
        for headers in ({"Origin": "http://evil.example"}, {"Host": "evil.example"}):
            refused = await session.post(f"{sandbox.url}visitor/post", json=said, headers=headers)
            assert refused.status == 403
    assert sandbox.visitor.visible_to("priya", "general") == ()


async def test_slacks_tiers_hold_where_they_are_asked_for(
    sandbox: SandboxServer, client: AsyncWebClient, clock: Any
) -> None:
    sandbox.limits.be_as_strict_as_slack()
    for _ in range(20):
        await client.users_list()
    with pytest.raises(SlackApiError) as refused:
        await client.users_list()
    assert (refused.value.response.status_code, refused.value.response["error"]) == (429, "ratelimited")
    assert 58 <= int(refused.value.response.headers["Retry-After"]) <= 60
    await client.users_info(user="U0PRIYA")
    clock.advance(61)
    await client.users_list()


async def test_a_channel_takes_one_message_a_second_and_others_are_not_held_up(
    sandbox: SandboxServer, client: AsyncWebClient, clock: Any
) -> None:
    sandbox.limits.be_as_strict_as_slack()
    await client.chat_postMessage(channel="C0GENERAL", text="one")
    with pytest.raises(SlackApiError, match="ratelimited"):
        await client.chat_postMessage(channel="C0GENERAL", text="two")
    await client.chat_postMessage(channel="G0BOARD", text="one")
    clock.advance(1)
    await client.chat_postMessage(channel="C0GENERAL", text="two")
