"""The manifest asks Slack for what the bot uses: no less, and nothing to spare."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.admin.desk import AdminDesk
from bot.slack.app import slack_app
from bot.slack.approving import ApprovalDesk
from bot.slack.asking import AskingDesk
from bot.slack.digests import DigestDesk
from bot.slack.gaps import GapsDesk
from bot.slack.handing_in import IngestionDesk
from bot.slack.home import HomeDesk
from bot.slack.question_forms import QuestionForms
from bot.slack.service import desks
from bot.slack.team import Team
from bot.slack.under_answers import UnderAnswers

ROOT = Path(__file__).parents[3]
MANIFEST = yaml.safe_load((ROOT / "deploy" / "slack-manifest.yaml").read_text(encoding="utf-8"))
# What each call of the Web API asks for, by Slack's reference of methods.
SCOPES_OF_CALLS = {
    "agents_sessions_setStatus": {"chat:write"},
    "apps_connections_open": set(),  # by the app-level token, which has a scope of its own
    "assistant_threads_setStatus": {"chat:write"},
    "assistant_threads_setSuggestedPrompts": {"assistant:write"},
    "auth_test": set(),
    "chat_appendStream": {"chat:write"},
    "chat_delete": {"chat:write"},
    "chat_getPermalink": set(),
    "chat_postEphemeral": {"chat:write"},
    "chat_postMessage": {"chat:write"},
    "chat_startStream": {"chat:write"},
    "chat_stopStream": {"chat:write"},
    "chat_update": {"chat:write"},
    "conversations_history": {"channels:history", "groups:history", "im:history", "mpim:history"},
    "conversations_info": {"channels:read", "groups:read", "mpim:read"},
    "conversations_members": {"channels:read", "groups:read", "mpim:read"},
    "conversations_replies": {"channels:history", "groups:history", "im:history", "mpim:history"},
    "files_info": {"files:read"},
    "usergroups_list": {"usergroups:read"},
    "usergroups_users_list": {"usergroups:read"},
    "users_info": {"users:read"},
    "users_list": {"users:read"},
    "views_open": set(),
    "views_publish": set(),
    "views_push": set(),
    "views_update": set(),
}
SCOPES_OF_EVENTS = {
    "app_mention": {"app_mentions:read"},
    "message.im": {"im:history"},
    "message.channels": {"channels:history"},
    "message.groups": {"groups:history"},
    "message.mpim": {"mpim:history"},
    "agent_session_stopped": set(),
    "app_context_changed": set(),
    "app_home_opened": set(),
    "user_change": {"users:read"},
    "team_join": {"users:read"},
    "subteam_created": {"usergroups:read"},
    "subteam_updated": {"usergroups:read"},
    "subteam_members_changed": {"usergroups:read"},
    "member_joined_channel": {"channels:read", "groups:read"},
    "member_left_channel": {"channels:read", "groups:read"},
    "channel_shared": {"channels:read", "groups:read"},
    "channel_unshared": {"channels:read", "groups:read"},
    "channel_archive": {"channels:read"},
    "channel_deleted": {"channels:read"},
    "group_archive": {"groups:read"},
    "group_deleted": {"groups:read"},
}
# By feature: slash commands, and the agent pane.
SCOPES_OF_FEATURES = {"commands", "assistant:write"}


TEAM = Team(1, "T0TEST", "Test", "U0BOT")


@pytest.fixture
def listened(monkeypatch: pytest.MonkeyPatch) -> dict[str, set[str]]:
    """What the bot listens to, by kind."""
    heard: dict[str, set[str]] = {"event": set(), "command": set(), "shortcut": set()}

    def recording(kind: str) -> Callable[..., Any]:
        def register(_app: AsyncApp, name: str) -> Callable[[Any], Any]:
            heard[kind].add(name)
            return lambda listener: listener

        return register

    for kind in heard:
        monkeypatch.setattr(AsyncApp, kind, recording(kind))
    nobody: Any = None
    asking = AskingDesk(nobody, TEAM, nobody, nobody, nobody)
    ingestion = IngestionDesk(nobody, 1, nobody, nobody)
    admin = AdminDesk(nobody, nobody, 1, nobody, nobody, nobody, nobody)
    others = (
        UnderAnswers(nobody, TEAM, ApprovalDesk(nobody)),
        QuestionForms(TEAM, asking, nobody),
        HomeDesk(nobody, TEAM, nobody, nobody),
        DigestDesk(nobody, TEAM, nobody),
        GapsDesk(nobody),
    )
    slack_app(
        AsyncWebClient(token="xoxb-none"),
        "T0TEST",
        desks(TEAM, asking, ingestion, admin, nobody, nobody, nobody, *others),
    )
    return heard


def calls() -> set[str]:
    """Methods of the Web API that the bot calls, as its source names them."""
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "bot" / "slack").rglob("*.py"))
    return {
        name for name in dir(AsyncWebClient) if f"client.{name}(" in sources or f"client.{name}," in sources
    }


def test_every_event_that_is_asked_for_is_listened_to(listened: dict[str, set[str]]) -> None:
    asked = {name.split(".")[0] for name in MANIFEST["settings"]["event_subscriptions"]["bot_events"]}
    assert asked == listened["event"]


def test_every_slash_command_is_listened_to(listened: dict[str, set[str]]) -> None:
    assert {entry["command"] for entry in MANIFEST["features"]["slash_commands"]} == listened["command"]


def test_every_shortcut_is_listened_to(listened: dict[str, set[str]]) -> None:
    assert {entry["callback_id"] for entry in MANIFEST["features"]["shortcuts"]} == listened["shortcut"]


def test_the_scopes_are_those_of_the_calls_and_events_and_no_more() -> None:
    events = MANIFEST["settings"]["event_subscriptions"]["bot_events"]
    needed = set().union(
        SCOPES_OF_FEATURES,
        *(SCOPES_OF_CALLS[call] for call in calls()),
        *(SCOPES_OF_EVENTS[event] for event in events),
    )
    assert set(MANIFEST["oauth_config"]["scopes"]["bot"]) == needed


def test_the_socket_is_dialled_from_inside() -> None:
    assert MANIFEST["settings"]["socket_mode_enabled"] is True
    assert all("url" not in command for command in MANIFEST["features"]["slash_commands"])


def test_people_named_in_commands_of_administration_arrive_by_their_ids() -> None:
    commands = {entry["command"]: entry["should_escape"] for entry in MANIFEST["features"]["slash_commands"]}
    assert commands == {
        "/ingest": False,
        "/roles": True,
        "/access": True,
        "/docs": True,
        "/audit": True,
        "/answers": True,
        "/digest": True,
        "/gaps": False,
    }
