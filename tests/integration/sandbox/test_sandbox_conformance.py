"""What the sandbox emits and answers, key by key, beside samples of the real Slack."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox import methods
from bot.sandbox.finding import NewFile
from bot.sandbox.methods.registry import CLIENT_METHODS, METHODS
from bot.sandbox.seed import PersonSeed
from bot.sandbox.server import SandboxServer
from tests.integration.sandbox.conftest import QUICK, SEED, Clock
from tests.slack_samples import (
    Sample,
    answer_keys,
    documented_methods,
    keys_of,
    needs_samples,
    normalised,
    samples,
)

pytestmark = needs_samples
assert methods  # importing it registers them

# Newer than the samples, or in some of them only: Slack sends these whatever the event or interaction is.
EVERYWHERE = {"context_team_id", "context_enterprise_id", "event.event_ts", "event.channel_type"}
INTERACTION = {"enterprise", "is_enterprise_install"}
# Newer than the samples of this kind.
NEWER = {
    "app_home_opened": ("event.context", "event.view.blocks"),
    "block_actions": ("view.blocks",),
    "block_suggestion": ("view.submit_disabled",),
    "message": ("event.user_profile", "event.app_context", "event.root"),
    "message.file_share": ("event.files.file_access",),
    "message.message_changed": ("event.message.app_id", "event.previous_message.app_id"),
    "message.message_deleted": ("event.previous_message.root",),
    "message.thread_broadcast": ("event.root.blocks",),
    "subteam_created": ("event.subteam.auto_type", "event.subteam.deleted_by"),
    "subteam_updated": ("event.subteam.auto_type",),
}
# In every sample at hand, and yet not in each payload: these belong to Enterprise Grid, or to files of some kinds.
NOT_OURS = ("enterprise", "authed_", "event.blocks", "event.files", "event.upload", "event.display_as_bot")
# Of the samples that hold every key there may be: those that a plain workspace of today does not send.
SELDOM = {
    "app_home_opened": {"view"},  # once there is one: see the test of the home tab
    "member_joined_channel": {"enterprise"},
}
PLAIN = {"type": "plain_text", "text": "T"}
BUTTON = {"type": "button", "action_id": "press", "text": PLAIN, "value": "1"}
MODAL: dict[str, Any] = {
    "type": "modal",
    "title": PLAIN,
    "submit": PLAIN,
    "close": PLAIN,
    "notify_on_close": True,
    "blocks": [
        {
            "type": "actions",
            "elements": [BUTTON, {"type": "external_select", "action_id": "find", "min_query_length": 0}],
        }
    ],
}


@pytest.fixture
async def sandbox(clock: Clock) -> AsyncIterator[SandboxServer]:
    seed = replace(SEED, shortcuts=(("keep", "Keep"),))
    async with SandboxServer(seed, delivery=QUICK, clock=clock) as running:
        running.scopes.update(("reactions:read", "team:read", "files:write", "im:write"))
        yield running


async def messages_and_files(sandbox: SandboxServer) -> str:
    """People say, change and share things; returns the time stamp of the first message."""
    visitor = sandbox.visitor
    said = await visitor.post("priya", "general", "@ostiary hi")
    shared = await visitor.post("priya", "general", "look", files=[NewFile("a.txt", b"ten")])
    reply = await visitor.post("priya", "general", "me", thread_ts=said.ts, broadcast=True)
    await visitor.post("priya", "general", "me too", thread_ts=said.ts)
    wrong = await visitor.post("priya", "general", "never mind")
    await visitor.delete("priya", "general", wrong.ts)
    await visitor.edit("priya", "general", said.ts, "@ostiary hello")
    await visitor.delete("priya", "general", reply.ts)
    for _ in range(2):
        await visitor.react("gus", "general", said.ts, "+1")
    await visitor.rename_file("priya", shared.files[0]["id"], "Ten")
    await visitor.delete_file("priya", shared.files[0]["id"])
    await visitor.say_as_integration("general", "Build bot", "green")
    await visitor.dm("priya", "hi")
    await visitor.look_at("priya", "random")
    await visitor.open_dm("priya")
    return said.ts


async def channels_and_people(sandbox: SandboxServer) -> None:
    visitor = sandbox.visitor
    await visitor.add_person(PersonSeed("U0NEW", "new", "New"))
    await visitor.change_person("new", title="Baker")
    await visitor.invite("general", "new")
    await visitor.leave("new", "general")
    group = await visitor.create_group("bakers", ["priya"])
    await visitor.add_to_group(group, "marta")
    await visitor.remove_from_group(group, "marta")
    await visitor.share_channel("general")
    await visitor.invite("general", "stella")
    await visitor.post("stella", "general", "from afar")
    await visitor.unshare_channel("general")
    for name in ("general", "board"):
        await visitor.rename_channel(name, f"{name}-2", "marta")
        await visitor.archive_channel(f"{name}-2", "marta")
        await visitor.unarchive_channel(f"{name}-2", "marta")
    await visitor.delete_channel("board-2", "marta")


async def interactions(sandbox: SandboxServer, client: AsyncWebClient, thread: str) -> None:
    visitor = sandbox.visitor
    blocks = [{"type": "actions", "elements": [BUTTON]}]
    said = await client.chat_postMessage(channel="C0GENERAL", text="x", blocks=blocks)
    await visitor.click("priya", said["ts"], "C0GENERAL", "press", "1")
    await visitor.command("priya", "C0GENERAL", "/ingest", "x")
    await visitor.global_shortcut("priya", "ask")
    await visitor.shortcut("priya", thread, "C0GENERAL", "keep")
    for ending in (visitor.submit_view, visitor.close_view):
        trigger = sandbox.sandbox.triggers.issue("U0PRIYA")
        view_id = (await client.views_open(trigger_id=trigger, view=MODAL))["view"]["id"]
        await visitor.act_in_view("priya", view_id, "press", "1")
        await visitor.suggestions("priya", "find", "", view_id=view_id)
        await ending("priya", view_id)
    await client.agents_sessions_setStatus(channel_id="C0GENERAL", thread_ts=thread, status="processing")
    await visitor.stop_answer("priya", "C0GENERAL", thread)


@pytest.fixture
async def told(
    sandbox: SandboxServer, client: AsyncWebClient, listener: Any
) -> dict[str, list[dict[str, Any]]]:
    """Everything that the sandbox ever tells an app: payloads by what they are about."""
    listener.answer = {"options": [], "text": "Thank you."}
    thread = await messages_and_files(sandbox)
    await channels_and_people(sandbox)
    await interactions(sandbox, client, thread)
    await sandbox.visitor.uninstall_app()
    await sandbox.visitor.wait_for(lambda: listener.events("app_uninstalled"))
    payloads: dict[str, list[dict[str, Any]]] = {}
    for request in listener.heard:
        about = Sample("", request.type, request.payload).about
        payloads.setdefault(about, []).append(request.payload)
    return payloads


async def test_no_payload_has_a_key_that_slacks_have_not(told: dict[str, list[dict[str, Any]]]) -> None:
    strange: dict[str, list[str]] = {}
    for about, payloads in told.items():
        known = set().union(*(keys_of(sample.payload) for sample in samples() if sample.about == about))
        if not known:
            assert about in {"agent_session_stopped", "app_context_changed", "app_mention.file_share"}
            continue
        known |= EVERYWHERE | INTERACTION
        extra = keys_of(payloads) - known
        newer = NEWER.get(about, ())
        extra = {key for key in extra if not key.startswith(newer)} if newer else set(extra)
        # Files inside of changed messages: their keys are those of file_share, checked there.
        extra = {key for key in extra if ".files" not in key or about == "message.file_share"}
        if extra:
            strange[about] = sorted(extra)
    assert strange == {}


async def test_no_payload_lacks_a_key_that_all_of_slacks_have(told: dict[str, list[dict[str, Any]]]) -> None:
    lacking: dict[str, list[str]] = {}
    for about, payloads in told.items():
        alike = [keys_of(sample.payload) for sample in samples() if sample.about == about and not sample.full]
        needed = frozenset.intersection(*alike) if alike else frozenset[str]()
        found = keys_of(payloads)
        lacks = {key for key in needed - found if "enterprise" not in key and not key.startswith(NOT_OURS)}
        if lacks:
            lacking[about] = sorted(lacks)
    assert lacking == {}


async def test_events_say_all_that_slacks_say_of_the_thing_itself(
    told: dict[str, list[dict[str, Any]]],
) -> None:
    lacking: dict[str, list[str]] = {}
    for sample in samples():
        if not sample.full or sample.about not in told or sample.about.startswith("message"):
            continue
        if "event" not in sample.payload:
            continue
        said = {key for payload in told[sample.about] for key in payload["event"]}
        lacks = set(sample.payload["event"]) - said - SELDOM.get(sample.about, set())
        if sample.about != "app_mention" and lacks:
            lacking[sample.about] = sorted(lacks)
    assert lacking == {}


def test_every_documented_method_is_answered() -> None:
    assert set(documented_methods()) <= {*METHODS, *CLIENT_METHODS}


def test_every_method_has_the_documented_rate_tier() -> None:
    for name, (tier, _) in documented_methods().items():
        if name in METHODS:
            documented = int(tier.split()[1].rstrip(":")) if tier.startswith("Tier") else 0
            assert (name, METHODS[name].tier) == (name, documented)


async def test_the_home_tab_is_heard_of_with_all_that_a_view_has(
    sandbox: SandboxServer, client: AsyncWebClient, listener: Any
) -> None:
    home = {"type": "home", "blocks": [{"type": "divider"}]}
    await client.views_publish(user_id="U0PRIYA", view=home)
    await sandbox.visitor.open_home("priya")
    [request] = await sandbox.visitor.wait_for(lambda: listener.events("app_home_opened"))
    [full] = [sample for sample in samples() if sample.name == "AppHomeOpenedPayload"]
    assert set(full.payload["event"]["view"]) <= set(request.payload["event"]["view"])


# What Slack answers today, and those examples leave out.
ANSWERED_NEWLY = {
    "chat.postMessage": ("message.",),
    "users.list": ("user.is_forgotten", "user.profile.guest_expiration_ts"),
}
CALLS: dict[str, dict[str, Any]] = {
    "auth.test": {},
    "team.info": {},
    "users.info": {"user": "U0PRIYA"},
    "users.list": {},
    "users.conversations": {},
    "users.lookupByEmail": {"email": "priya@lantern-works.example"},
    "usergroups.list": {"include_users": True, "include_count": True},
    "usergroups.users.list": {"usergroup": "S0ENG"},
    "conversations.info": {"channel": "C0GENERAL"},
    "conversations.members": {"channel": "C0GENERAL"},
    "conversations.list": {},
    "conversations.join": {"channel": "C0RANDOM"},
    "conversations.open": {"users": "U0PRIYA", "return_im": True},
    "conversations.history": {"channel": "C0GENERAL"},
    "chat.postMessage": {"channel": "C0GENERAL", "text": "hi"},
    "chat.postEphemeral": {"channel": "C0GENERAL", "text": "hi", "user": "U0PRIYA"},
    "views.publish": {"user_id": "U0PRIYA", "view": {"type": "home", "blocks": [{"type": "divider"}]}},
    "files.getUploadURLExternal": {"filename": "a.txt", "length": 3},
    "apps.connections.open": {},
}


@pytest.mark.parametrize("method", CALLS)
async def test_an_answer_has_no_key_that_slacks_has_not(
    sandbox: SandboxServer, client: AsyncWebClient, method: str
) -> None:
    sandbox.scopes.update(("users:read.email", "channels:join"))
    if method.startswith("apps."):
        client = AsyncWebClient(token=sandbox.app_token, base_url=sandbox.api_url)
    answer = await client.api_call(method, json=CALLS[method])
    assert isinstance(answer.data, dict)
    extra = normalised(keys_of(answer.data)) - answer_keys()
    assert {key for key in extra if not key.startswith(ANSWERED_NEWLY.get(method, ("-",)))} == set()
