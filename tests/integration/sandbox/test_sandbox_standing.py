"""People whose standing changes: what the app is told, and what they can still do."""

from __future__ import annotations

from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.server import SandboxServer
from bot.sandbox.visitor import VisitorError

BUTTON: list[dict[str, Any]] = [
    {
        "type": "actions",
        "elements": [{"type": "button", "action_id": "more", "text": {"type": "plain_text", "text": "More"}}],
    }
]


async def changed_user(sandbox: SandboxServer, listener: Any) -> dict[str, Any]:
    events = await sandbox.visitor.wait_for(lambda: listener.events("user_change"))
    user: dict[str, Any] = events[-1].payload["event"]["user"]
    return user


async def test_a_deactivated_person_is_out_of_every_channel_and_the_app_hears_user_change_alone(
    sandbox: SandboxServer, listener: Any, client: AsyncWebClient
) -> None:
    await sandbox.visitor.deactivate("marta")
    user = await changed_user(sandbox, listener)
    assert (user["id"], user["deleted"]) == ("U0MARTA", True)
    assert "is_admin" not in user
    for channel in ("C0GENERAL", "G0BOARD"):
        assert "U0MARTA" not in (await client.conversations_members(channel=channel))["members"]
    assert (await client.users_info(user="U0MARTA"))["user"]["deleted"]
    assert not listener.events("member_left_channel")


async def test_a_deactivated_person_neither_writes_nor_clicks(
    sandbox: SandboxServer, listener: Any, client: AsyncWebClient
) -> None:
    direct = sandbox.visitor.where("priya", "@ostiary").channel_id
    posted = await client.chat_postMessage(channel=direct, text="hi", blocks=BUTTON)
    await sandbox.visitor.deactivate("priya")
    with pytest.raises(VisitorError, match="deactivated and cannot click"):
        await sandbox.visitor.click("priya", posted["ts"], "@ostiary", "more")
    with pytest.raises(VisitorError, match="deactivated and cannot write"):
        await sandbox.visitor.dm("priya", "hi")
    with pytest.raises(VisitorError, match="can see no channel"):
        sandbox.visitor.visible_to("priya", "general")
    assert not [request for request in listener.heard if request.type == "interactive"]


async def test_whoever_comes_back_finds_no_channel_as_before(
    sandbox: SandboxServer, listener: Any, client: AsyncWebClient
) -> None:
    await sandbox.visitor.deactivate("marta")
    await changed_user(sandbox, listener)
    await sandbox.visitor.reactivate("marta")
    await sandbox.visitor.wait_for(lambda: len(listener.events("user_change")) == 2)
    user = await changed_user(sandbox, listener)
    assert (user["deleted"], user["is_admin"]) == (False, False)
    assert "U0MARTA" not in (await client.conversations_members(channel="G0BOARD"))["members"]
    assert "board" not in {channel.name for channel in sandbox.visitor.channels_of("marta")}
    await sandbox.visitor.join("marta", "general")
    await sandbox.visitor.post("marta", "general", "back again")


async def test_a_member_becomes_a_guest_and_sees_no_more_than_their_channels(
    sandbox: SandboxServer, listener: Any
) -> None:
    await sandbox.visitor.change_kind("marta", "guest", keep=["general"])
    user = await changed_user(sandbox, listener)
    assert (user["is_restricted"], user["is_ultra_restricted"], user["is_admin"]) == (True, False, False)
    assert {channel.name for channel in sandbox.visitor.channels_of("marta")} == {"general"}
    left = await sandbox.visitor.wait_for(lambda: listener.events("member_left_channel"))
    assert {event.payload["event"]["channel"] for event in left} == {"G0BOARD"}


async def test_a_single_channel_guest_keeps_one_channel(sandbox: SandboxServer, listener: Any) -> None:
    await sandbox.visitor.change_kind("marta", "single_channel_guest")
    user = await changed_user(sandbox, listener)
    assert (user["is_restricted"], user["is_ultra_restricted"]) == (True, True)
    assert [channel.name for channel in sandbox.visitor.channels_of("marta")] == ["general"]


async def test_a_guest_becomes_a_member(sandbox: SandboxServer, listener: Any) -> None:
    await sandbox.visitor.change_kind("gus", "member")
    user = await changed_user(sandbox, listener)
    assert (user["is_restricted"], user["is_ultra_restricted"]) == (False, False)
    assert "random" in {channel.name for channel in sandbox.visitor.channels_of("gus")}


async def test_an_outsider_becomes_nothing_else(sandbox: SandboxServer) -> None:
    with pytest.raises(VisitorError, match="Stella Park is from another company"):
        await sandbox.visitor.change_kind("stella", "member")


async def test_admin_and_owner_flags_come_and_go(sandbox: SandboxServer, listener: Any) -> None:
    await sandbox.visitor.set_flags("priya", is_admin=True)
    user = await changed_user(sandbox, listener)
    assert (user["is_admin"], user["is_owner"]) == (True, False)
    await sandbox.visitor.set_flags("priya", is_admin=False, is_owner=True)
    await sandbox.visitor.wait_for(lambda: len(listener.events("user_change")) == 2)
    user = await changed_user(sandbox, listener)
    assert (user["is_admin"], user["is_owner"]) == (True, True)


async def test_no_guest_administers(sandbox: SandboxServer) -> None:
    with pytest.raises(VisitorError, match="only full members"):
        await sandbox.visitor.set_flags("gus", is_admin=True)
