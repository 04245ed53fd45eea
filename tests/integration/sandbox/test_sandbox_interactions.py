"""Commands, buttons, modals and response URLs."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.sandbox.server import SandboxServer
from bot.sandbox.visitor import VisitorError


def plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


FORM: dict[str, Any] = {
    "type": "modal",
    "callback_id": "add",
    "private_metadata": "job-7",
    "notify_on_close": True,
    "title": plain("Add a document"),
    "submit": plain("Add"),
    "blocks": [
        {
            "type": "input",
            "block_id": "title",
            "label": plain("Title"),
            "element": {"type": "plain_text_input", "action_id": "words"},
        },
        {
            "type": "input",
            "block_id": "readers",
            "label": plain("Readers"),
            "element": {
                "type": "multi_static_select",
                "action_id": "roles",
                "options": [{"text": plain(role), "value": role} for role in ("staff", "finance")],
            },
        },
    ],
}
BUTTONS: list[dict[str, Any]] = [
    {
        "type": "actions",
        "elements": [{"type": "button", "action_id": "more", "text": plain("More"), "value": "answer-3"}],
    }
]


async def open_form(sandbox: SandboxServer, app: AsyncApp, client: AsyncWebClient) -> str:
    """Let Priya run /ingest in an app that opens the form; returns the view's id."""

    @app.command("/ingest")
    async def ingest(ack: Any, body: dict[str, Any]) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=FORM)

    await sandbox.visitor.command("priya", "general", "/ingest", "x")
    views = await sandbox.visitor.wait_for(lambda: sandbox.visitor.views_open_for("priya"))
    return views[0].id


async def test_a_command_carries_who_where_and_what(sandbox: SandboxServer, listener: Any) -> None:
    await sandbox.visitor.command("marta", "#board", "/ingest", "https://example.com <b> & more")
    payload = listener.heard[0].payload
    assert listener.heard[0].type == "slash_commands"
    assert (payload["user_id"], payload["channel_id"], payload["channel_name"]) == (
        "U0MARTA",
        "G0BOARD",
        "privategroup",
    )
    assert payload["text"] == "https://example.com <b> & more"


async def test_words_sent_with_the_acknowledgement_show_to_the_sender_alone(
    sandbox: SandboxServer, listener: Any
) -> None:
    listener.answer = {"text": "Working on it."}
    await sandbox.visitor.command("priya", "general", "/ingest", "x")
    assert [m.text for m in sandbox.visitor.visible_to("priya", "general")] == ["Working on it."]
    assert sandbox.visitor.visible_to("marta", "general") == ()


async def test_an_unknown_command_never_reaches_the_app(sandbox: SandboxServer, listener: Any) -> None:
    outcome = await sandbox.visitor.command("priya", "general", "/dance")
    assert outcome.error == "unknown_command"
    assert listener.heard == []


async def test_a_form_is_filled_in_and_submitted(
    sandbox: SandboxServer, connected: AsyncApp, client: AsyncWebClient
) -> None:
    submitted: list[dict[str, Any]] = []

    @connected.view("add")
    async def add(ack: Any, body: dict[str, Any], view: dict[str, Any]) -> None:
        submitted.append(view)
        await ack()

    view_id = await open_form(sandbox, connected, client)
    outcome = await sandbox.visitor.submit_view(
        "priya", view_id, {"title": "Leave", "readers": ["staff", "finance"]}
    )

    assert outcome.acknowledged
    assert sandbox.visitor.views_open_for("priya") == ()
    view = submitted[0]
    assert view["private_metadata"] == "job-7"
    assert view["state"]["values"]["title"]["words"]["value"] == "Leave"
    chosen = view["state"]["values"]["readers"]["roles"]["selected_options"]
    assert [option["value"] for option in chosen] == ["staff", "finance"]


async def test_a_required_field_left_empty_never_reaches_the_app(
    sandbox: SandboxServer, connected: AsyncApp, client: AsyncWebClient
) -> None:
    view_id = await open_form(sandbox, connected, client)
    outcome = await sandbox.visitor.submit_view("priya", view_id, {"title": "Leave"})
    assert outcome.field_errors == {"readers": "Please complete this required field."}
    assert sandbox.visitor.views_open_for("priya")[0].errors == outcome.field_errors


async def test_the_app_refuses_a_field_and_the_form_stays(
    sandbox: SandboxServer, connected: AsyncApp, client: AsyncWebClient
) -> None:
    @connected.view("add")
    async def add(ack: Any) -> None:
        await ack(response_action="errors", errors={"title": "That title is taken."})

    view_id = await open_form(sandbox, connected, client)
    outcome = await sandbox.visitor.submit_view("priya", view_id, {"title": "Leave", "roles": "staff"})
    assert outcome.field_errors == {"title": "That title is taken."}
    assert sandbox.visitor.views_open_for("priya")[0].errors == {"title": "That title is taken."}


async def test_a_form_is_replaced_by_the_apps_answer(
    sandbox: SandboxServer, connected: AsyncApp, client: AsyncWebClient
) -> None:
    @connected.view("add")
    async def add(ack: Any) -> None:
        done = {"type": "modal", "title": plain("Done"), "blocks": []}
        await ack(response_action="update", view=done)

    view_id = await open_form(sandbox, connected, client)
    await sandbox.visitor.submit_view("priya", view_id, {"title": "Leave", "roles": "staff"})
    view = sandbox.visitor.views_open_for("priya")[0]
    assert (view.id, view.title) == (view_id, "Done")


async def test_an_unacknowledged_form_stays_and_says_so(
    sandbox: SandboxServer, listener: Any, client: AsyncWebClient
) -> None:
    await sandbox.visitor.command("priya", "general", "/ingest")
    opened = await client.views_open(trigger_id=listener.heard[0].payload["trigger_id"], view=FORM)
    listener.acknowledges = lambda request: False
    outcome = await sandbox.visitor.submit_view(
        "priya", opened["view"]["id"], {"title": "Leave", "roles": "staff"}
    )
    assert outcome.error == "operation_timeout"
    assert "trouble connecting" in sandbox.visitor.views_open_for("priya")[0].errors[""]


async def test_closing_a_form_is_told_to_the_app(
    sandbox: SandboxServer, connected: AsyncApp, client: AsyncWebClient
) -> None:
    closed: list[str] = []

    @connected.view_closed("add")
    async def close(ack: Any, view: dict[str, Any]) -> None:
        await ack()
        closed.append(view["private_metadata"])

    view_id = await open_form(sandbox, connected, client)
    await sandbox.visitor.close_view("priya", view_id)
    await sandbox.visitor.wait_for(lambda: closed)
    assert closed == ["job-7"]
    assert sandbox.visitor.views_open_for("priya") == ()


async def test_nobody_submits_anothers_form(
    sandbox: SandboxServer, connected: AsyncApp, client: AsyncWebClient
) -> None:
    view_id = await open_form(sandbox, connected, client)
    with pytest.raises(VisitorError, match="Marta Lind has no view"):
        await sandbox.visitor.submit_view("marta", view_id)


async def test_a_trigger_expires_after_three_seconds(
    sandbox: SandboxServer, listener: Any, client: AsyncWebClient, clock: Any
) -> None:
    await sandbox.visitor.command("priya", "general", "/ingest")
    clock.advance(3.1)
    with pytest.raises(SlackApiError, match="expired_trigger_id"):
        await client.views_open(trigger_id=listener.heard[0].payload["trigger_id"], view=FORM)


async def test_a_trigger_opens_one_view(
    sandbox: SandboxServer, listener: Any, client: AsyncWebClient
) -> None:
    await sandbox.visitor.command("priya", "general", "/ingest")
    trigger_id = listener.heard[0].payload["trigger_id"]
    await client.views_open(trigger_id=trigger_id, view=FORM)
    with pytest.raises(SlackApiError, match="exchanged_trigger_id"):
        await client.views_open(trigger_id=trigger_id, view=FORM)


async def test_a_view_is_updated_only_with_the_current_hash(
    sandbox: SandboxServer, listener: Any, client: AsyncWebClient
) -> None:
    await sandbox.visitor.command("priya", "general", "/ingest")
    opened = await client.views_open(trigger_id=listener.heard[0].payload["trigger_id"], view=FORM)
    view_id, first = opened["view"]["id"], opened["view"]["hash"]
    await client.views_update(view_id=view_id, hash=first, view=FORM | {"title": plain("Second")})
    with pytest.raises(SlackApiError, match="hash_conflict"):
        await client.views_update(view_id=view_id, hash=first, view=FORM)
    assert sandbox.visitor.views_open_for("priya")[0].title == "Second"


async def test_a_button_says_who_pressed_it_where(
    sandbox: SandboxServer, listener: Any, client: AsyncWebClient
) -> None:
    posted = await client.chat_postMessage(channel="C0GENERAL", text="hi", blocks=BUTTONS)
    outcome = await sandbox.visitor.click("marta", posted["ts"], "general", "more")

    payload = next(request for request in listener.heard if request.type == "interactive").payload
    assert outcome.acknowledged
    assert (payload["type"], payload["user"]["id"]) == ("block_actions", "U0MARTA")
    assert (payload["actions"][0]["action_id"], payload["actions"][0]["value"]) == ("more", "answer-3")
    assert payload["message"]["ts"] == posted["ts"]
    assert payload["container"] == {
        "type": "message",
        "message_ts": posted["ts"],
        "channel_id": "C0GENERAL",
        "is_ephemeral": False,
    }


async def test_a_button_on_an_ephemeral_message_comes_without_the_message(
    sandbox: SandboxServer, listener: Any, client: AsyncWebClient
) -> None:
    posted = await client.chat_postEphemeral(channel="C0GENERAL", user="U0PRIYA", text="hi", blocks=BUTTONS)
    await sandbox.visitor.click("priya", posted["message_ts"], "general", "more")
    payload = listener.heard[-1].payload
    assert payload["container"]["is_ephemeral"]
    assert "message" not in payload
    with pytest.raises(VisitorError, match="Marta Lind sees no message"):
        await sandbox.visitor.click("marta", posted["message_ts"], "general", "more")


async def test_feedback_says_which_way(sandbox: SandboxServer, listener: Any, client: AsyncWebClient) -> None:
    buttons = {
        "type": "feedback_buttons",
        "action_id": "feedback",
        "positive_button": {"text": plain("Good"), "value": "good-3"},
        "negative_button": {"text": plain("Bad"), "value": "bad-3"},
    }
    blocks = [{"type": "context_actions", "elements": [buttons]}]
    posted = await client.chat_postMessage(channel="C0GENERAL", text="hi", blocks=blocks)
    await sandbox.visitor.click("priya", posted["ts"], "general", "feedback", "bad-3")
    action = listener.heard[-1].payload["actions"][0]
    assert (action["type"], action["value"]) == ("feedback_buttons", "bad-3")


async def test_a_response_url_answers_five_times(sandbox: SandboxServer, listener: Any) -> None:
    await sandbox.visitor.command("priya", "general", "/ingest")
    url = AsyncWebhookClient(listener.heard[0].payload["response_url"])
    statuses = [(await url.send(text=f"step {step}")).status_code for step in range(6)]
    assert statuses == [200] * 5 + [404]
    assert len(sandbox.visitor.visible_to("priya", "general")) == 5
    assert sandbox.visitor.visible_to("marta", "general") == ()


async def test_a_response_url_ends_after_half_an_hour(
    sandbox: SandboxServer, listener: Any, clock: Any
) -> None:
    await sandbox.visitor.command("priya", "general", "/ingest")
    clock.advance(30 * 60 + 1)
    answer = await AsyncWebhookClient(listener.heard[0].payload["response_url"]).send(text="late")
    assert answer.status_code == 404
    assert "expired_url" in answer.body


async def test_a_response_may_be_for_the_whole_channel(sandbox: SandboxServer, listener: Any) -> None:
    await sandbox.visitor.command("priya", "general", "/ingest")
    url = AsyncWebhookClient(listener.heard[0].payload["response_url"])
    await url.send(text="for all", response_type="in_channel")
    assert [m.text for m in sandbox.visitor.visible_to("marta", "general")] == ["for all"]


async def test_an_ephemeral_message_is_replaced_and_deleted_by_its_response_url_alone(
    sandbox: SandboxServer, listener: Any, client: AsyncWebClient
) -> None:
    posted = await client.chat_postEphemeral(channel="C0GENERAL", user="U0PRIYA", text="hi", blocks=BUTTONS)
    await sandbox.visitor.click("priya", posted["message_ts"], "general", "more")
    url = AsyncWebhookClient(listener.heard[-1].payload["response_url"])
    await url.send(text="replaced", replace_original=True)
    assert [m.text for m in sandbox.visitor.visible_to("priya", "general")] == ["replaced"]
    await url.send(delete_original=True)
    assert sandbox.visitor.visible_to("priya", "general") == ()


async def test_an_address_that_was_never_issued_answers_nothing(sandbox: SandboxServer) -> None:
    async with aiohttp.ClientSession() as session:
        answer = await session.post(f"{sandbox.url}response/guess", json={"text": "hi"})
        assert answer.status == 404


async def test_the_home_tab_is_published_and_pressed(
    sandbox: SandboxServer, listener: Any, client: AsyncWebClient
) -> None:
    await sandbox.visitor.open_home("priya")
    await sandbox.visitor.wait_for(lambda: listener.events("app_home_opened"))
    assert listener.events("app_home_opened")[0].payload["event"]["tab"] == "home"
    await client.views_publish(user_id="U0PRIYA", view={"type": "home", "blocks": BUTTONS})
    home = sandbox.visitor.home_of("priya")
    assert home is not None
    assert sandbox.visitor.home_of("marta") is None
    await sandbox.visitor.act_in_view("priya", home.id, "more")
    assert listener.heard[-1].payload["view"]["type"] == "home"


async def test_an_app_answers_a_click_on_an_ephemeral_message_again_and_again(
    sandbox: SandboxServer, connected: AsyncApp, client: AsyncWebClient
) -> None:
    @connected.action("more")
    async def more(ack: Any, respond: Any) -> None:
        await ack()
        await respond(replace_original=True, text="step", blocks=[*BUTTONS, *step("one more")])
        await respond(replace_original=False, text="and a new one")

    posted = await client.chat_postEphemeral(channel="C0GENERAL", user="U0PRIYA", text="hi", blocks=BUTTONS)
    for count in (2, 3):  # the button is there again after each click
        await sandbox.visitor.click("priya", posted["message_ts"], "general", "more")
        await sandbox.visitor.wait_for(
            lambda count=count: len(sandbox.visitor.visible_to("priya", "general")) == count  # type: ignore[misc]
        )
    seen = sandbox.visitor.visible_to("priya", "general")
    assert seen[0].ts == posted["message_ts"]
    assert "one more" in seen[0].plain
    assert [message.text for message in seen[1:]] == ["and a new one"] * 2
    assert sandbox.visitor.visible_to("marta", "general") == ()


def step(words: str) -> list[dict[str, Any]]:
    return [{"type": "section", "text": plain(words)}]


async def test_an_app_deletes_the_ephemeral_message_that_was_clicked(
    sandbox: SandboxServer, connected: AsyncApp, client: AsyncWebClient
) -> None:
    @connected.action("more")
    async def more(ack: Any, respond: Any) -> None:
        await ack()
        await respond(delete_original=True)

    posted = await client.chat_postEphemeral(channel="C0GENERAL", user="U0PRIYA", text="hi", blocks=BUTTONS)
    await sandbox.visitor.click("priya", posted["message_ts"], "general", "more")
    await sandbox.visitor.wait_for(lambda: not sandbox.visitor.visible_to("priya", "general"))


async def test_the_address_of_a_click_answers_five_times(
    sandbox: SandboxServer, listener: Any, client: AsyncWebClient
) -> None:
    posted = await client.chat_postEphemeral(channel="C0GENERAL", user="U0PRIYA", text="hi", blocks=BUTTONS)
    await sandbox.visitor.click("priya", posted["message_ts"], "general", "more")
    first = AsyncWebhookClient(listener.heard[-1].payload["response_url"])
    said = [(await first.send(text=f"step {n}", replace_original=True)).status_code for n in range(6)]
    assert said == [200] * 5 + [404]


async def test_no_method_reaches_an_ephemeral_message(sandbox: SandboxServer, client: AsyncWebClient) -> None:
    posted = await client.chat_postEphemeral(channel="C0GENERAL", user="U0PRIYA", text="hi")
    with pytest.raises(SlackApiError, match="message_not_found"):
        await client.chat_update(channel="C0GENERAL", ts=posted["message_ts"], text="other")
    with pytest.raises(SlackApiError, match="message_not_found"):
        await client.chat_delete(channel="C0GENERAL", ts=posted["message_ts"])
    assert [message.text for message in sandbox.visitor.visible_to("priya", "general")] == ["hi"]


async def test_a_global_shortcut_knows_who_chose_it_and_opens_a_modal(
    sandbox: SandboxServer, connected: AsyncApp, client: AsyncWebClient
) -> None:
    chosen: list[dict[str, Any]] = []

    @connected.shortcut("ask")
    async def ask(ack: Any, shortcut: dict[str, Any]) -> None:
        await ack()
        chosen.append(shortcut)
        title = {"type": "plain_text", "text": "Ask"}
        view = {"type": "modal", "title": title, "blocks": [{"type": "divider"}]}
        await client.views_open(trigger_id=shortcut["trigger_id"], view=view)

    outcome = await sandbox.visitor.global_shortcut("gus", "ask")
    await sandbox.visitor.wait_for(lambda: sandbox.visitor.views_open_for("gus"))
    assert (outcome.acknowledged, chosen[0]["user"]["id"], "channel" in chosen[0]) == (True, "U0GUS", False)
    with pytest.raises(VisitorError, match="no global shortcut"):
        await sandbox.visitor.global_shortcut("gus", "sing")


async def test_feedback_arrives_with_the_side_that_was_pressed(
    sandbox: SandboxServer, connected: AsyncApp, client: AsyncWebClient
) -> None:
    pressed: list[dict[str, Any]] = []

    @connected.action("judged")
    async def judged(ack: Any, body: dict[str, Any]) -> None:
        await ack()
        pressed.append(body)

    def side(words: str, value: str) -> dict[str, Any]:
        return {"text": {"type": "plain_text", "text": words}, "value": value}

    buttons = {
        "type": "feedback_buttons",
        "action_id": "judged",
        "positive_button": side("Good", "good"),
        "negative_button": side("Bad", "bad"),
    }
    blocks = [{"type": "context_actions", "elements": [buttons]}]
    said = await client.chat_postMessage(channel="C0GENERAL", text="Ten days.", blocks=blocks)
    await sandbox.visitor.click("gus", said["ts"], "general", "judged", "bad")
    [body] = pressed
    [action] = body["actions"]
    assert (action["type"], action["value"], body["user"]["id"]) == ("feedback_buttons", "bad", "U0GUS")
    assert body["message"]["ts"] == said["ts"]
    with pytest.raises(VisitorError, match="no value"):
        await sandbox.visitor.click("gus", said["ts"], "general", "judged", "so-so")
