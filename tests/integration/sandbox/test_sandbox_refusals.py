"""The errors of Slack's documentation: each is met by doing what it is documented for, or cannot happen here."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.finding import NewFile
from bot.sandbox.server import SandboxServer
from tests.integration.sandbox.conftest import QUICK, SEED, Clock
from tests.slack_samples import documented_methods, needs_samples

pytestmark = needs_samples
PLAIN = {"type": "plain_text", "text": "T"}
MODAL: dict[str, Any] = {"type": "modal", "title": PLAIN, "blocks": [{"type": "divider"}]}
HOME: dict[str, Any] = {"type": "home", "blocks": [{"type": "divider"}]}
HUGE = {"type": "markdown", "text": "x" * 7_000}
WHO = {"recipient_team_id": "T0LANTERN", "recipient_user_id": "U0PRIYA"}
BAD_BLOCKS = [{"type": "song"}]
BIG_METADATA = {"event_type": "x", "event_payload": {"words": "x" * 17_000}}

TRIGGERS = {"{trigger}": "U0PRIYA", "{marta}": "U0MARTA", "{gus}": "U0GUS"}

# Words in braces are filled in from what the workspace holds: see `workspace_facts`.
POSTING: dict[str, dict[str, Any]] = {
    "channel_not_found": {"channel": "G0PAY", "text": "x"},
    "not_in_channel": {"channel": "C0RANDOM", "text": "x"},
    "is_archived": {"channel": "C0OLD", "text": "x"},
    "no_text": {"channel": "C0GENERAL"},
    "markdown_text_conflict": {"channel": "C0GENERAL", "text": "x", "markdown_text": "x"},
    "invalid_blocks": {"channel": "C0GENERAL", "blocks": BAD_BLOCKS},
    "invalid_blocks_format": {"channel": "C0GENERAL", "blocks": "{"},
}
METADATA: dict[str, dict[str, Any]] = {
    "invalid_metadata_format": {"channel": "C0GENERAL", "text": "x", "metadata": {"event_type": 7}},
    "metadata_too_large": {"channel": "C0GENERAL", "text": "x", "metadata": BIG_METADATA},
}
STREAM = {"channel": "C0GENERAL", "ts": "{growing}"}
REACTION = {"channel": "C0GENERAL", "timestamp": "{theirs}", "name": "eyes"}
REFUSED: dict[str, dict[str, dict[str, Any]]] = {
    "team.info": {"team_not_found": {"team": "T0NOWHERE"}},
    "users.info": {"user_not_found": {"user": "U0NOBODY"}},
    "users.list": {"invalid_cursor": {"cursor": "what"}},
    "users.lookupByEmail": {"users_not_found": {"email": "nobody@lantern-works.example"}},
    "users.conversations": {
        "invalid_cursor": {"cursor": "what"},
        "invalid_limit": {"limit": 5_000},
        "invalid_types": {"types": "secret_channel"},
    },
    "usergroups.users.list": {"no_such_subteam": {"usergroup": "S0NONE"}},
    "conversations.info": {"channel_not_found": {"channel": "G0PAY"}},
    "conversations.members": {
        "channel_not_found": {"channel": "G0PAY"},
        "invalid_cursor": {"channel": "C0GENERAL", "cursor": "what"},
        "invalid_limit": {"channel": "C0GENERAL", "limit": -1},
    },
    "conversations.list": {
        "invalid_cursor": {"cursor": "what"},
        "invalid_limit": {"limit": 5_000},
        "invalid_types": {"types": "secret_channel"},
    },
    "conversations.open": {
        "users_list_not_supplied": {},
        "user_not_found": {"users": "U0NOBODY"},
        "user_disabled": {"users": "U0OMAR"},
        "too_many_users": {"users": ",".join(f"U0{number}" for number in range(9))},
    },
    "conversations.history": {
        "channel_not_found": {"channel": "G0PAY"},
        "not_in_channel": {"channel": "C0RANDOM"},
        "invalid_cursor": {"channel": "C0GENERAL", "cursor": "what"},
        "invalid_ts_latest": {"channel": "C0GENERAL", "latest": "now"},
        "invalid_ts_oldest": {"channel": "C0GENERAL", "oldest": "then"},
    },
    "conversations.replies": {
        "channel_not_found": {"channel": "G0PAY", "ts": "{theirs}"},
        "thread_not_found": {"channel": "C0GENERAL", "ts": "1.000001"},
        "invalid_cursor": {"channel": "C0GENERAL", "ts": "{theirs}", "cursor": "what"},
        "invalid_ts_latest": {"channel": "C0GENERAL", "ts": "{theirs}", "latest": "now"},
        "invalid_ts_oldest": {"channel": "C0GENERAL", "ts": "{theirs}", "oldest": "then"},
    },
    "conversations.join": {
        "channel_not_found": {"channel": "G0PAY"},
        "is_archived": {"channel": "C0OLD"},
        "method_not_supported_for_channel_type": {"channel": "G0BOARD"},
    },
    "chat.postMessage": POSTING
    | METADATA
    | {"msg_blocks_too_long": {"channel": "C0GENERAL", "blocks": [HUGE, HUGE]}},
    "chat.postEphemeral": {name: call | {"user": "U0PRIYA"} for name, call in POSTING.items()}
    | {
        "user_not_in_channel": {"channel": "C0GENERAL", "user": "U0STELLA", "text": "x"},
        "msg_too_long": {"channel": "C0GENERAL", "user": "U0PRIYA", "text": "x" * 40_001},
    },
    "chat.update": {
        name: call | {"ts": "{ours}"}
        for name, call in (POSTING | METADATA).items()
        if name not in ("not_in_channel", "is_archived")
    }
    | {
        "message_not_found": {"channel": "C0GENERAL", "ts": "1.000001", "text": "x"},
        "cant_update_message": {"channel": "C0GENERAL", "ts": "{theirs}", "text": "x"},
        "msg_too_long": {"channel": "C0GENERAL", "ts": "{ours}", "text": "x" * 4_001},
        "streaming_state_conflict": STREAM | {"text": "x"},
    },
    "chat.delete": {
        "channel_not_found": {"channel": "G0PAY", "ts": "{ours}"},
        "message_not_found": {"channel": "C0GENERAL", "ts": "1.000001"},
        "cant_delete_message": {"channel": "C0GENERAL", "ts": "{theirs}"},
    },
    "chat.getPermalink": {
        "channel_not_found": {"channel": "G0PAY", "message_ts": "{ours}"},
        "message_not_found": {"channel": "C0GENERAL", "message_ts": "1.000001"},
    },
    "chat.startStream": {
        "channel_not_found": {"channel": "G0PAY", "thread_ts": "{theirs}", **WHO},
        "not_in_channel": {"channel": "C0RANDOM", "thread_ts": "{theirs}", **WHO},
        "is_archived": {"channel": "C0OLD", "thread_ts": "{theirs}", **WHO},
        "missing_recipient_team_id": {"channel": "C0GENERAL", "thread_ts": "{theirs}"},
        "missing_recipient_user_id": {
            "channel": "C0GENERAL",
            "thread_ts": "{theirs}",
            "recipient_team_id": "T0LANTERN",
        },
        "user_not_found": {
            "channel": "C0GENERAL",
            "thread_ts": "{theirs}",
            **WHO,
            "recipient_user_id": "U0NOBODY",
        },
        "invalid_chunks": {
            "channel": "C0GENERAL",
            "thread_ts": "{theirs}",
            **WHO,
            "chunks": [{"type": "song"}],
        },
        "invalid_blocks": {
            "channel": "C0GENERAL",
            "thread_ts": "{theirs}",
            **WHO,
            "chunks": [{"type": "blocks", "blocks": BAD_BLOCKS}],
        },
        "msg_blocks_too_long": {
            "channel": "C0GENERAL",
            "thread_ts": "{theirs}",
            **WHO,
            "markdown_text": "x" * 12_001,
        },
        "msg_blocks_too_many": {
            "channel": "C0GENERAL",
            "thread_ts": "{theirs}",
            **WHO,
            "chunks": [{"type": "blocks", "blocks": [{"type": "divider"}] * 26}] * 2,
        },
    },
    "chat.appendStream": {
        "channel_not_found": {"channel": "G0PAY", "ts": "{growing}", "markdown_text": "x"},
        "not_in_channel": {"channel": "C0RANDOM", "ts": "{growing}", "markdown_text": "x"},
        "is_archived": {"channel": "C0OLD", "ts": "{growing}", "markdown_text": "x"},
        "message_not_found": {"channel": "C0GENERAL", "ts": "1.000001", "markdown_text": "x"},
        "message_not_owned_by_app": {"channel": "C0GENERAL", "ts": "{theirs}", "markdown_text": "x"},
        "message_not_in_streaming_state": {"channel": "C0GENERAL", "ts": "{ours}", "markdown_text": "x"},
        "stopped_by_user": {"channel": "C0GENERAL", "ts": "{stopped}", "markdown_text": "x"},
        "no_text": STREAM,
        "invalid_chunks": STREAM | {"chunks": [{"type": "song"}]},
        "invalid_blocks": STREAM | {"chunks": [{"type": "blocks", "blocks": BAD_BLOCKS}]},
        "msg_blocks_too_long": STREAM | {"markdown_text": "x" * 12_001},
        "msg_blocks_too_many": STREAM
        | {"chunks": [{"type": "blocks", "blocks": [{"type": "divider"}] * 26}] * 2},
    },
    "chat.stopStream": {
        "channel_not_found": {"channel": "G0PAY", "ts": "{growing}"},
        "not_in_channel": {"channel": "C0RANDOM", "ts": "{growing}"},
        "is_archived": {"channel": "C0OLD", "ts": "{growing}"},
        "message_not_found": {"channel": "C0GENERAL", "ts": "1.000001"},
        "message_not_owned_by_app": {"channel": "C0GENERAL", "ts": "{theirs}"},
        "message_not_in_streaming_state": {"channel": "C0GENERAL", "ts": "{ours}"},
        "invalid_chunks": STREAM | {"chunks": [{"type": "song"}]},
        "invalid_blocks": STREAM | {"blocks": BAD_BLOCKS},
        "invalid_metadata_format": STREAM | {"metadata": {"event_type": 7}},
        "metadata_too_large": STREAM | {"metadata": BIG_METADATA},
        "msg_blocks_too_long": STREAM | {"blocks": [HUGE, HUGE]},
        "msg_blocks_too_many": STREAM
        | {"chunks": [{"type": "blocks", "blocks": [{"type": "divider"}] * 26}] * 2},
    },
    "assistant.threads.setStatus": {
        "channel_not_found": {"channel_id": "G0PAY", "thread_ts": "{theirs}", "status": "reads"},
        "invalid_thread_ts": {"channel_id": "C0GENERAL", "thread_ts": "1.000001", "status": "reads"},
    },
    "assistant.threads.setTitle": {
        "channel_not_found": {"channel_id": "G0PAY", "thread_ts": "{theirs}", "title": "T"},
        "invalid_thread_ts": {"channel_id": "C0GENERAL", "thread_ts": "1.000001", "title": "T"},
    },
    "assistant.threads.setSuggestedPrompts": {
        "channel_not_found": {"channel_id": "G0PAY", "prompts": [{"title": "T", "message": "M"}]},
        "invalid_thread_ts": {
            "channel_id": "C0GENERAL",
            "thread_ts": "1.000001",
            "prompts": [{"title": "T", "message": "M"}],
        },
    },
    "views.open": {
        "invalid_trigger_id": {"trigger_id": "1.2.3", "view": MODAL},
        "exchanged_trigger_id": {"trigger_id": "{used}", "view": MODAL},
        "expired_trigger_id": {"trigger_id": "{late}", "view": MODAL},
        "view_too_large": {"trigger_id": "{trigger}", "view": MODAL | {"x": "x" * 250_000}},
        "duplicate_external_id": {"trigger_id": "{trigger}", "view": MODAL | {"external_id": "mine"}},
    },
    "views.push": {
        "invalid_trigger_id": {"trigger_id": "1.2.3", "view": MODAL},
        "exchanged_trigger_id": {"trigger_id": "{used}", "view": MODAL},
        "expired_trigger_id": {"trigger_id": "{late}", "view": MODAL},
        "view_too_large": {"trigger_id": "{marta}", "view": MODAL | {"x": "x" * 250_000}},
        "push_limit_reached": {"trigger_id": "{trigger}", "view": MODAL},
        "duplicate_external_id": {"trigger_id": "{marta}", "view": MODAL | {"external_id": "mine"}},
        "not_found": {"trigger_id": "{gus}", "view": MODAL},
    },
    "views.update": {
        "not_found": {"view_id": "V0NONE", "view": MODAL},
        "hash_conflict": {"view_id": "{view}", "hash": "old", "view": MODAL},
        "view_too_large": {"view_id": "{view}", "view": MODAL | {"x": "x" * 250_000}},
        "duplicate_external_id": {"view_id": "{view}", "view": MODAL | {"external_id": "mine"}},
    },
    "views.publish": {
        "hash_conflict": {"user_id": "U0PRIYA", "hash": "old", "view": HOME},
        "view_too_large": {"user_id": "U0PRIYA", "view": HOME | {"x": "x" * 250_000}},
        "duplicate_external_id": {"user_id": "U0PRIYA", "view": HOME | {"external_id": "mine"}},
    },
    "files.info": {"file_not_found": {"file": "F0NONE"}, "file_deleted": {"file": "{gone}"}},
    "files.getUploadURLExternal": {"missing_argument": {"filename": "a.txt"}},
    "files.completeUploadExternal": {
        "file_not_found": {"files": [{"id": "F0NONE"}]},
        "channel_not_found": {"files": [{"id": "{mine}"}], "channel_id": "G0PAY"},
        "not_in_channel": {"files": [{"id": "{mine}"}], "channel_id": "C0RANDOM"},
    },
    "reactions.add": {
        "channel_not_found": REACTION | {"channel": "G0PAY"},
        "message_not_found": REACTION | {"timestamp": "1.000001"},
        "invalid_name": REACTION | {"name": "not a name"},
        "already_reacted": REACTION | {"timestamp": "{ours}", "name": "+1"},
        "bad_timestamp": REACTION | {"timestamp": "yesterday"},
        "is_archived": REACTION | {"channel": "C0OLD", "timestamp": "{old}"},
        "no_item_specified": {"name": "eyes"},
    },
    "reactions.remove": {
        "channel_not_found": REACTION | {"channel": "G0PAY"},
        "message_not_found": REACTION | {"timestamp": "1.000001"},
        "invalid_name": REACTION | {"name": "not a name"},
        "no_reaction": REACTION,
        "bad_timestamp": REACTION | {"timestamp": "yesterday"},
        "no_item_specified": {"name": "eyes"},
    },
    "bots.info": {"bot_not_found": {"bot": "B0NONE"}},
}
# What is checked elsewhere, with the flow that it belongs to.
ELSEWHERE = {
    ("usergroups.list", "plan_upgrade_required"),
    ("usergroups.users.list", "plan_upgrade_required"),
    *(
        ("oauth.v2.access", error)
        for error in (
            "bad_client_secret",
            "bad_redirect_uri",
            "invalid_client_id",
            "invalid_code",
            "invalid_grant_type",
            "invalid_refresh_token",
            "no_scopes",
        )
    ),
}
# What belongs to things that the sandbox does not have: drafts, canvases, lists, Enterprise Grid, preferences of
# administrators, quotas of free plans, attachments of old integrations, failures within Slack. A test that wants
# one asks for it by `limits.fail_next`.
NOT_HERE = (
    "as_user_not_supported", "attachment_payload_limit_exceeded", "block_mismatch", "blocked_file_type", "bots_not_found",
    "cannot_install_an_org_installed_app", "cannot_reply_to_message", "canvas_", "cant_broadcast_message",
    "channel_is_limited_access", "channel_type_not_supported", "channels_limit_exceeded", "draft_", "duplicate_channel_not_found",
    "duplicate_message_not_found", "edit_window_closed", "enterprise_not_found", "external_channel_migrating",
    "fail_to_get_teams", "fetch_members_failed", "file_comment_not_found", "file_is_deleted", "file_share_limit_reached",
    "file_type_not_allowed", "file_update_failed", "file_upload", "alt_txt_too_large", "snippet_too_large",
    "storage_limit_reached", "unknown_", "forbidden_team", "insecure_request", "invalid_attachments", "invalid_channel",
    "invalid_metadata_filter_keys", "invalid_metadata_schema", "invalid_team", "invalid_user_combination", "is_inactive",
    "limit_required", "list_record", "max_file_sharing_exceeded", "message_limit_exceeded", "messages_tab_disabled",
    "messaging_processing_failed", "metadata_must_be_sent_from_app", "missing_args", "missing_file_data",
    "missing_profile_id", "missing_user", "no_access", "no_dual_broadcast", "not_enabled", "not_enough_users",
    "not_implemented", "not_reactable", "not_visible", "org_not_found", "posting_to_channel_denied", "rate_limited",
    "reserved_username", "restricted_action", "slack_connect_", "team_not_on_enterprise", "template_", "thread_locked",
    "too_many_attachments", "too_many_contact_cards", "too_many_emoji", "too_many_members", "too_many_reactions",
    "unable_to_share_files", "update_failed", "user_not_visible", "invalid_code_verifier", "pkce_not_allowed",
    "oauth_authorization_url_mismatch", "preview_feature", "user_email_unverified", "not_bearer_token",
)  # fmt: skip
# Documented, and impossible for an app like this one: they need an org-wide token, or another kind of item.
NOT_SO = {
    *((method, "team_not_found") for method in ("chat.postMessage", "chat.update", "bots.info")),
    *((method, "team_not_found") for method in ("chat.startStream", "chat.appendStream", "chat.stopStream")),
    *((method, "missing_argument") for method in ("users.list", "users.conversations", "usergroups.list")),
    *((method, "method_not_supported_for_channel_type") for method in ("users.conversations",)),
    *(
        (method, "method_not_supported_for_channel_type")
        for method in (
            "conversations.members",
            "conversations.list",
            "conversations.open",
            "conversations.replies",
        )
    ),
    ("conversations.list", "missing_argument"),
    ("bots.info", "missing_argument"),
    ("team.info", "user_not_found"),
    ("users.info", "too_many_users"),
    ("usergroups.list", "invalid_cursor"),
    ("usergroups.list", "users_not_found"),
    ("usergroups.users.list", "invalid_cursor"),
    ("conversations.open", "channel_not_found"),
    ("chat.update", "file_deleted"),
    ("chat.update", "file_not_found"),
    ("chat.startStream", "invalid_blocks_format"),
    ("chat.startStream", "invalid_metadata_format"),
    ("chat.startStream", "metadata_too_large"),
    ("chat.startStream", "no_text"),
    ("chat.appendStream", "invalid_metadata_format"),
    ("chat.appendStream", "metadata_too_large"),
    ("chat.stopStream", "no_text"),
    ("assistant.threads.setSuggestedPrompts", "message_not_found"),
    ("files.completeUploadExternal", "invalid_blocks"),
    ("reactions.remove", "file_not_found"),
}


@pytest.fixture
async def sandbox(clock: Clock) -> AsyncIterator[SandboxServer]:
    async with SandboxServer(replace(SEED), delivery=QUICK, clock=clock) as running:
        running.scopes.update(
            ("team:read", "users:read.email", "channels:join", "im:write", "mpim:write", "files:write")
        )
        yield running


@pytest.fixture
async def workspace_facts(sandbox: SandboxServer, client: AsyncWebClient, clock: Clock) -> dict[str, str]:
    """Messages, files, triggers and views that the calls name."""
    visitor, triggers = sandbox.visitor, sandbox.sandbox.triggers
    theirs = (await visitor.post("priya", "general", "a question")).ts
    ours = (await client.chat_postMessage(channel="C0GENERAL", text="an answer"))["ts"]
    await client.reactions_add(channel="C0GENERAL", timestamp=ours, name="+1")
    stream = {"channel": "C0GENERAL", "thread_ts": theirs, **WHO}
    stopped = (await client.chat_startStream(**stream))["ts"]
    await client.agents_sessions_setStatus(channel_id="C0GENERAL", thread_ts=theirs, status="processing")
    await visitor.stop_answer("priya", "general", theirs)
    growing = (await client.chat_startStream(**stream))["ts"]
    shared = await visitor.post("priya", "general", "look", files=[NewFile("a.txt", b"ten")])
    await visitor.delete_file("priya", shared.files[0]["id"])
    late = triggers.issue("U0PRIYA")
    clock.advance(4)
    used = triggers.issue("U0PRIYA")
    view = (await client.views_open(trigger_id=used, view=MODAL))["view"]["id"]
    for _ in range(2):
        await client.views_push(trigger_id=triggers.issue("U0PRIYA", view), view=MODAL)
    mine = triggers.issue("U0MARTA")
    await client.views_open(trigger_id=mine, view=MODAL | {"external_id": "mine"})
    await client.views_publish(user_id="U0PRIYA", view=HOME)
    uploaded = sandbox.sandbox.workspace.files.add("b.txt", b"ten", sandbox.bot_user_id, 0)
    workspace = sandbox.sandbox.workspace
    workspace.channels["C0OLD"].archived = False
    old = (await visitor.post("priya", "old", "long ago")).ts
    workspace.channels["C0OLD"].archived = True
    return {
        "theirs": theirs,
        "ours": ours,
        "stopped": stopped,
        "growing": growing,
        "gone": shared.files[0]["id"],
        "late": late,
        "used": used,
        "view": view,
        "old": old,
        "mine": uploaded.file_id,
    }


def filled(tree: Any, facts: dict[str, str], sandbox: SandboxServer) -> Any:
    """The words in braces replaced: facts, and triggers, a new one each time."""
    if isinstance(tree, dict):
        return {name: filled(value, facts, sandbox) for name, value in tree.items()}
    if isinstance(tree, list):
        return [filled(part, facts, sandbox) for part in tree]
    if isinstance(tree, str) and tree in TRIGGERS:
        return sandbox.sandbox.triggers.issue(TRIGGERS[tree])
    if isinstance(tree, str) and tree.startswith("{") and tree.endswith("}"):
        return facts[tree[1:-1]]
    return tree


@pytest.mark.parametrize("method", REFUSED)
async def test_a_method_refuses_as_it_is_documented(
    sandbox: SandboxServer, client: AsyncWebClient, workspace_facts: dict[str, str], method: str
) -> None:
    documented = documented_methods()[method][1]
    met: dict[str, str] = {}
    for expected, call in REFUSED[method].items():
        with pytest.raises(SlackApiError) as refused:
            await client.api_call(method, json=filled(call, workspace_facts, sandbox))
        met[expected] = str(refused.value.response["error"])
    assert met == {expected: expected for expected in REFUSED[method]}
    assert set(met) <= documented


def test_every_documented_error_is_met_or_cannot_happen_here() -> None:
    unmet = {
        (method, error)
        for method, (_, errors) in documented_methods().items()
        for error in errors
        if error not in REFUSED.get(method, {}) and not error.startswith(NOT_HERE)
    }
    assert unmet - ELSEWHERE - NOT_SO == set()
