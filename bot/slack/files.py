"""Files that people attach in Slack: fetched with the bot's token, from Slack's own host and from no other."""

from urllib.parse import urlsplit

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from auth.errors import OstiaryError
from bot.slack.refusals import reason

SLACK_HOSTS = ("files.slack.com", "slack-files.com")
TIMEOUT_S = 60


class FileUnavailable(OstiaryError):
    """A file cannot be fetched from Slack; the message says why."""


async def download(
    client: AsyncWebClient, file_id: str, max_bytes: int, owner: str | None = None
) -> tuple[str, bytes]:
    """(name, content) of a Slack file; of `owner`'s alone, if that is given.

    The token goes to Slack's file host only, and never along a redirect.
    """
    try:
        file = (await client.files_info(file=file_id))["file"]
    except SlackApiError as error:
        raise FileUnavailable(
            f"Slack does not give me that file ({reason(error)}). Is it deleted? Send it again."
        ) from error
    if owner is not None and file.get("user") != owner:
        raise FileUnavailable("That file is not yours. Send it yourself.")
    name, url = file.get("name") or file_id, file.get("url_private_download") or file.get("url_private") or ""
    if file.get("size", 0) > max_bytes:
        raise FileUnavailable(_too_large(name, file["size"], max_bytes))
    if not _is_slacks(url, client.base_url):
        raise FileUnavailable(f"{name} does not lie at Slack but elsewhere; send the file itself.")
    return name, await _read(url, client.token or "", name, max_bytes)


def _is_slacks(url: str, api_url: str) -> bool:
    host = urlsplit(url).netloc
    return host in SLACK_HOSTS or host == urlsplit(api_url).netloc


async def _read(url: str, token: str, name: str, max_bytes: int) -> bytes:
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    headers = {"Authorization": f"Bearer {token}"}
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(url, headers=headers, allow_redirects=False) as response,
        ):
            if response.status != 200:
                raise FileUnavailable(
                    f"Slack refused {name} (status {response.status}). Does the app have the scope files:read?"
                )
            data = await response.content.read(max_bytes + 1)
            while len(data) <= max_bytes and (more := await response.content.read(max_bytes + 1 - len(data))):
                data += more
    except (aiohttp.ClientError, TimeoutError) as error:
        raise FileUnavailable(f"{name} could not be fetched from Slack ({error}). Send it again.") from error
    if len(data) > max_bytes:
        raise FileUnavailable(_too_large(name, len(data), max_bytes))
    return data


def _too_large(name: str, size: int, max_bytes: int) -> str:
    return f"{name} is {size / 2**20:.0f} MB; the limit is {max_bytes / 2**20:.0f} MB. Send it in parts."
