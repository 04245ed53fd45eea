"""Lists that Slack gives out page by page."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

MOST_PAGES = 5000


async def pages(
    call: Callable[..., Awaitable[AsyncSlackResponse]], **arguments: Any
) -> AsyncIterator[AsyncSlackResponse]:
    """Each page of what `call` lists. Raises SlackApiError, also where the list does not end."""
    cursor = ""
    for _ in range(MOST_PAGES):
        page = await call(cursor=cursor, **arguments)
        yield page
        cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
        if not cursor:
            return
    raise SlackApiError(  # type: ignore[no-untyped-call]
        f"Slack's list has more than {MOST_PAGES} pages.", page
    )
