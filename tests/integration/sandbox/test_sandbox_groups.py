"""User groups that change while the app looks on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.server import SandboxServer
from bot.sandbox.visitor import VisitorError


async def listed(client: AsyncWebClient, **more: Any) -> dict[str, list[str]]:
    groups = (await client.usergroups_list(include_users=True, **more))["usergroups"]
    return {group["handle"]: group["users"] for group in groups}


async def test_a_new_group_is_told_with_its_members(
    sandbox: SandboxServer, connected: AsyncApp, client: AsyncWebClient
) -> None:
    heard: list[dict[str, Any]] = []

    @connected.event("subteam_created")
    async def created(event: dict[str, Any]) -> None:
        heard.append(event["subteam"])

    group_id = await sandbox.visitor.create_group("finance", ["marta"], name="Finance", by="marta")
    subteam = (await sandbox.visitor.wait_for(lambda: heard))[0]
    assert (subteam["id"], subteam["users"], subteam["user_count"]) == (group_id, ["U0MARTA"], 1)
    assert (subteam["created_by"], subteam["date_delete"]) == ("U0MARTA", 0)
    assert await listed(client) == {"engineers": ["U0PRIYA"], "finance": ["U0MARTA"]}


async def test_joining_and_leaving_a_group_is_told_as_change_and_as_snapshot(
    sandbox: SandboxServer, listener: Any, client: AsyncWebClient, clock: Any
) -> None:
    await sandbox.visitor.add_to_group("engineers", "marta", "gus")
    clock.advance(60)
    await sandbox.visitor.remove_from_group("S0ENG", "priya", "gus")
    await sandbox.visitor.wait_for(lambda: len(listener.events("subteam_updated")) == 2)

    added, removed = [r.payload["event"] for r in listener.events("subteam_members_changed")]
    assert (added["subteam_id"], added["added_users"], added["added_users_count"]) == (
        "S0ENG",
        ["U0MARTA", "U0GUS"],
        2,
    )
    assert (added["removed_users"], added["removed_users_count"]) == ([], 0)
    assert (removed["removed_users"], removed["added_users"]) == (["U0PRIYA", "U0GUS"], [])
    assert removed["date_previous_update"] == added["date_update"] < removed["date_update"]
    snapshots = [r.payload["event"]["subteam"]["users"] for r in listener.events("subteam_updated")]
    assert snapshots == [["U0PRIYA", "U0MARTA", "U0GUS"], ["U0MARTA"]]
    assert (await client.usergroups_users_list(usergroup="S0ENG"))["users"] == ["U0MARTA"]


async def test_a_disabled_group_is_shown_only_to_who_asks_for_disabled_ones(
    sandbox: SandboxServer, listener: Any, client: AsyncWebClient
) -> None:
    await sandbox.visitor.disable_group("engineers", by="marta")
    events = await sandbox.visitor.wait_for(lambda: listener.events("subteam_updated"))
    assert events[0].payload["event"]["subteam"]["date_delete"] > 0
    assert await listed(client) == {}
    assert await listed(client, include_disabled=True) == {"engineers": ["U0PRIYA"]}
    with pytest.raises(SlackApiError, match="no_such_subteam"):
        await client.usergroups_users_list(usergroup="S0ENG")
    await sandbox.visitor.enable_group("engineers")
    assert await listed(client) == {"engineers": ["U0PRIYA"]}


async def test_a_renamed_group_keeps_its_id(sandbox: SandboxServer, client: AsyncWebClient) -> None:
    await sandbox.visitor.rename_group("engineers", handle="builders", name="Builders")
    assert await listed(client) == {"builders": ["U0PRIYA"]}
    assert sandbox.visitor.group("builders").group_id == "S0ENG"


async def test_slack_keeps_the_last_person_in_a_group(sandbox: SandboxServer) -> None:
    with pytest.raises(VisitorError, match="disable the group instead"):
        await sandbox.visitor.remove_from_group("engineers", "priya", "omar")


async def test_a_deactivated_person_is_out_of_their_groups_for_good(
    sandbox: SandboxServer, client: AsyncWebClient
) -> None:
    await sandbox.visitor.add_to_group("engineers", "marta")
    await sandbox.visitor.deactivate("priya")
    assert await listed(client) == {"engineers": ["U0MARTA"]}
    await sandbox.visitor.reactivate("priya")
    assert await listed(client) == {"engineers": ["U0MARTA"]}


async def test_without_the_scope_the_app_hears_nothing_of_groups(
    sandbox: SandboxServer, listener: Any, client: AsyncWebClient
) -> None:
    sandbox.scopes.discard("usergroups:read")
    await sandbox.visitor.add_to_group("engineers", "marta")
    await sandbox.visitor.set_flags("priya", is_admin=True)
    await sandbox.visitor.wait_for(lambda: listener.events("user_change"))
    assert not listener.events("subteam_members_changed")
    with pytest.raises(SlackApiError, match="missing_scope"):
        await client.usergroups_list()


async def test_a_free_workspace_has_no_groups(sandbox: SandboxServer) -> None:
    async with SandboxServer(replace(sandbox.sandbox.workspace.seed, paid_plan=False)) as free:
        with pytest.raises(VisitorError, match="paid plan"):
            await free.visitor.create_group("finance", ["marta"])
        client = AsyncWebClient(token=free.bot_token, base_url=free.api_url)
        with pytest.raises(SlackApiError, match="plan_upgrade_required"):
            await client.usergroups_users_list(usergroup="S0ENG")
