"""Modals in their stacks, and home tabs."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.blocks import check_view, with_ids
from bot.sandbox.errors import SlackError
from bot.sandbox.journal import Journal
from bot.sandbox.state_values import initial_values, kept_values
from bot.sandbox.suggestions import Offered
from bot.sandbox.workspace import Workspace

MOST_MODALS = 3  # in one stack


@dataclass
class View:
    view_id: str
    user_id: str
    body: dict[str, Any]  # what the app sent, with block ids
    root_view_id: str
    previous_view_id: str | None = None
    number: int = 0  # views are numbered in the order in which they came
    values: dict[str, dict[str, Any]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    offered: Offered = field(default_factory=dict)  # what the app answered to menus that it fills
    hash: str = ""

    def renew(self, body: dict[str, Any]) -> None:
        self.body = body
        self.errors = {}
        self.hash = f"{secrets.randbelow(10**10)}.{secrets.token_hex(4)}"


class Views:
    def __init__(self, workspace: Workspace, journal: Journal) -> None:
        self._workspace = workspace
        self._journal = journal
        self._stacks: dict[str, list[View]] = {}
        self._homes: dict[str, View] = {}
        self.newest = 0  # the number of the view that came last

    def stack(self, user_id: str) -> list[View]:
        return self._stacks.setdefault(user_id, [])

    def home(self, user_id: str) -> View | None:
        return self._homes.get(user_id)

    def find(self, view_id: str = "", external_id: str = "") -> View:
        for view in self._living():
            if view.view_id == view_id or (external_id and view.body.get("external_id") == external_id):
                return view
        raise SlackError("not_found")

    def open(self, user_id: str, body: dict[str, Any]) -> View:
        """A new modal replaces whatever stack the person had."""
        view = self._new(user_id, body, "modal", replaced=self.stack(user_id))
        self._stacks[user_id] = [view]
        return self._shown(view)

    def push(self, user_id: str, body: dict[str, Any]) -> View:
        stack = self.stack(user_id)
        if not stack:
            raise SlackError("not_found")
        if len(stack) >= MOST_MODALS:
            raise SlackError("push_limit_reached")
        view = self._new(user_id, body, "modal")
        view.root_view_id, view.previous_view_id = stack[0].view_id, stack[-1].view_id
        stack.append(view)
        return self._shown(view)

    def update(self, view: View, body: dict[str, Any], expected_hash: str = "") -> View:
        if expected_hash and expected_hash != view.hash:
            raise SlackError("hash_conflict")
        check_view(body, str(view.body["type"]))
        self._check_external_id(body, (view,))
        view.renew(body | {"blocks": with_ids(body["blocks"])})
        view.values = kept_values(view.values, view.body["blocks"])
        return self._shown(view)

    def publish(self, user_id: str, body: dict[str, Any], expected_hash: str = "") -> View:
        home = self._homes.get(user_id)
        if home is not None:
            return self.update(home, body, expected_hash)
        self._homes[user_id] = self._new(user_id, body, "home")
        return self._shown(self._homes[user_id])

    def pop(self, view: View) -> None:
        stack = self.stack(view.user_id)
        if view in stack:
            stack.remove(view)
        self._workspace.changes.ring()

    def clear(self, user_id: str) -> None:
        self._stacks[user_id] = []
        self._workspace.changes.ring()

    def refuse(self, view: View, errors: dict[str, str]) -> None:
        view.errors = errors
        self._shown(view)

    def _shown(self, view: View) -> View:
        self._journal.to("view", view.user_id, [self.json(view), view.errors])
        self._workspace.changes.ring()
        return view

    def _new(self, user_id: str, body: dict[str, Any], kind: str, replaced: Sequence[View] = ()) -> View:
        check_view(body, kind)
        self._check_external_id(body, replaced)
        view_id = self._workspace.new_id("V")
        self.newest += 1
        view = View(view_id, user_id, {}, root_view_id=view_id, number=self.newest)
        view.renew(body | {"blocks": with_ids(body["blocks"])})
        view.values = initial_values(view.body["blocks"])
        return view

    def _check_external_id(self, body: dict[str, Any], replaced: Sequence[View]) -> None:
        """No two views of a workspace go by the same one; those that are replaced give theirs up."""
        taken = [view.body.get("external_id") for view in self._living() if view not in replaced]
        if body.get("external_id") and body["external_id"] in taken:
            raise SlackError("duplicate_external_id")

    def _living(self) -> list[View]:
        return [*self._homes.values(), *(view for stack in self._stacks.values() for view in stack)]

    def json(self, view: View) -> dict[str, Any]:
        """The `view` object of the Web API and of payloads."""
        body = view.body
        return {
            "id": view.view_id,
            "team_id": self._workspace.team_id,
            "type": body["type"],
            "title": body.get("title"),
            "submit": body.get("submit"),
            "close": body.get("close"),
            "blocks": body["blocks"],
            "private_metadata": body.get("private_metadata", ""),
            "callback_id": body.get("callback_id", ""),
            "external_id": body.get("external_id", ""),
            "state": {"values": view.values},
            "hash": view.hash,
            "clear_on_close": bool(body.get("clear_on_close")),
            "notify_on_close": bool(body.get("notify_on_close")),
            "submit_disabled": bool(body.get("submit_disabled")),
            "root_view_id": view.root_view_id,
            "previous_view_id": view.previous_view_id,
            "app_id": self._workspace.app_id,
            "app_installed_team_id": self._workspace.team_id,
            "bot_id": self._workspace.bot_id,
        }
