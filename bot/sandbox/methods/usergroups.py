"""usergroups.*: Slack's user groups, where the plan has them."""

from __future__ import annotations

from typing import Any

from bot.sandbox.arguments import Arguments
from bot.sandbox.errors import SlackError
from bot.sandbox.methods.registry import Answer, method
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.seed import GroupSeed


def _member_ids(sandbox: Sandbox, group: GroupSeed) -> list[str]:
    people = (sandbox.workspace.find_person(handle) for handle in group.members)
    return [person.user_id for person in people if person is not None and not person.deleted]


def _need_paid_plan(sandbox: Sandbox) -> None:
    if not sandbox.workspace.seed.paid_plan:
        raise SlackError("plan_upgrade_required")


@method("usergroups.list", "usergroups:read")
def group_list(sandbox: Sandbox, arguments: Arguments) -> Answer:
    _need_paid_plan(sandbox)
    return {"usergroups": [_group_json(sandbox, group, arguments) for group in sandbox.workspace.seed.groups]}


def _group_json(sandbox: Sandbox, group: GroupSeed, arguments: Arguments) -> dict[str, Any]:
    members = _member_ids(sandbox, group)
    shape: dict[str, Any] = {
        "id": group.group_id,
        "team_id": sandbox.workspace.team_id,
        "is_usergroup": True,
        "is_subteam": True,
        "is_external": False,
        "name": group.name,
        "handle": group.handle,
        "description": "",
        "date_create": 0,
        "date_update": 0,
        "date_delete": 0,
        "prefs": {"channels": [], "groups": []},
    }
    if arguments.flag("include_users"):
        shape["users"] = members
    if arguments.flag("include_count"):
        shape["user_count"] = len(members)
    return shape


@method("usergroups.users.list", "usergroups:read")
def group_members(sandbox: Sandbox, arguments: Arguments) -> Answer:
    _need_paid_plan(sandbox)
    wanted = arguments.required("usergroup")
    for group in sandbox.workspace.seed.groups:
        if group.group_id == wanted:
            return {"users": _member_ids(sandbox, group)}
    raise SlackError("no_such_subteam")
