"""`/gaps` in Slack: for those who own documents, and administrators, what found nothing where they read."""

from tests.scenarios.conftest import Office

CHAIRS = "Which chairs may I order for the canteen?"
PATIENCE_S = 60


async def gaps(office: Office, words: str, person: str = "pia") -> str:
    """What somebody is told, whom nobody else hears."""
    before = max((message.ts for message in office.visitor.visible_to(person, "#general")), default="")
    assert (await office.visitor.command(person, "#general", "/gaps", words)).acknowledged
    answer = await office.visitor.wait_for_reply(person, "#general", after=before, timeout=PATIENCE_S)
    assert answer.ephemeral
    return answer.plain


async def test_an_administrator_is_shown_what_found_nothing_and_marks_it(office: Office) -> None:
    await office.visitor.post("enzo", "#general", f"@ostiary {CHAIRS}")
    await office.visitor.wait_for_reply("enzo", "#general", timeout=PATIENCE_S)
    await office.visitor.dm("enzo", "Where does the ferry to Texel leave?")
    await office.visitor.wait_for_reply("enzo", "@ostiary", timeout=PATIENCE_S)
    listed = await gaps(office, "")
    assert CHAIRS in listed
    assert "asked once, last on" in listed
    assert "ferry" not in listed
    number = listed.split(CHAIRS)[0].split()[-1].strip("*")
    assert f"`/gaps reopen {number}`" in await gaps(office, f"answered {number}")
    assert CHAIRS not in await gaps(office, "")
    assert "on the list again" in await gaps(office, f"reopen {number}")
    assert "`/gaps answered 17`" in await gaps(office, "answered")


async def test_whoever_owns_nothing_is_told_who_may(office: Office) -> None:
    assert "own documents" in await gaps(office, "", "enzo")
