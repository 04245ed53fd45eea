"""The home tab, the pane, forms and follow-ups: each shows what one person may read, and no more."""

from sqlalchemy import text

from bot.directory_file import load_directory
from bot.sandbox.seen import SeenView
from bot.slack.home_views import ASK, NOTHING
from bot.slack.question_forms import QUESTION
from tests.scenarios.conftest import Office, without_roles

LEAVE = "How many days of paid leave do employees receive?"
PATIENCE_S = 60


async def home_of(office: Office, person: str) -> SeenView:
    before = len([call for call in office.sandbox.calls if call.method == "views.publish"])
    await office.visitor.open_home(person)
    await office.visitor.wait_for(
        lambda: len([call for call in office.sandbox.calls if call.method == "views.publish"]) > before,
        PATIENCE_S,
    )
    home = office.visitor.home_of(person)
    assert home is not None
    return home


async def test_the_home_tab_names_what_somebody_may_ask_about_and_no_more(parrot_office: Office) -> None:
    office = parrot_office
    pia, enzo, gus = [await home_of(office, person) for person in ("pia", "enzo", "gus")]
    assert "Salary bands" in pia.plain
    assert "How it goes" in pia.plain
    assert "Leave" in enzo.plain
    assert "Salary bands" not in enzo.plain
    assert "How it goes" not in enzo.plain
    assert NOTHING in gus.plain
    await load_directory(office.database, without_roles("pia"))
    assert "Salary bands" not in (await home_of(office, "pia")).plain


async def test_the_home_tab_shows_ones_own_questions_alone(parrot_office: Office) -> None:
    office = parrot_office
    await office.visitor.dm("pia", "What do the salary bands say?")
    await office.visitor.wait_for_reply("pia", "@ostiary", timeout=PATIENCE_S)
    assert "What do the salary bands say?" in (await home_of(office, "pia")).plain
    assert "What do the salary bands say?" not in (await home_of(office, "enzo")).plain


async def test_what_is_suggested_is_answered_and_names_only_what_may_be_read(parrot_office: Office) -> None:
    office = parrot_office
    await office.visitor.open_dm("enzo")
    await office.visitor.wait_for(
        lambda: any(call.method == "assistant.threads.setSuggestedPrompts" for call in office.sandbox.calls),
        PATIENCE_S,
    )
    prompts = office.visitor.prompts("enzo")
    assert not any("alary" in prompt["message"] for prompt in prompts)
    await office.visitor.dm("enzo", prompts[0]["message"])
    reply = await office.visitor.wait_for_reply("enzo", "@ostiary", timeout=PATIENCE_S)
    assert "27 days" in reply.plain


async def test_a_question_asked_by_the_form_is_answered_in_private(office: Office) -> None:
    await office.visitor.global_shortcut("enzo", "ask_ostiary")
    await office.visitor.wait_for(lambda: office.visitor.views_open_for("enzo"), PATIENCE_S)
    (form,) = office.visitor.views_open_for("enzo")
    await office.visitor.submit_view("enzo", form.id, {QUESTION: LEAVE})
    reply = await office.visitor.wait_for_reply("enzo", "@ostiary", containing="27 days", timeout=PATIENCE_S)
    assert reply.thread_ts is not None


async def test_a_message_can_be_asked_about(parrot_office: Office) -> None:
    office = parrot_office
    said = await office.visitor.post("pia", "#general", LEAVE)
    await office.visitor.shortcut("enzo", said.ts, "#general", "ask_about_this")
    await office.visitor.wait_for(lambda: office.visitor.views_open_for("enzo"), PATIENCE_S)
    (form,) = office.visitor.views_open_for("enzo")
    fields = [block["element"] for block in form.blocks if block["type"] == "input"]
    assert fields[0]["initial_value"] == LEAVE
    await office.visitor.submit_view("enzo", form.id, {})
    await office.visitor.wait_for_reply("enzo", "@ostiary", containing="27 days", timeout=PATIENCE_S)


async def test_whoever_asked_asks_on_in_the_thread_without_a_mention(parrot_office: Office) -> None:
    office = parrot_office
    asked = await office.visitor.post("pia", "#general", f"@ostiary {LEAVE}")
    first = await office.visitor.wait_for_reply("pia", "#general", asked.ts, timeout=PATIENCE_S)
    await office.visitor.post("enzo", "#general", "Do employees know?", thread_ts=asked.ts)
    await office.visitor.post("pia", "#general", "Good leave.", thread_ts=asked.ts)
    await office.visitor.post("pia", "#general", "And how many employees?", thread_ts=asked.ts)
    await office.visitor.wait_for_reply("pia", "#general", asked.ts, after=first.ts, timeout=PATIENCE_S)
    async with office.database.writing_in(office.workspace_id) as connection:
        said = await connection.execute(text("SELECT text FROM bot.question ORDER BY id"))
        assert list(said.scalars()) == [LEAVE, "And how many employees?"]


async def test_the_button_of_the_home_tab_opens_the_form(parrot_office: Office) -> None:
    office = parrot_office
    home = await home_of(office, "enzo")
    await office.visitor.act_in_view("enzo", home.id, ASK)
    await office.visitor.wait_for(lambda: office.visitor.views_open_for("enzo"), PATIENCE_S)
