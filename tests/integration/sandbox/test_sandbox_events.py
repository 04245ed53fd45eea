"""Events that the app hears of what people do: to messages, channels, files, and beside the agent pane."""

from __future__ import annotations

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.finding import NewFile
from bot.sandbox.seed import PersonSeed
from bot.sandbox.server import SandboxServer


async def heard(sandbox: SandboxServer, listener: Any, kind: str, subtype: str | None = None) -> Any:
    """The newest event of a kind."""

    def found() -> list[dict[str, Any]]:
        events = [request.payload["event"] for request in listener.events(kind)]
        return [event for event in events if subtype is None or event.get("subtype") == subtype]

    return (await sandbox.visitor.wait_for(found))[-1]


async def test_an_edited_message_comes_with_what_it_was(sandbox: SandboxServer, listener: Any) -> None:
    said = await sandbox.visitor.post("priya", "general", "ten")
    await sandbox.visitor.edit("priya", "general", said.ts, "twelve")
    event = await heard(sandbox, listener, "message", "message_changed")

    assert (event["previous_message"]["text"], event["message"]["text"]) == ("ten", "twelve")
    assert event["message"]["edited"]["user"] == "U0PRIYA"
    assert (event["hidden"], event["message"]["ts"]) == (True, said.ts)


async def test_a_deleted_message_comes_a_last_time(sandbox: SandboxServer, listener: Any) -> None:
    said = await sandbox.visitor.post("priya", "general", "ten")
    await sandbox.visitor.delete("priya", "general", said.ts)
    event = await heard(sandbox, listener, "message", "message_deleted")
    assert (event["deleted_ts"], event["previous_message"]["text"]) == (said.ts, "ten")


async def test_a_reply_shown_in_the_channel_carries_its_root(sandbox: SandboxServer, listener: Any) -> None:
    root = await sandbox.visitor.post("marta", "general", "who knows?")
    await sandbox.visitor.post("priya", "general", "I do", thread_ts=root.ts, broadcast=True)
    event = await heard(sandbox, listener, "message", "thread_broadcast")
    assert (event["root"]["text"], event["thread_ts"]) == ("who knows?", root.ts)
    assert [seen.text for seen in sandbox.visitor.visible_to("gus", "general")] == ["who knows?", "I do"]


async def test_other_apps_and_old_integrations_are_told_from_people(
    sandbox: SandboxServer, listener: Any
) -> None:
    await sandbox.visitor.add_person(PersonSeed("U0DEPLOY", "deploys", "Deploys", kind="bot"))
    await sandbox.visitor.invite("general", "deploys")
    await sandbox.visitor.post("deploys", "general", "shipped")
    app = await heard(sandbox, listener, "message")
    assert (app["user"], app["bot_id"], app["bot_profile"]["name"]) == ("U0DEPLOY", "B0DEPLOY", "Deploys")
    assert app["bot_id"] != sandbox.sandbox.workspace.bot_id

    await sandbox.visitor.say_as_integration("general", "Build bot", "green")
    old = await heard(sandbox, listener, "message", "bot_message")
    assert (old["username"], "user" in old) == ("Build bot", False)


async def test_a_direct_message_says_what_its_writer_was_looking_at(
    sandbox: SandboxServer, listener: Any
) -> None:
    await sandbox.visitor.look_at("priya", "random")
    changed = await heard(sandbox, listener, "app_context_changed")
    [entity] = changed["context"]["entities"]
    assert entity == {"type": "slack#/types/channel_id", "value": "C0RANDOM", "team_id": "T0LANTERN"}
    await sandbox.visitor.dm("priya", "what is said here?")
    assert (await heard(sandbox, listener, "message"))["app_context"] == {"entities": [entity]}

    await sandbox.visitor.look_at("priya", None)
    await sandbox.visitor.wait_for(lambda: len(listener.events("app_context_changed")) == 2)
    assert (await heard(sandbox, listener, "app_context_changed"))["context"] == {}
    await sandbox.visitor.dm("priya", "and now?")
    await sandbox.visitor.wait_for(lambda: len(listener.events("message")) == 2)
    assert "app_context" not in await heard(sandbox, listener, "message")


async def test_nobody_brings_a_channel_that_they_cannot_see_to_the_agent_pane(
    sandbox: SandboxServer, listener: Any
) -> None:
    await sandbox.visitor.look_at("priya", "random")
    await sandbox.visitor.make_private("random")
    await sandbox.visitor.leave("priya", "random")
    await sandbox.visitor.dm("priya", "what is said here?")
    assert "app_context" not in await heard(sandbox, listener, "message")


async def test_channels_are_renamed_archived_and_deleted(sandbox: SandboxServer, listener: Any) -> None:
    await sandbox.visitor.rename_channel("general", "everyone", by="marta")
    renamed = await heard(sandbox, listener, "channel_rename")
    assert (renamed["channel"]["id"], renamed["channel"]["name"]) == ("C0GENERAL", "everyone")
    await sandbox.visitor.archive_channel("everyone")
    assert (await heard(sandbox, listener, "channel_archive"))["channel"] == "C0GENERAL"
    await sandbox.visitor.unarchive_channel("everyone")
    assert (await heard(sandbox, listener, "channel_unarchive"))["channel"] == "C0GENERAL"
    await sandbox.visitor.delete_channel("board", by="marta")
    assert (await heard(sandbox, listener, "group_deleted"))["actor_id"] == "U0MARTA"


async def test_a_file_is_heard_of_where_it_is_shared_and_when_it_goes(
    sandbox: SandboxServer, client: AsyncWebClient, listener: Any
) -> None:
    said = await sandbox.visitor.post("priya", "general", "look", files=[NewFile("a.txt", b"ten days")])
    file_id = said.files[0]["id"]
    assert (await heard(sandbox, listener, "file_shared"))["channel_id"] == "C0GENERAL"
    assert (await heard(sandbox, listener, "file_created"))["file_id"] == file_id
    assert (await heard(sandbox, listener, "file_public"))["file"] == {"id": file_id}
    await sandbox.visitor.rename_file("priya", file_id, "Leave")
    assert (await heard(sandbox, listener, "file_change"))["file_id"] == file_id
    await sandbox.visitor.delete_file("priya", file_id)
    assert (await heard(sandbox, listener, "file_deleted"))["channel_ids"] == ["C0GENERAL"]
    with pytest.raises(SlackApiError, match="file_deleted"):
        await client.files_info(file=file_id)
    assert sandbox.visitor.visible_to("gus", "general")[0].files[0]["mode"] == "tombstone"


async def test_a_reaction_of_a_person_comes_and_goes(sandbox: SandboxServer, listener: Any) -> None:
    sandbox.scopes.add("reactions:read")
    said = await sandbox.visitor.post("priya", "general", "ten")
    await sandbox.visitor.react("gus", "general", said.ts, "+1")
    added = await heard(sandbox, listener, "reaction_added")
    assert (added["user"], added["reaction"], added["item"]["ts"]) == ("U0GUS", "+1", said.ts)
    await sandbox.visitor.react("gus", "general", said.ts, "+1")
    assert (await heard(sandbox, listener, "reaction_removed"))["user"] == "U0GUS"
