"""What an error of Slack's Web API means: whether the call was surely not carried out, and why."""

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

# Errors after which, by Slack's own account, a call may have had its effect all the same.
_NO_REFUSALS = {None, "fatal_error", "internal_error", "service_unavailable", "request_timeout"}
_GONE = {"channel_not_found", "user_not_found", "user_disabled"}


def was_refused(error: SlackApiError) -> bool:
    """Whether Slack certainly did not do what it was asked. An answer that is no JSON says nothing."""
    said = error.response
    return isinstance(said, AsyncSlackResponse) and said.get("error") not in _NO_REFUSALS


def is_gone(error: SlackApiError) -> bool:
    """Whether there is nobody, or no conversation, that could be told anything: trying again helps nobody."""
    return reason(error) in _GONE


def retry_after_s(error: SlackApiError) -> float | None:
    """For how many seconds Slack has no time for such a call; None where it was refused for another reason."""
    if reason(error) != "ratelimited":
        return None
    headers = getattr(error.response, "headers", None) or {}
    waits = next((value for name, value in headers.items() if name.lower() == "retry-after"), "1")
    return float(waits[0] if isinstance(waits, list) else waits)


def reason(error: SlackApiError) -> str:
    """Slack's own word for what is wrong, for example `not_authed`."""
    said = error.response
    code = said.get("error") if isinstance(said, AsyncSlackResponse) else None
    return str(code or "an answer that is not Slack's")
