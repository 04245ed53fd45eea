"""Who will see an answer, as the workspace says it: read from Slack each time, and nothing taken for granted."""

import pytest

from auth.rights import Audience
from bot.demo.workspace import workspace_seed
from bot.directory_file import DirectoryFile
from bot.sandbox.seed import PersonSeed
from bot.sandbox.server import SandboxServer
from bot.slack import places
from bot.slack.app import slack_client
from bot.slack.places import Place, read_audience
from tests.scenarios.conftest import OFFICE, Office
from tests.scenarios.test_asking import LEAVE, PATIENCE_S

SHARED = DirectoryFile.model_validate(
    OFFICE.model_dump()
    | {
        "channels": [
            {"channel_id": "C0SHARED", "name": "with-globex", "shared": True, "members": ["pia", "ostiary"]}
        ]
    }
)


async def audience(sandbox: SandboxServer, channel_id: str, kind: str = "channel") -> Audience:
    client = slack_client(sandbox.bot_token, sandbox.api_url)
    return await read_audience(client, Place(channel_id, kind, None), "U0ENZO", sandbox.bot_user_id)


async def test_in_a_direct_message_the_asker_listens_alone(sandbox: SandboxServer) -> None:
    assert await audience(sandbox, "D0WHATEVER", "im") == Audience(frozenset({"U0ENZO"}))


async def test_in_a_private_channel_its_members_and_the_asker_listen(sandbox: SandboxServer) -> None:
    assert await audience(sandbox, "C0PEOPLE") == Audience(frozenset({"U0PIA", "U0ENZO"}))


async def test_a_public_channel_is_open_to_every_member(sandbox: SandboxServer) -> None:
    heard = await audience(sandbox, "C0GUESTS")
    assert heard == Audience(frozenset({"U0PIA", "U0GUS", "U0ENZO"}), every_member=True)


async def test_nobody_is_left_out_where_slack_lists_members_in_pages(
    sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "PAGE", 1)
    assert (await audience(sandbox, "C0GUESTS")).slack_user_ids == {"U0PIA", "U0GUS", "U0ENZO"}


async def test_a_channel_that_slack_does_not_show_has_an_audience_nobody_knows(
    sandbox: SandboxServer,
) -> None:
    assert not (await audience(sandbox, "C0NOWHERE")).complete


async def test_whoever_joined_since_the_last_question_is_listening(sandbox: SandboxServer) -> None:
    before = await audience(sandbox, "C0PEOPLE")
    await sandbox.visitor.invite("#people", "gus")
    assert (await audience(sandbox, "C0PEOPLE")).slack_user_ids - before.slack_user_ids == {"U0GUS"}


async def test_a_channel_shared_with_another_company_has_an_audience_nobody_knows() -> None:
    async with SandboxServer(workspace_seed(SHARED)) as sandbox:
        assert not (await audience(sandbox, "C0SHARED")).complete


@pytest.mark.parametrize("kind", ["outsider", "bot"])
async def test_somebody_from_outside_in_a_channel_leaves_it_nothing_to_hear(
    office: Office, kind: str
) -> None:
    await office.visitor.add_person(PersonSeed("U0OLGA", "olga", "Olga", kind=kind))  # type: ignore[arg-type]
    await office.visitor.invite("#mixed", "olga")
    asked = await office.visitor.post("pia", "#mixed", f"@ostiary {LEAVE}")
    reply = await office.visitor.wait_for_reply("pia", "#mixed", timeout=PATIENCE_S)
    assert reply.ephemeral
    assert "27 days" in reply.plain
    assert not [m for m in office.visitor.visible_to("enzo", "#mixed", asked.ts) if m.by_bot]


async def test_somebody_deactivated_since_then_leaves_a_channel_nothing_to_hear(office: Office) -> None:
    await office.visitor.change_person("enzo", deleted=True)
    asked = await office.visitor.post("pia", "#mixed", f"@ostiary {LEAVE}")
    reply = await office.visitor.wait_for_reply("pia", "#mixed", timeout=PATIENCE_S)
    assert reply.ephemeral
    assert not [
        m for m in office.visitor.visible_to("pia", "#mixed", asked.ts) if m.by_bot and not m.ephemeral
    ]
