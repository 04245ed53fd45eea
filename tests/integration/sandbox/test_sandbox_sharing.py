"""Channels shared with another company, channels that turn private, and group direct messages."""

from __future__ import annotations

from typing import Any

import pytest
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.seed import OTHER_TEAM, ChannelSeed, PersonSeed, SeedError, WorkspaceSeed
from bot.sandbox.server import SandboxServer
from bot.sandbox.visitor import NewFile, VisitorError

# Slack Connect


async def share(sandbox: SandboxServer) -> None:
    """#general with Stella's company, and Stella in it."""
    await sandbox.visitor.share_channel("general")
    await sandbox.visitor.invite("general", "stella")


async def test_a_shared_channel_says_so_wherever_slack_does(
    sandbox: SandboxServer, listener: Any, client: AsyncWebClient
) -> None:
    before = (await client.conversations_info(channel="C0GENERAL"))["channel"]
    assert (before["is_ext_shared"], before["shared_team_ids"]) == (False, ["T0LANTERN"])
    await share(sandbox)
    event = (await sandbox.visitor.wait_for(lambda: listener.events("channel_shared")))[0].payload
    assert (event["event"]["channel"], event["event"]["connected_team_id"]) == ("C0GENERAL", OTHER_TEAM)
    assert event["is_ext_shared_channel"]

    after = (await client.conversations_info(channel="C0GENERAL"))["channel"]
    assert (after["is_shared"], after["is_ext_shared"], after["connected_team_ids"]) == (
        True,
        True,
        [OTHER_TEAM],
    )
    assert after["shared_team_ids"] == ["T0LANTERN", OTHER_TEAM]
    listed = (await client.conversations_list())["channels"]
    assert {channel["name"] for channel in listed if channel["is_ext_shared"]} == {"general"}


async def test_an_outsiders_message_carries_their_team_and_ours_says_where_the_app_is(
    sandbox: SandboxServer, listener: Any, client: AsyncWebClient
) -> None:
    await share(sandbox)
    await sandbox.visitor.post("stella", "general", "@ostiary what is our price?")
    await sandbox.visitor.post("priya", "general", "@ostiary and mine?")
    await sandbox.visitor.wait_for(lambda: len(listener.events("app_mention")) == 2)

    theirs, ours = (request.payload for request in listener.events("app_mention"))
    for name in ("team", "user_team", "source_team"):
        assert theirs["event"][name] == OTHER_TEAM
        assert ours["event"][name] == "T0LANTERN"
    assert theirs["event"]["user_profile"]["team"] == OTHER_TEAM
    assert theirs["authorizations"][0]["team_id"] == "T0LANTERN"
    assert theirs["is_ext_shared_channel"]
    said = (await client.conversations_history(channel="C0GENERAL"))["messages"]
    assert [message["user_team"] for message in said] == ["T0LANTERN", OTHER_TEAM]


async def test_in_a_channel_that_they_host_the_outer_team_is_theirs_and_bolt_finds_ours(
    sandbox: SandboxServer, connected: AsyncApp
) -> None:
    heard: list[tuple[str, str]] = []

    @connected.event("app_mention")
    async def mention(body: dict[str, Any], context: Any) -> None:
        heard.append((body["team_id"], context.team_id))

    await sandbox.visitor.share_channel("general", "T0HOST", hosted_by_them=True)
    await sandbox.visitor.post("priya", "general", "@ostiary hello")
    await sandbox.visitor.wait_for(lambda: heard)
    assert heard == [("T0HOST", "T0LANTERN")]


async def test_whoever_is_met_in_a_shared_channel_is_no_stranger_but_of_another_team(
    sandbox: SandboxServer, client: AsyncWebClient
) -> None:
    assert (await client.users_info(user="U0STELLA"))["user"]["is_stranger"]
    await share(sandbox)
    user = (await client.users_info(user="U0STELLA"))["user"]
    assert (user["is_stranger"], user["team_id"]) == (False, OTHER_TEAM)


async def test_an_outsider_who_comes_in_is_told_with_their_team(
    sandbox: SandboxServer, listener: Any
) -> None:
    await share(sandbox)
    joined = (await sandbox.visitor.wait_for(lambda: listener.events("member_joined_channel")))[0]
    assert (joined.payload["event"]["user"], joined.payload["event"]["team"]) == ("U0STELLA", OTHER_TEAM)


async def test_files_in_a_shared_channel_must_be_asked_for(
    sandbox: SandboxServer, listener: Any, client: AsyncWebClient
) -> None:
    await share(sandbox)
    said = await sandbox.visitor.post("stella", "general", "", files=[NewFile("price.md", b"# 12")])
    event = (await sandbox.visitor.wait_for(lambda: listener.events("message")))[0].payload["event"]
    assert event["files"][0]["file_access"] == "check_file_info"
    assert "url_private" not in event["files"][0]
    info = (await client.files_info(file=event["files"][0]["id"]))["file"]
    assert info["name"] == said.files[0]["name"] == "price.md"


async def test_when_a_channel_is_no_longer_shared_its_outsiders_are_gone_without_another_word(
    sandbox: SandboxServer, listener: Any, client: AsyncWebClient
) -> None:
    await share(sandbox)
    await sandbox.visitor.unshare_channel("general")
    event = (await sandbox.visitor.wait_for(lambda: listener.events("channel_unshared")))[0].payload["event"]
    assert (event["previously_connected_team_id"], event["is_ext_shared"]) == (OTHER_TEAM, False)
    assert "U0STELLA" not in (await client.conversations_members(channel="C0GENERAL"))["members"]
    assert not (await client.conversations_info(channel="C0GENERAL"))["channel"]["is_ext_shared"]
    assert not listener.events("member_left_channel")
    with pytest.raises(VisitorError, match="can see no channel"):
        sandbox.visitor.visible_to("stella", "general")


async def test_a_channel_offered_to_another_company_is_pending_until_it_comes(
    sandbox: SandboxServer, client: AsyncWebClient
) -> None:
    await sandbox.visitor.offer_channel("general")
    channel = (await client.conversations_info(channel="C0GENERAL"))["channel"]
    assert (channel["is_pending_ext_shared"], channel["is_ext_shared"]) == (True, False)
    await sandbox.visitor.share_channel("general")
    channel = (await client.conversations_info(channel="C0GENERAL"))["channel"]
    assert (channel["is_pending_ext_shared"], channel["is_ext_shared"]) == (False, True)


async def test_sharing_a_private_channel_is_told_with_the_scope_for_private_ones_alone(
    sandbox: SandboxServer, listener: Any
) -> None:
    sandbox.scopes.discard("groups:read")
    await sandbox.visitor.share_channel("board")
    await sandbox.visitor.share_channel("general")
    await sandbox.visitor.wait_for(lambda: listener.events("channel_shared"))
    assert [r.payload["event"]["channel"] for r in listener.events("channel_shared")] == ["C0GENERAL"]


# Private and public


async def test_a_channel_turned_private_keeps_its_id_and_is_told_as_a_message(
    sandbox: SandboxServer, listener: Any, client: AsyncWebClient
) -> None:
    await sandbox.visitor.invite("random", "ostiary")
    assert "random" in {channel.name for channel in sandbox.visitor.channels_of("priya")}
    await sandbox.visitor.leave("priya", "random")
    await sandbox.visitor.make_private("random", by="marta")
    event = (await sandbox.visitor.wait_for(lambda: listener.events("message")))[-1].payload["event"]
    assert (event["subtype"], event["channel"], event["channel_type"], event["user"]) == (
        "channel_convert_to_private",
        "C0RANDOM",
        "group",
        "U0MARTA",
    )
    channel = (await client.conversations_info(channel="C0RANDOM"))["channel"]
    assert (channel["is_private"], channel["is_channel"], channel["is_group"]) == (True, False, True)
    with pytest.raises(VisitorError, match="can see no channel"):
        sandbox.visitor.visible_to("priya", "random")
    sandbox.scopes.discard("groups:read")
    with pytest.raises(SlackApiError, match="missing_scope"):
        await client.conversations_members(channel="C0RANDOM")


async def test_a_channel_turned_public_is_read_by_every_member(sandbox: SandboxServer, listener: Any) -> None:
    await sandbox.visitor.make_public("board", by="marta")
    event = (await sandbox.visitor.wait_for(lambda: listener.events("message")))[-1].payload["event"]
    assert (event["subtype"], event["channel_type"]) == ("channel_convert_to_public", "channel")
    assert sandbox.visitor.visible_to("priya", "board")


# Group direct messages


async def test_a_group_direct_message_has_a_kind_of_its_own(
    sandbox: SandboxServer, client: AsyncWebClient
) -> None:
    channel_id = await sandbox.visitor.open_group_dm("priya", "marta")
    assert channel_id == await sandbox.visitor.open_group_dm("marta", "priya")
    channel = (await client.conversations_info(channel=channel_id))["channel"]
    assert (channel["is_mpim"], channel["is_private"], channel["is_im"]) == (True, True, False)
    assert channel["name"] == "mpdm-priya--marta--ostiary-1"
    members = (await client.conversations_members(channel=channel_id))["members"]
    assert members == ["U0PRIYA", "U0MARTA", sandbox.bot_user_id]
    listed = (await client.conversations_list(types="mpim"))["channels"]
    assert [c["id"] for c in listed] == [channel_id]
    sandbox.scopes.discard("mpim:read")
    for call in (client.conversations_info, client.conversations_members):
        with pytest.raises(SlackApiError, match="missing_scope"):
            await call(channel=channel_id)


async def test_what_is_said_among_a_few_is_told_as_message_mpim_and_as_mention(
    sandbox: SandboxServer, listener: Any, client: AsyncWebClient
) -> None:
    channel_id = await sandbox.visitor.open_group_dm("priya", "marta")
    said = await sandbox.visitor.post("priya", channel_id, "@ostiary what do we owe?")
    await sandbox.visitor.wait_for(lambda: listener.events("message"))
    assert listener.events("message")[0].payload["event"]["channel_type"] == "mpim"
    assert listener.events("app_mention")[0].payload["event"]["channel"] == channel_id
    history = (await client.conversations_history(channel=channel_id))["messages"]
    assert [message["ts"] for message in history] == [said.ts]
    await client.chat_postMessage(channel=channel_id, text="Nothing.")
    assert [m.text for m in sandbox.visitor.visible_to("marta", channel_id)][-1] == "Nothing."
    with pytest.raises(VisitorError, match="Gus Visser can see no channel"):
        sandbox.visitor.visible_to("gus", channel_id)


async def test_without_the_scope_nothing_said_among_a_few_is_told(
    sandbox: SandboxServer, listener: Any
) -> None:
    sandbox.scopes.discard("mpim:history")
    channel_id = await sandbox.visitor.open_group_dm("priya", "marta")
    await sandbox.visitor.post("priya", channel_id, "@ostiary hello")
    await sandbox.visitor.wait_for(lambda: listener.events("app_mention"))
    await sandbox.visitor.dm("priya", "hello")
    await sandbox.visitor.wait_for(lambda: listener.events("message"))
    assert [r.payload["event"]["channel_type"] for r in listener.events("message")] == ["im"]


async def test_nobody_comes_into_a_group_direct_message_or_leaves_it(sandbox: SandboxServer) -> None:
    channel_id = await sandbox.visitor.open_group_dm("priya", "marta")
    with pytest.raises(VisitorError, match="no channel"):
        await sandbox.visitor.invite(channel_id, "gus")
    with pytest.raises(VisitorError, match="no channel"):
        await sandbox.visitor.leave("priya", channel_id)


async def test_the_app_opens_a_group_direct_message(sandbox: SandboxServer, client: AsyncWebClient) -> None:
    with pytest.raises(SlackApiError, match="missing_scope"):
        await client.conversations_open(users="U0PRIYA,U0MARTA")
    sandbox.scopes.add("mpim:write")
    opened = await client.conversations_open(users="U0PRIYA,U0MARTA", return_im=True)
    assert opened["channel"]["is_mpim"]
    assert sandbox.visitor.where("marta", opened["channel"]["id"]).kind == "mpim"


async def test_a_seed_may_hold_a_group_direct_message_and_a_shared_channel() -> None:
    people = tuple(PersonSeed(f"U{n}", f"p{n}", f"Person {n}") for n in range(3))
    seed = WorkspaceSeed(
        "T1",
        "Works",
        people,
        (
            ChannelSeed("G0FEW", "few", members=("p0", "p1", "ostiary"), group_dm=True),
            ChannelSeed("C0BOTH", "both", members=("p0", "ostiary"), connected_teams=("T2", "T3")),
            ChannelSeed("C0SOON", "soon", members=("p0", "ostiary"), pending_teams=("T2",)),
        ),
    )
    async with SandboxServer(seed) as sandbox:
        client = AsyncWebClient(token=sandbox.bot_token, base_url=sandbox.api_url)
        assert (await client.conversations_info(channel="G0FEW"))["channel"]["is_mpim"]
        both = (await client.conversations_info(channel="C0BOTH"))["channel"]
        assert both["connected_team_ids"] == ["T2", "T3"]
        assert (await client.conversations_info(channel="C0SOON"))["channel"]["is_pending_ext_shared"]


def test_a_seed_refuses_a_group_direct_message_of_two() -> None:
    with pytest.raises(SeedError, match="few has 2 members"):
        WorkspaceSeed(
            "T1",
            "Works",
            (PersonSeed("U1", "ann", "Ann"),),
            (ChannelSeed("G1", "few", members=("ann", "ostiary"), group_dm=True),),
        )
