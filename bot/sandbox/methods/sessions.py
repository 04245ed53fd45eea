"""agents.sessions.*: the state and the title of what an agent does in a thread."""

from __future__ import annotations

from bot.sandbox.arguments import Arguments
from bot.sandbox.errors import SlackError
from bot.sandbox.methods.places import joined_channel
from bot.sandbox.methods.registry import Answer, method
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.sessions import MOST_TITLE, SESSION_STATUSES, Session

NO_STOP_BUTTON = "missing_agent_session_stopped_event_subscription"


@method("agents.sessions.setStatus", "chat:write", tier=3)
def set_session_status(sandbox: Sandbox, arguments: Arguments) -> Answer:
    """Open a session, or change the state of one. A title counts only when it opens one."""
    channel_id, thread_ts = _thread(sandbox, arguments)
    status, title = checked_status(arguments.required("status")), _title(arguments)
    sessions = sandbox.workspace.sessions
    session = sessions.setdefault(
        (channel_id, thread_ts),
        Session(channel_id, thread_ts, status, title, arguments.text("initiator_user_id")),
    )
    session.status = status
    sandbox.journal.in_channel("title", channel_id, session.title)
    sandbox.workspace.changes.ring()
    answer: Answer = {"status": status, "agent_status": status, "title": session.title}
    if session.stoppable and "agent_session_stopped" not in sandbox.events.subscriptions:
        answer["warning"] = NO_STOP_BUTTON
    return answer


@method("agents.sessions.rename", "chat:write", tier=3)
def rename_session(sandbox: Sandbox, arguments: Arguments) -> Answer:
    session = sandbox.workspace.sessions.get(_thread(sandbox, arguments))
    if session is None:
        raise SlackError("session_not_found")
    arguments.required("title")
    session.title = _title(arguments)
    sandbox.journal.in_channel("title", session.channel_id, session.title)
    sandbox.workspace.changes.ring()
    return {"title": session.title}


def checked_status(status: str) -> str:
    if status not in SESSION_STATUSES:
        raise SlackError(
            "invalid_arguments", messages=[f"status must be one of {', '.join(SESSION_STATUSES)}"]
        )
    return status


def _thread(sandbox: Sandbox, arguments: Arguments) -> tuple[str, str]:
    channel = joined_channel(sandbox, arguments.required("channel_id"))
    thread_ts = arguments.required("thread_ts")
    if sandbox.workspace.histories[channel.channel_id].get(thread_ts) is None:
        raise SlackError("invalid_thread_ts")
    return channel.channel_id, thread_ts


def _title(arguments: Arguments) -> str:
    title = arguments.text("title")
    if len(title) > MOST_TITLE:
        raise SlackError("invalid_arguments", messages=[f"title must be at most {MOST_TITLE} characters"])
    return title
