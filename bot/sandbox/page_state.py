"""Everything the page shows to one person, as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from bot.sandbox.channels import Channel
from bot.sandbox.people import Person
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.seen import SeenMessage
from bot.sandbox.visitor import Visitor, VisitorError


def page_state(
    sandbox: Sandbox, visitor: Visitor, person: str, channel: str | None, thread_ts: str | None
) -> dict[str, Any]:
    """Only what `person` may see. Without a person: the workspace's people, to choose one from."""
    workspace = sandbox.workspace
    everybody = {
        "workspace": {"name": workspace.seed.name, "team_id": workspace.team_id},
        "bot": _person_json(workspace.bot),
        "connected": sandbox.deliveries.reaches_app,
        "installed": sandbox.installed,
        "newest_view": sandbox.views.newest,
        "people": [_person_json(known) for known in workspace.people.values()],
        "shortcuts": [{"id": name, "text": text} for name, text in workspace.seed.shortcuts],
        "global_shortcuts": [{"id": name, "text": text} for name, text in workspace.seed.global_shortcuts],
        "commands": [
            {"name": name, "description": description, "hint": hint}
            for name, description, hint in workspace.seed.commands
        ],
    }
    if not person:
        return everybody
    you = visitor.who(person)
    direct = visitor.where(person, f"@{workspace.bot.handle}")
    return everybody | {
        "you": _person_json(you),
        "direct": direct.channel_id,
        "channels": [
            _summary(sandbox, visitor, you, place) for place in (*visitor.channels_of(person), direct)
        ],
        **_conversation(sandbox, visitor, you, channel, thread_ts),
        "sessions": _sessions(sandbox, you),
        "statuses": [asdict(status) for status in visitor.statuses(person)],
        "views": [
            asdict(view) | {"number": sandbox.views.find(view.id).number}
            for view in visitor.views_open_for(person)
        ],
        "home": _home(visitor, person),
        "has_home": "app_home_opened" in sandbox.events.subscriptions,
        "prompts": list(visitor.prompts(person)),
        "prompts_title": workspace.pane(direct.channel_id, "").prompts_title,
    }


def _conversation(
    sandbox: Sandbox, visitor: Visitor, you: Person, channel: str | None, thread_ts: str | None
) -> dict[str, Any]:
    """One channel and one thread of it; nothing where the person cannot look, and the page goes elsewhere."""
    try:
        place = visitor.where(you.user_id, channel or "")
    except VisitorError:
        return {"channel": None, "messages": [], "thread": []}
    messages = visitor.conversation(you.user_id, place.channel_id)
    thread = visitor.visible_to(you.user_id, place.channel_id, thread_ts) if thread_ts else ()
    return {
        "channel": _channel_json(sandbox, place, you),
        "messages": [_message_json(sandbox, you, seen) for seen in messages],
        "thread": [_message_json(sandbox, you, seen) for seen in thread],
    }


def _sessions(sandbox: Sandbox, you: Person) -> list[dict[str, Any]]:
    """What the app is at, and whether this person can stop it."""
    heard = "agent_session_stopped" in sandbox.events.subscriptions
    workspace = sandbox.workspace
    return [
        asdict(session) | {"stoppable": session.stoppable and heard}
        for session in workspace.sessions.values()
        if workspace.may_read(you.user_id, workspace.channels[session.channel_id])
    ]


def _message_json(sandbox: Sandbox, you: Person, seen: SeenMessage) -> dict[str, Any]:
    """With what this person has chosen in it."""
    message = sandbox.workspace.message(seen.channel_id, seen.ts)
    values = sandbox.interactions.held(you.user_id, message).values if message and message.blocks else {}
    return asdict(seen) | {"values": values}


def _home(visitor: Visitor, person: str) -> dict[str, Any] | None:
    home = visitor.home_of(person)
    return asdict(home) if home else None


def _person_json(person: Person) -> dict[str, Any]:
    return asdict(person) | {"standing": person.standing, "guest": person.is_guest}


def _summary(sandbox: Sandbox, visitor: Visitor, you: Person, place: Channel) -> dict[str, Any]:
    """A line of the left column, with the newest thing that others said to this person there."""
    seen = [
        message
        for message in visitor.visible_to(you.user_id, place.channel_id)
        if message.user_id != you.user_id
    ]
    return {
        "id": place.channel_id,
        "name": place.name,
        "label": _label(sandbox, place, you),
        "kind": place.kind,
        "member": you.user_id in place.members,
        "archived": place.archived,
        "shared": place.shared,
        "latest": seen[-1].ts if seen else "",
        "bot": sandbox.workspace.bot_user_id in place.members,
    }


def _label(sandbox: Sandbox, place: Channel, you: Person) -> str:
    """A group direct message goes by the people in it."""
    if place.kind != "mpim":
        return place.name
    people = (sandbox.workspace.people[member] for member in place.members if member != you.user_id)
    return ", ".join(person.name for person in people)


def _channel_json(sandbox: Sandbox, place: Channel, you: Person) -> dict[str, Any]:
    return {
        "id": place.channel_id,
        "name": place.name,
        "label": _label(sandbox, place, you),
        "kind": place.kind,
        "topic": place.topic,
        "archived": place.archived,
        "shared": place.shared,
        "member": you.user_id in place.members,
        "members": place.members,
    }
