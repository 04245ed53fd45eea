"""What is said, to whom it shows, how it changes, and what it would have set off."""

from __future__ import annotations

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.server import SandboxServer


async def test_an_ephemeral_message_shows_to_its_reader_alone(
    sandbox: SandboxServer, client: AsyncWebClient
) -> None:
    asked = await sandbox.visitor.post("priya", "general", "question")
    await client.chat_postEphemeral(channel="C0GENERAL", user="U0PRIYA", thread_ts=asked.ts, text="for you")

    seen = sandbox.visitor.visible_to("priya", "general", asked.ts)
    assert [(message.text, message.ephemeral) for message in seen] == [("question", False), ("for you", True)]
    assert [m.text for m in sandbox.visitor.visible_to("marta", "general", asked.ts)] == ["question"]


async def test_an_ephemeral_message_is_in_no_history_and_cannot_be_updated(
    sandbox: SandboxServer, client: AsyncWebClient
) -> None:
    answer = await client.chat_postEphemeral(channel="C0GENERAL", user="U0PRIYA", text="for you")
    assert (await client.conversations_history(channel="C0GENERAL"))["messages"] == []
    with pytest.raises(SlackApiError, match="message_not_found"):
        await client.chat_update(channel="C0GENERAL", ts=answer["message_ts"], text="changed")


async def test_a_thread_is_told_in_order_and_its_root_counts_the_replies(
    sandbox: SandboxServer, client: AsyncWebClient
) -> None:
    root = await sandbox.visitor.post("priya", "general", "question")
    await client.chat_postMessage(channel="C0GENERAL", thread_ts=root.ts, text="answer")
    await sandbox.visitor.post("marta", "general", "thanks", thread_ts=root.ts)

    replies = (await client.conversations_replies(channel="C0GENERAL", ts=root.ts))["messages"]
    assert [reply["text"] for reply in replies] == ["question", "answer", "thanks"]
    assert replies[0]["reply_count"] == 2
    history = (await client.conversations_history(channel="C0GENERAL"))["messages"]
    assert [message["text"] for message in history] == ["question"]


async def test_history_goes_from_new_to_old_between_two_moments(
    sandbox: SandboxServer, client: AsyncWebClient
) -> None:
    one, two, three = [await sandbox.visitor.post("priya", "general", word) for word in ("1", "2", "3")]
    between = await client.conversations_history(channel="C0GENERAL", oldest=one.ts, latest=three.ts)
    assert [message["ts"] for message in between["messages"]] == [two.ts]
    all_three = await client.conversations_history(
        channel="C0GENERAL", oldest=one.ts, latest=three.ts, inclusive=True, limit=2
    )
    assert [message["text"] for message in all_three["messages"]] == ["3", "2"]
    assert all_three["has_more"]


async def test_metadata_comes_back_when_asked_for(client: AsyncWebClient) -> None:
    metadata = {"event_type": "answer", "event_payload": {"id": "7"}}
    await client.chat_postMessage(channel="C0GENERAL", text="hi", metadata=metadata)
    plain = (await client.conversations_history(channel="C0GENERAL"))["messages"][0]
    full = (await client.conversations_history(channel="C0GENERAL", include_all_metadata=True))["messages"][0]
    assert "metadata" not in plain
    assert full["metadata"] == metadata


async def test_the_bot_changes_and_deletes_only_its_own_words(
    sandbox: SandboxServer, client: AsyncWebClient
) -> None:
    theirs = await sandbox.visitor.post("priya", "general", "mine")
    own = await client.chat_postMessage(channel="C0GENERAL", text="first")
    await client.chat_update(channel="C0GENERAL", ts=own["ts"], text="second")
    seen = sandbox.visitor.visible_to("priya", "general")[-1]
    assert (seen.text, seen.edited) == ("second", True)

    with pytest.raises(SlackApiError, match="cant_update_message"):
        await client.chat_update(channel="C0GENERAL", ts=theirs.ts, text="no")
    with pytest.raises(SlackApiError, match="cant_delete_message"):
        await client.chat_delete(channel="C0GENERAL", ts=theirs.ts)
    await client.chat_delete(channel="C0GENERAL", ts=own["ts"])
    assert [message.text for message in sandbox.visitor.visible_to("priya", "general")] == ["mine"]


async def test_an_update_may_hold_less_than_a_message(client: AsyncWebClient) -> None:
    own = await client.chat_postMessage(channel="C0GENERAL", text="x" * 4_001)
    with pytest.raises(SlackApiError, match="msg_too_long"):
        await client.chat_update(channel="C0GENERAL", ts=own["ts"], text="x" * 4_001)


async def test_invalid_blocks_come_back_with_reasons(client: AsyncWebClient) -> None:
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3_001}}]
    with pytest.raises(SlackApiError) as refused:
        await client.chat_postMessage(channel="C0GENERAL", text="hi", blocks=blocks)
    assert refused.value.response["error"] == "invalid_blocks"
    reasons = refused.value.response["response_metadata"]["messages"]
    assert reasons == ["[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]"]


async def test_editing_and_deleting_are_told_to_the_app(sandbox: SandboxServer, listener: Any) -> None:
    said = await sandbox.visitor.post("priya", "general", "frist")
    await sandbox.visitor.edit("priya", "general", said.ts, "first")
    await sandbox.visitor.delete("priya", "general", said.ts)
    await sandbox.visitor.wait_for(lambda: len(listener.events("message")) == 3)

    _, changed, deleted = [request.payload["event"] for request in listener.events("message")]
    assert changed["subtype"] == "message_changed"
    assert (changed["previous_message"]["text"], changed["message"]["text"]) == ("frist", "first")
    assert (deleted["subtype"], deleted["deleted_ts"]) == ("message_deleted", said.ts)
    assert sandbox.visitor.visible_to("priya", "general") == ()


async def test_the_app_hears_nothing_from_channels_it_is_not_in(
    sandbox: SandboxServer, listener: Any
) -> None:
    await sandbox.visitor.post("priya", "random", "@ostiary hello?")
    await sandbox.visitor.dm("priya", "over here")
    await sandbox.visitor.wait_for(lambda: listener.events("message"))

    assert [request.payload["event"]["text"] for request in listener.events("message")] == ["over here"]
    assert listener.events("app_mention") == []
    hint = sandbox.visitor.visible_to("priya", "random")[-1]
    assert hint.ephemeral
    assert "not in this channel" in hint.text


async def test_the_app_hears_only_what_it_subscribed_to(sandbox: SandboxServer, listener: Any) -> None:
    sandbox.subscriptions.discard("message.channels")
    await sandbox.visitor.post("priya", "general", "@ostiary hello")
    await sandbox.visitor.dm("priya", "done")
    await sandbox.visitor.wait_for(lambda: listener.events("message"))

    assert [r.payload["event"]["channel_type"] for r in listener.events("message")] == ["im"]
    assert len(listener.events("app_mention")) == 1


async def test_pings_in_the_bots_words_are_on_record(sandbox: SandboxServer, client: AsyncWebClient) -> None:
    block = {"type": "markdown", "text": "see <!subteam^S0ENG> and <!channel>"}
    await client.chat_postMessage(channel="C0GENERAL", text="<@U0PRIYA> hi", blocks=[block])
    assert {(ping.kind, ping.target) for ping in sandbox.notifications} == {
        ("user", "U0PRIYA"),
        ("subteam", "S0ENG"),
        ("channel", "channel"),
    }


async def test_escaped_pings_are_not_pings(sandbox: SandboxServer, client: AsyncWebClient) -> None:
    await client.chat_postMessage(channel="C0GENERAL", text="&lt;!channel&gt; @here &lt;@U0PRIYA&gt;")
    await sandbox.visitor.post("priya", "general", "literally <!channel>")
    assert sandbox.notifications == []


async def test_links_would_be_fetched_unless_both_unfurls_are_off(
    sandbox: SandboxServer, client: AsyncWebClient
) -> None:
    quiet: dict[str, Any] = {"unfurl_links": False, "unfurl_media": False}
    await client.chat_postMessage(channel="C0GENERAL", text="https://example.com/quiet", **quiet)
    assert sandbox.unfurls == []
    await client.chat_postMessage(channel="C0GENERAL", text="<https://example.com/a|a>", unfurl_links=False)
    assert [unfurl.url for unfurl in sandbox.unfurls] == ["https://example.com/a"]


async def test_a_picture_is_fetched_whatever_the_flags_say(
    sandbox: SandboxServer, client: AsyncWebClient
) -> None:
    picture = {"type": "image", "image_url": "https://example.com/p.png?secret", "alt_text": "p"}
    await client.chat_postMessage(
        channel="C0GENERAL", text="hi", blocks=[picture], unfurl_links=False, unfurl_media=False
    )
    assert [(u.kind, u.url) for u in sandbox.unfurls] == [("image", "https://example.com/p.png?secret")]


async def test_a_permalink_names_channel_and_message(sandbox: SandboxServer, client: AsyncWebClient) -> None:
    said = await sandbox.visitor.post("priya", "general", "hi")
    link = (await client.chat_getPermalink(channel="C0GENERAL", message_ts=said.ts))["permalink"]
    assert link == f"{sandbox.url}archives/C0GENERAL/p{said.ts.replace('.', '')}"


async def test_reactions_are_added_once_and_removed(sandbox: SandboxServer, client: AsyncWebClient) -> None:
    said = await sandbox.visitor.post("priya", "general", "hi")
    where = {"channel": "C0GENERAL", "timestamp": said.ts, "name": "eyes"}
    await client.reactions_add(**where)
    with pytest.raises(SlackApiError, match="already_reacted"):
        await client.reactions_add(**where)
    assert sandbox.visitor.visible_to("priya", "general")[0].reactions == {"eyes": (sandbox.bot_user_id,)}
    await client.reactions_remove(**where)
    with pytest.raises(SlackApiError, match="no_reaction"):
        await client.reactions_remove(**where)


async def test_a_status_ends_with_the_bots_next_message_in_the_thread(
    sandbox: SandboxServer, client: AsyncWebClient
) -> None:
    asked = await sandbox.visitor.dm("priya", "hi")
    where: dict[str, Any] = {"channel_id": asked.channel_id, "thread_ts": asked.ts}
    await client.assistant_threads_setStatus(**where, status="is reading…")
    assert [status.text for status in sandbox.visitor.statuses("priya")] == ["is reading…"]
    assert sandbox.visitor.statuses("marta") == ()
    await client.chat_postMessage(channel=asked.channel_id, thread_ts=asked.ts, text="done")
    assert sandbox.visitor.statuses("priya") == ()


async def test_a_status_is_forgotten_after_two_minutes(
    sandbox: SandboxServer, client: AsyncWebClient, clock: Any
) -> None:
    asked = await sandbox.visitor.dm("priya", "hi")
    where: dict[str, Any] = {"channel_id": asked.channel_id, "thread_ts": asked.ts}
    await client.assistant_threads_setStatus(**where, status="is reading…")
    clock.advance(121)
    assert sandbox.visitor.statuses("priya") == ()


async def test_suggested_prompts_show_in_the_direct_message(
    sandbox: SandboxServer, client: AsyncWebClient
) -> None:
    said = await sandbox.visitor.dm("priya", "hi")
    prompts = [{"title": "Leave", "message": "How much leave?"}]
    await client.assistant_threads_setSuggestedPrompts(
        channel_id=said.channel_id, thread_ts="", prompts=prompts
    )
    assert sandbox.visitor.prompts("priya") == tuple(prompts)
    with pytest.raises(SlackApiError, match="invalid_arguments"):
        await client.assistant_threads_setSuggestedPrompts(
            channel_id=said.channel_id, thread_ts="", prompts=prompts * 5
        )


async def test_a_stream_grows_under_the_readers_eyes_and_ends(
    sandbox: SandboxServer, client: AsyncWebClient
) -> None:
    asked = await sandbox.visitor.dm("priya", "hi")
    stream = await client.chat_stream(channel=asked.channel_id, thread_ts=asked.ts, buffer_size=1)
    await stream.append(markdown_text="Ten ")
    await stream.append(markdown_text="days.")
    growing = sandbox.visitor.visible_to("priya", "@ostiary", asked.ts)[-1]
    assert (growing.text, growing.streaming) == ("Ten days.", True)

    await stream.stop(markdown_text=" Bye.")
    done = sandbox.visitor.visible_to("priya", "@ostiary", asked.ts)[-1]
    assert (done.text, done.streaming) == ("Ten days. Bye.", False)
    with pytest.raises(SlackApiError, match="message_not_in_streaming_state"):
        await client.chat_appendStream(channel=asked.channel_id, ts=done.ts, markdown_text="more")


async def test_a_stream_cannot_be_updated_until_it_has_ended_by_itself(
    sandbox: SandboxServer, client: AsyncWebClient, clock: Any
) -> None:
    asked = await sandbox.visitor.dm("priya", "hi")
    ts = (await client.chat_startStream(channel=asked.channel_id, thread_ts=asked.ts))["ts"]
    with pytest.raises(SlackApiError, match="streaming_state_conflict"):
        await client.chat_update(channel=asked.channel_id, ts=ts, text="whole")
    clock.advance(301)
    with pytest.raises(SlackApiError, match="message_not_in_streaming_state"):
        await client.chat_appendStream(channel=asked.channel_id, ts=ts, markdown_text="more")
    await client.chat_update(channel=asked.channel_id, ts=ts, text="whole")
    assert sandbox.visitor.visible_to("priya", "@ostiary", asked.ts)[-1].plain == "whole"


async def test_a_stream_in_a_channel_needs_to_know_for_whom(
    sandbox: SandboxServer, client: AsyncWebClient
) -> None:
    asked = await sandbox.visitor.post("priya", "general", "hi")
    with pytest.raises(SlackApiError, match="missing_recipient_team_id"):
        await client.chat_startStream(channel="C0GENERAL", thread_ts=asked.ts)
