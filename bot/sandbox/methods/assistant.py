"""assistant.threads.*: status, title and suggested prompts."""

from __future__ import annotations

from bot.sandbox.arguments import Arguments
from bot.sandbox.channels import Channel
from bot.sandbox.errors import SlackError
from bot.sandbox.methods.places import joined_channel
from bot.sandbox.methods.registry import Answer, method
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.workspace import Status

MOST_PROMPTS = 4


def _place(sandbox: Sandbox, arguments: Arguments) -> tuple[Channel, str]:
    channel = joined_channel(sandbox, arguments.required("channel_id"))
    thread_ts = arguments.text("thread_ts")
    if thread_ts and sandbox.workspace.histories[channel.channel_id].get(thread_ts) is None:
        raise SlackError("invalid_thread_ts")
    return channel, thread_ts


@method("assistant.threads.setStatus", "chat:write")
def set_status(sandbox: Sandbox, arguments: Arguments) -> Answer:
    """An empty status takes the old one away."""
    channel, thread_ts = _place(sandbox, arguments)
    loading = tuple(str(line) for line in arguments.json("loading_messages") or [])
    status = Status(channel.channel_id, thread_ts, arguments.text("status"), loading, sandbox.clock())
    sandbox.workspace.statuses[(channel.channel_id, thread_ts)] = status
    sandbox.journal.in_channel("status", channel.channel_id, [status.text, list(loading)])
    sandbox.workspace.changes.ring()
    return {}


@method("assistant.threads.setTitle", "assistant:write", tier=4)
def set_title(sandbox: Sandbox, arguments: Arguments) -> Answer:
    arguments.required("thread_ts")
    channel, thread_ts = _place(sandbox, arguments)
    pane = sandbox.workspace.pane(channel.channel_id, thread_ts)
    pane.title = arguments.required("title")
    sandbox.journal.in_channel("title", channel.channel_id, pane.title)
    sandbox.workspace.changes.ring()
    return {}


@method("assistant.threads.setSuggestedPrompts", "assistant:write", tier=4)
def set_prompts(sandbox: Sandbox, arguments: Arguments) -> Answer:
    """Without `thread_ts` they belong to the whole direct message, as in the agent view."""
    channel, thread_ts = _place(sandbox, arguments)
    prompts = arguments.json("prompts")
    usable = isinstance(prompts, list) and 1 <= len(prompts) <= MOST_PROMPTS
    if not usable or any(not prompt.get("title") or not prompt.get("message") for prompt in prompts):
        raise SlackError("invalid_arguments", messages=[f"prompts must hold 1 to {MOST_PROMPTS} prompts"])
    pane = sandbox.workspace.pane(channel.channel_id, thread_ts)
    pane.prompts, pane.prompts_title = prompts, arguments.text("title")
    sandbox.journal.in_channel("prompts", channel.channel_id, [pane.prompts_title, prompts])
    sandbox.workspace.changes.ring()
    return {}
