"""Everything that a person could read: whatever the app puts somewhere is found by who may see it, by nobody else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.sandbox.server import SandboxServer
from bot.sandbox.visitor import NewFile

SECRET = "salary of 7 & more"
ESCAPED = "salary of 7 &amp; more"
PEOPLE = ("priya", "marta", "gus", "stella")
BOARD: dict[str, Any] = {"channel": "G0BOARD"}


def plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


def button(**more: Any) -> list[dict[str, Any]]:
    element = {"type": "button", "action_id": "a", "text": plain("x"), **more}
    return [{"type": "actions", "elements": [element]}]


def asks(name: str, **more: Any) -> dict[str, Any]:
    dialog = {name: plain("x") for name in ("title", "text", "confirm", "deny")} | {name: plain(SECRET)}
    return {"confirm": dialog, **more}


def option(**more: Any) -> dict[str, Any]:
    return {"text": plain("x"), "value": "y"} | more


def modal(**more: Any) -> dict[str, Any]:
    return {"type": "modal", "title": plain("x"), "blocks": [], **more}


MESSAGES: dict[str, dict[str, Any]] = {
    "its text": {"text": ESCAPED},
    "a Markdown block": {"blocks": [{"type": "markdown", "text": SECRET}]},
    "a field of a section": {"blocks": [{"type": "section", "fields": [plain(SECRET)]}]},
    "the description of a picture": {"blocks": [{"type": "image", "image_url": "https://x", "alt_text": SECRET}]},
    "a table": {"blocks": [{"type": "table", "rows": [[{"type": "raw_text", "text": SECRET}]]}]},
    "rich text": {
        "blocks": [
            {
                "type": "rich_text",
                "elements": [
                    {"type": "rich_text_section", "elements": [{"type": "text", "text": SECRET}]}
                ],
            }
        ]
    },
    "a button's value": {"blocks": button(value=SECRET)},
    "a button's address": {"blocks": button(url=f"https://x/?q={SECRET}")},
    "a confirmation": {"blocks": button(**asks("text"))},
    "an option's description": {
        "blocks": [
            {
                "type": "actions",
                "elements": [
                    {"type": "static_select", "action_id": "a", "options": [option(description=plain(SECRET))]}
                ],
            }
        ]
    },
    "a block id": {"blocks": [{"type": "divider", "block_id": SECRET}]},
    "its metadata": {"metadata": {"event_type": "answer", "event_payload": {"why": [SECRET]}}},
    "a key of its metadata": {"metadata": {"event_type": "answer", "event_payload": {SECRET: 1}}},
}  # fmt: skip


def readers(sandbox: SandboxServer) -> set[str]:
    """Who can read the secret anywhere."""
    return {
        person
        for person in PEOPLE
        if any(SECRET in text for text in sandbox.visitor.everything_visible_to(person))
    }


@pytest.mark.parametrize("place", MESSAGES)
async def test_a_message_is_searched_everywhere(
    sandbox: SandboxServer, client: AsyncWebClient, place: str
) -> None:
    assert readers(sandbox) == set()
    await client.chat_postMessage(**{**BOARD, "text": "x", **MESSAGES[place]})
    assert readers(sandbox) == {"marta"}


async def in_a_thread(sandbox: SandboxServer, client: AsyncWebClient) -> None:
    root = await sandbox.visitor.post("marta", "board", "hello")
    await client.chat_postMessage(**BOARD, text=ESCAPED, thread_ts=root.ts)


async def for_marta_alone(sandbox: SandboxServer, client: AsyncWebClient) -> None:
    await client.chat_postEphemeral(
        channel="C0GENERAL", user="U0MARTA", text="x", blocks=button(value=SECRET)
    )


async def as_a_status(sandbox: SandboxServer, client: AsyncWebClient) -> None:
    root = await sandbox.visitor.post("marta", "board", "hello")
    await client.assistant_threads_setStatus(
        channel_id="G0BOARD", thread_ts=root.ts, status="is reading", loading_messages=[SECRET]
    )


async def as_a_prompt(sandbox: SandboxServer, client: AsyncWebClient) -> None:
    direct = sandbox.visitor.where("marta", "@ostiary").channel_id
    prompts = [{"title": "x", "message": SECRET}]
    await client.assistant_threads_setSuggestedPrompts(channel_id=direct, thread_ts="", prompts=prompts)


async def as_a_title(sandbox: SandboxServer, client: AsyncWebClient) -> None:
    said = await sandbox.visitor.dm("marta", "hello")
    await client.assistant_threads_setTitle(channel_id=said.channel_id, thread_ts=said.ts, title=SECRET)


async def in_a_home_tab(sandbox: SandboxServer, client: AsyncWebClient) -> None:
    view = {"type": "home", "blocks": [], "private_metadata": SECRET}
    await client.views_publish(user_id="U0MARTA", view=view)


async def as_the_name_of_a_file(sandbox: SandboxServer, client: AsyncWebClient) -> None:
    sandbox.scopes.add("files:write")
    await client.files_upload_v2(channel="G0BOARD", filename="x.txt", content="x", title=SECRET)


async def within_a_file(sandbox: SandboxServer, client: AsyncWebClient) -> None:
    sandbox.scopes.add("files:write")
    await client.files_upload_v2(channel="G0BOARD", filename="x.txt", content=SECRET, title="x")


async def in_a_stream(sandbox: SandboxServer, client: AsyncWebClient) -> None:
    root = await sandbox.visitor.post("marta", "board", "hello")
    recipient: dict[str, Any] = {"recipient_team_id": "T0LANTERN", "recipient_user_id": "U0MARTA"}
    stream = await client.chat_startStream(**BOARD, thread_ts=root.ts, markdown_text="salary of", **recipient)
    await client.chat_appendStream(**BOARD, ts=stream["ts"], markdown_text=" 7 & more")


@pytest.mark.parametrize(
    "put",
    [
        in_a_thread,
        for_marta_alone,
        as_a_status,
        as_a_prompt,
        as_a_title,
        in_a_home_tab,
        as_the_name_of_a_file,
        within_a_file,
        in_a_stream,
    ],
)
async def test_every_other_place_is_searched_too(
    sandbox: SandboxServer,
    listener: Any,
    client: AsyncWebClient,
    put: Callable[[SandboxServer, AsyncWebClient], Awaitable[None]],
) -> None:
    await put(sandbox, client)
    assert readers(sandbox) == shown(sandbox) == {"marta"}


@pytest.mark.parametrize(
    "view",
    [
        modal(private_metadata=SECRET),
        modal(title=plain(SECRET)),
        modal(external_id=SECRET),
        modal(callback_id=SECRET),
        modal(blocks=[{"type": "section", "text": plain(SECRET)}]),
    ],
)
async def test_an_open_modal_is_searched(
    sandbox: SandboxServer, listener: Any, client: AsyncWebClient, view: dict[str, Any]
) -> None:
    await sandbox.visitor.command("marta", "general", "/ingest")
    await client.views_open(trigger_id=listener.heard[-1].payload["trigger_id"], view=view)
    assert readers(sandbox) == {"marta"}
    await sandbox.visitor.close_view("marta", sandbox.visitor.views_open_for("marta")[0].id)
    assert readers(sandbox) == set()


async def test_what_a_menu_offered_is_searched(
    sandbox: SandboxServer, listener: Any, client: AsyncWebClient
) -> None:
    menu = {"type": "external_select", "action_id": "doc", "min_query_length": 0}
    blocks = [{"type": "actions", "elements": [menu]}]
    posted = await client.chat_postMessage(channel="C0GENERAL", text="x", blocks=blocks)
    listener.answer = {"options": [option(text=plain(SECRET))]}
    await sandbox.visitor.suggestions("marta", "doc", channel="general", message_ts=posted["ts"])
    assert readers(sandbox) == {"marta"}


async def test_a_response_to_a_command_is_searched(sandbox: SandboxServer, listener: Any) -> None:
    await sandbox.visitor.command("marta", "general", "/ingest")
    await AsyncWebhookClient(listener.heard[-1].payload["response_url"]).send(text=ESCAPED)
    assert readers(sandbox) == {"marta"}


async def test_a_public_channel_is_read_by_every_full_member_and_by_the_guests_in_it(
    sandbox: SandboxServer, client: AsyncWebClient
) -> None:
    await client.chat_postMessage(channel="C0GENERAL", text=ESCAPED)
    assert readers(sandbox) == {"priya", "marta", "gus"}
    await sandbox.visitor.share_channel("general")
    await sandbox.visitor.invite("general", "stella")
    assert readers(sandbox) == set(PEOPLE)


async def test_what_people_wrote_may_be_left_out(sandbox: SandboxServer) -> None:
    await sandbox.visitor.post("marta", "board", SECRET, files=[NewFile("pay.txt", SECRET.encode())])
    assert readers(sandbox) == {"marta"}
    assert not [
        text for text in sandbox.visitor.everything_visible_to("marta", only_bot=True) if SECRET in text
    ]


async def test_whoever_leaves_or_is_deactivated_reads_nothing_more_of_a_channel(
    sandbox: SandboxServer, client: AsyncWebClient
) -> None:
    await client.chat_postMessage(**BOARD, text=ESCAPED)
    await sandbox.visitor.deactivate("marta")
    assert readers(sandbox) == set()


def shown(sandbox: SandboxServer) -> set[str]:
    """Who was ever shown the secret."""
    return {
        person
        for person in PEOPLE
        if any(SECRET in text for text in sandbox.visitor.everything_shown_to(person))
    }


async def test_what_was_said_and_taken_back_was_shown_all_the_same(
    sandbox: SandboxServer, client: AsyncWebClient
) -> None:
    posted = await client.chat_postMessage(**BOARD, text="x", blocks=button(value=SECRET))
    mark = sandbox.visitor.journal_mark()
    await client.chat_delete(**BOARD, ts=posted["ts"])
    assert (readers(sandbox), shown(sandbox)) == (set(), {"marta"})
    assert sandbox.visitor.everything_shown_to("marta", since=mark) == []


async def test_who_comes_later_reads_what_was_shown_to_others(
    sandbox: SandboxServer, client: AsyncWebClient
) -> None:
    await client.chat_postMessage(**BOARD, text=ESCAPED)
    await sandbox.visitor.invite("board", "priya")
    assert (readers(sandbox), shown(sandbox)) == ({"marta", "priya"}, {"marta"})
    await client.chat_postMessage(**BOARD, text=f"again: {ESCAPED}")
    await sandbox.visitor.leave("priya", "board")
    assert (readers(sandbox), shown(sandbox)) == ({"marta"}, {"marta", "priya"})


async def test_a_closed_modal_and_a_replaced_whisper_were_shown_to_one(
    sandbox: SandboxServer, listener: Any, client: AsyncWebClient
) -> None:
    await sandbox.visitor.command("gus", "general", "/ingest")
    payload = listener.heard[-1].payload
    await client.views_open(trigger_id=payload["trigger_id"], view=modal(private_metadata=SECRET))
    await sandbox.visitor.close_view("gus", sandbox.visitor.views_open_for("gus")[0].id)
    assert (readers(sandbox), shown(sandbox)) == (set(), {"gus"})
    await client.chat_postEphemeral(channel="C0GENERAL", user="U0PRIYA", text=ESCAPED, blocks=button())
    whisper = sandbox.visitor.visible_to("priya", "general")[-1]
    await sandbox.visitor.click("priya", whisper.ts, "general", "a")
    await AsyncWebhookClient(listener.heard[-1].payload["response_url"]).send(delete_original=True)
    assert (readers(sandbox), shown(sandbox)) == (set(), {"gus", "priya"})
