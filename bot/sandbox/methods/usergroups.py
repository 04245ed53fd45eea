"""usergroups.*: Slack's user groups, where the plan has them."""

from __future__ import annotations

from bot.sandbox.arguments import Arguments
from bot.sandbox.errors import SlackError
from bot.sandbox.groups import Group, group_json
from bot.sandbox.methods.registry import Answer, method
from bot.sandbox.sandbox import Sandbox


def _known(sandbox: Sandbox, arguments: Arguments) -> list[Group]:
    """The groups, disabled ones only where the call asks for them; plan_upgrade_required without a plan."""
    if not sandbox.workspace.seed.paid_plan:
        raise SlackError("plan_upgrade_required")
    disabled_too = arguments.flag("include_disabled")
    return [group for group in sandbox.workspace.groups.values() if disabled_too or not group.deleted]


@method("usergroups.list", "usergroups:read", tier=2)
def group_list(sandbox: Sandbox, arguments: Arguments) -> Answer:
    return {
        "usergroups": [
            group_json(
                group,
                sandbox.workspace.active_members(group),
                sandbox.workspace.team_id,
                with_users=arguments.flag("include_users"),
                with_count=arguments.flag("include_count"),
            )
            for group in _known(sandbox, arguments)
        ]
    }


@method("usergroups.users.list", "usergroups:read", tier=2)
def group_members(sandbox: Sandbox, arguments: Arguments) -> Answer:
    groups = {group.group_id: group for group in _known(sandbox, arguments)}
    group = groups.get(arguments.required("usergroup"))
    if group is None:
        raise SlackError("no_such_subteam")
    return {"users": sandbox.workspace.active_members(group)}
