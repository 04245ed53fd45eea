"""views.*: modals and the home tab."""

from __future__ import annotations

from typing import Any

from bot.sandbox.arguments import Arguments
from bot.sandbox.errors import SlackError
from bot.sandbox.methods.registry import Answer, method
from bot.sandbox.sandbox import Sandbox


def _body(arguments: Arguments) -> dict[str, Any]:
    view = arguments.json("view")
    if not isinstance(view, dict):
        raise SlackError("invalid_arguments", messages=["missing required field: view"])
    return view


@method("views.open", tier=4)
def open_view(sandbox: Sandbox, arguments: Arguments) -> Answer:
    trigger = sandbox.triggers.exchange(arguments.required("trigger_id"))
    return {"view": sandbox.views.json(sandbox.views.open(trigger.user_id, _body(arguments)))}


@method("views.push", tier=4)
def push_view(sandbox: Sandbox, arguments: Arguments) -> Answer:
    trigger = sandbox.triggers.exchange(arguments.required("trigger_id"))
    return {"view": sandbox.views.json(sandbox.views.push(trigger.user_id, _body(arguments)))}


@method("views.update", tier=4)
def update_view(sandbox: Sandbox, arguments: Arguments) -> Answer:
    view = sandbox.views.find(arguments.text("view_id"), arguments.text("external_id"))
    return {"view": sandbox.views.json(sandbox.views.update(view, _body(arguments), arguments.text("hash")))}


@method("views.publish", tier=4)
def publish_view(sandbox: Sandbox, arguments: Arguments) -> Answer:
    user_id = arguments.required("user_id")
    if user_id not in sandbox.workspace.people:
        raise SlackError("user_not_found")
    view = sandbox.views.publish(user_id, _body(arguments), arguments.text("hash"))
    return {"view": sandbox.views.json(view)}
