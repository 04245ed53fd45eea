"""Slash commands, clicks and modals: what the app is asked, and what its answer does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bot.sandbox.blocks import elements_of
from bot.sandbox.channels import Channel
from bot.sandbox.delivery import Deliveries, EnvelopeType, Outcome
from bot.sandbox.messages import Message
from bot.sandbox.people import Person
from bot.sandbox.posting import Posting
from bot.sandbox.responses import respond
from bot.sandbox.shapes import message_json
from bot.sandbox.slack_app import VERIFICATION_TOKEN
from bot.sandbox.state_values import kept_values
from bot.sandbox.suggestions import Held
from bot.sandbox.triggers import ResponseUrl, ResponseUrls, Triggers
from bot.sandbox.views import View, Views
from bot.sandbox.workspace import Workspace

TROUBLE = "We had some trouble connecting. Try again?"


class Interactions:
    def __init__(
        self,
        workspace: Workspace,
        deliveries: Deliveries,
        posting: Posting,
        views: Views,
        triggers: Triggers,
        response_urls: ResponseUrls,
        installed: Callable[[], bool],
    ) -> None:
        self._workspace = workspace
        self._deliveries = deliveries
        self._posting = posting
        self._views = views
        self._triggers = triggers
        self._response_urls = response_urls
        self._installed = installed
        self._held: dict[tuple[str, str, str], Held] = {}

    async def command(self, person: Person, channel: Channel, name: str, text: str) -> Outcome:
        payload = {
            "token": VERIFICATION_TOKEN,
            "team_id": self._workspace.team_id,
            "team_domain": self._workspace.domain,
            "channel_id": channel.channel_id,
            "channel_name": {"im": "directmessage", "group": "privategroup"}.get(channel.kind, channel.name),
            "user_id": person.user_id,
            "user_name": person.handle,
            "command": name,
            "text": text,
            "api_app_id": self._workspace.app_id,
            "is_enterprise_install": "false",
            "response_url": self._respond_at(self._response_urls.issue(person.user_id, channel.channel_id)),
            "trigger_id": self._triggers.issue(person.user_id),
        }
        outcome = await self._ask("slash_commands", payload, accepts=True)
        if outcome.error:
            failure = f"{name} failed with the error '{outcome.error}'"
            self._posting.slackbot_whisper(person.user_id, channel.channel_id, failure)
        elif outcome.payload:
            where = ResponseUrl(person.user_id, channel.channel_id, None, None, self._workspace.clock())
            respond(self._workspace, self._posting, where, outcome.payload)
        return outcome

    def held(self, user_id: str, message: Message) -> Held:
        """What this person has chosen in a message, as far as the message still asks for it."""
        held = self._held.setdefault((user_id, message.channel_id, message.ts), Held())
        held.values = kept_values(held.values, message.blocks)
        return held

    async def act_on_message(self, person: Person, message: Message, action: dict[str, Any]) -> Outcome:
        token = self._response_urls.issue(
            person.user_id, message.channel_id, thread_ts=message.thread_ts, message_ts=message.ts
        )
        payload = (
            self._action_payload(person, action)
            | self._message_place(message)
            | {
                "trigger_id": self._triggers.issue(person.user_id),
                "state": {"values": self.held(person.user_id, message).values},
                "response_url": self._respond_at(token),
            }
        )
        return await self._ask("interactive", payload, accepts=False)

    def _message_place(self, message: Message) -> dict[str, Any]:
        channel = self._workspace.channels[message.channel_id]
        thread = {"thread_ts": message.thread_ts} if message.is_reply else {}
        place: dict[str, Any] = {
            "container": {
                "type": "message",
                "message_ts": message.ts,
                "channel_id": channel.channel_id,
                "is_ephemeral": message.only_for is not None,
                **thread,
            },
            "channel": {"id": channel.channel_id, "name": channel.name or "directmessage"},
        }
        if message.only_for is None:  # Slack keeps no ephemeral messages to send along
            place["message"] = message_json(self._workspace, message)
        return place

    async def act_in_view(self, person: Person, view: View, action: dict[str, Any]) -> Outcome:
        root = view.root_view_id if view.body["type"] == "modal" else None
        payload = self._action_payload(person, action) | {
            **self._view_place(view),
            "trigger_id": self._triggers.issue(person.user_id, root),
        }
        return await self._ask("interactive", payload, accepts=False)

    def _view_place(self, view: View) -> dict[str, Any]:
        return {"container": {"type": "view", "view_id": view.view_id}, "view": self._views.json(view)}

    async def suggest(
        self, person: Person, place: View | Message, block_id: str, action_id: str, query: str
    ) -> Outcome:
        """Ask the app for the options of a menu; they come with the acknowledgement."""
        where = self._view_place(place) if isinstance(place, View) else self._message_place(place)
        asked = {"block_id": block_id, "action_id": action_id, "value": query}
        payload = self._head("block_suggestion", person) | where | asked
        return await self._ask("interactive", payload, accepts=True)

    async def global_shortcut(self, person: Person, callback_id: str) -> Outcome:
        """Choose one of the app's shortcuts beside the composer: it knows of no message and no channel."""
        payload = self._shortcut_head("shortcut", person, "username") | {
            "action_ts": self._workspace.stamps.next(),
            "callback_id": callback_id,
            "trigger_id": self._triggers.issue(person.user_id),
        }
        return await self._ask("interactive", payload, accepts=False)

    async def shortcut(self, person: Person, message: Message, callback_id: str) -> Outcome:
        """Choose one of the app's shortcuts in the menu of a message."""
        channel = self._workspace.channels[message.channel_id]
        name = {"im": "directmessage", "group": "privategroup"}.get(channel.kind, channel.name)
        token = self._response_urls.issue(
            person.user_id, message.channel_id, thread_ts=message.thread_ts, message_ts=message.ts
        )
        payload = self._shortcut_head("message_action", person, "name") | {
            "action_ts": self._workspace.stamps.next(),
            "callback_id": callback_id,
            "trigger_id": self._triggers.issue(person.user_id),
            "channel": {"id": channel.channel_id, "name": name},
            "message_ts": message.ts,
            "message": message_json(self._workspace, message),
            "response_url": self._respond_at(token),
        }
        return await self._ask("interactive", payload, accepts=False)

    async def submit_view(self, person: Person, view: View) -> Outcome:
        self._hand_over_files(view)
        payload = self._head("view_submission", person) | {
            "trigger_id": self._triggers.issue(person.user_id, view.root_view_id),
            "view": self._views.json(view),
            "response_urls": [],
        }
        outcome = await self._ask("interactive", payload, accepts=True)
        if not outcome.acknowledged:
            self._views.refuse(view, {"": TROUBLE})
        else:
            self._obey(view, outcome.payload)
        return outcome

    def _hand_over_files(self, view: View) -> None:
        for actions in view.values.values():
            for state in actions.values():
                for named in state.get("files") or ():
                    stored = self._workspace.files.get(named["id"])
                    if stored is not None and stored.user_id == view.user_id:
                        stored.given_to_app = True

    def _obey(self, view: View, answer: Mapping[str, Any]) -> None:
        action = answer.get("response_action")
        if action == "errors":
            self._views.refuse(view, dict(answer.get("errors", {})))
        elif action == "update":
            self._views.update(view, answer["view"])
        elif action == "push":
            self._views.push(view.user_id, answer["view"])
        elif action == "clear":
            self._views.clear(view.user_id)
        else:
            self._views.pop(view)

    async def close_view(self, person: Person, view: View, *, cleared: bool = False) -> None:
        """Close one modal, or its whole stack; tell the app where it asked to be told."""
        self._views.clear(person.user_id) if cleared else self._views.pop(view)
        if not view.body.get("notify_on_close"):
            return
        payload = self._head("view_closed", person) | {
            "view": self._views.json(view),
            "is_cleared": cleared,
            "response_urls": [],
        }
        await self._ask("interactive", payload, accepts=False)

    def _action_payload(self, person: Person, action: dict[str, Any]) -> dict[str, Any]:
        return self._head("block_actions", person) | {
            "actions": [action | {"action_ts": self._workspace.stamps.next()}]
        }

    def _head(self, kind: str, person: Person) -> dict[str, Any]:
        return {
            "type": kind,
            "token": VERIFICATION_TOKEN,
            "api_app_id": self._workspace.app_id,
            "team": {"id": self._workspace.team_id, "domain": self._workspace.domain},
            "enterprise": None,
            "is_enterprise_install": False,
            "user": {
                "id": person.user_id,
                "username": person.handle,
                "name": person.handle,
                "team_id": person.team_id,
            },
        }

    def _shortcut_head(self, kind: str, person: Person, named: str) -> dict[str, Any]:
        """As Slack has it: without the app's id, and people by one name only."""
        head = self._head(kind, person)
        del head["api_app_id"]
        user = {"id": person.user_id, named: person.handle, "team_id": person.team_id}
        return head | {"user": user}

    async def _ask(self, kind: EnvelopeType, payload: dict[str, Any], *, accepts: bool) -> Outcome:
        """Nothing reaches an app that is not in the workspace."""
        if not self._installed():
            return Outcome(False, "dispatch_failed", {})
        return await self._deliveries.ask(kind, payload, accepts=accepts)

    def _respond_at(self, token: str) -> str:
        return f"{self._workspace.base_url}response/{self._workspace.team_id}/{token}"


Found = tuple[dict[str, Any], dict[str, Any]]  # a block and the element in it


def find_element(blocks: list[dict[str, Any]], action_id: str, value: str | None = None) -> Found | None:
    """The element with this action id; `value` decides between buttons that share one."""
    found: Found | None = None
    for block in blocks:
        for element in elements_of(block):
            if element.get("action_id") != action_id:
                continue
            if value is None or element.get("value") == value:
                return block, element
            found = found or (block, element)
    return found
