"""Who sees which channel; people who come, go and change; files; what a restart keeps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.seed import PersonSeed, WorkspaceSeed
from bot.sandbox.server import SandboxPortTaken, SandboxServer
from bot.sandbox.visitor import NewFile, VisitorError


def names(sandbox: SandboxServer, person: str) -> set[str]:
    return {channel.name for channel in sandbox.visitor.channels_of(person)}


def test_each_person_sees_their_channels_and_full_members_the_public_ones(sandbox: SandboxServer) -> None:
    assert names(sandbox, "priya") == {"general", "random", "old"}
    assert names(sandbox, "marta") == {"general", "random", "old", "board", "pay"}
    assert names(sandbox, "gus") == {"general"}
    assert names(sandbox, "stella") == set()


@pytest.mark.parametrize(
    ("person", "channel"), [("priya", "board"), ("gus", "random"), ("stella", "general")]
)
async def test_what_a_person_cannot_see_they_cannot_read_or_write(
    sandbox: SandboxServer, person: str, channel: str
) -> None:
    with pytest.raises(VisitorError, match="can see no channel"):
        sandbox.visitor.visible_to(person, channel)
    with pytest.raises(VisitorError, match="can see no channel"):
        await sandbox.visitor.post(person, channel, "hi")


async def test_a_deactivated_person_cannot_write(sandbox: SandboxServer) -> None:
    with pytest.raises(VisitorError, match="deactivated"):
        await sandbox.visitor.dm("omar", "hi")


async def test_one_joins_a_public_channel_and_then_writes(sandbox: SandboxServer, listener: Any) -> None:
    await sandbox.visitor.add_person(PersonSeed("U0NEW", "nia", "Nia Fox"))
    with pytest.raises(VisitorError, match="not in #general"):
        await sandbox.visitor.post("nia", "general", "hi")
    await sandbox.visitor.join("nia", "general")
    await sandbox.visitor.post("nia", "general", "hi")
    await sandbox.visitor.wait_for(lambda: listener.events("message"))

    assert listener.events("team_join")[0].payload["event"]["user"]["id"] == "U0NEW"
    joined = listener.events("member_joined_channel")[0].payload["event"]
    assert (joined["user"], joined["channel"], joined["channel_type"]) == ("U0NEW", "C0GENERAL", "C")


async def test_a_guest_joins_nothing_by_themselves(sandbox: SandboxServer) -> None:
    with pytest.raises(VisitorError):
        await sandbox.visitor.join("gus", "random")


async def test_leaving_and_being_changed_are_told_to_the_app(sandbox: SandboxServer, listener: Any) -> None:
    await sandbox.visitor.leave("priya", "general")
    await sandbox.visitor.change_person("priya", deleted=True)
    await sandbox.visitor.wait_for(lambda: listener.events("user_change"))

    assert listener.events("member_left_channel")[0].payload["event"]["user"] == "U0PRIYA"
    assert listener.events("user_change")[0].payload["event"]["user"]["deleted"]


async def test_inviting_the_bot_makes_it_hear(sandbox: SandboxServer, listener: Any) -> None:
    await sandbox.visitor.invite("random", "ostiary")
    await sandbox.visitor.post("priya", "random", "@ostiary hello")
    await sandbox.visitor.wait_for(lambda: listener.events("app_mention"))
    assert listener.events("member_joined_channel")[0].payload["event"]["user"] == sandbox.bot_user_id


async def test_typed_words_arrive_marked_and_escaped(sandbox: SandboxServer) -> None:
    said = await sandbox.visitor.post(
        "priya", "general", "@ostiary <b> & @marta, see #general & https://example.com/a?b=1&c"
    )
    assert said.text == (
        f"<@{sandbox.bot_user_id}> &lt;b&gt; &amp; <@U0MARTA>, see <#C0GENERAL|general>"
        " &amp; <https://example.com/a?b=1&amp;c>"
    )


async def download(url: str, token: str, **more: Any) -> tuple[int, str, bytes]:
    async with aiohttp.ClientSession() as session:
        answer = await session.get(url, headers={"Authorization": f"Bearer {token}"}, **more)
        return answer.status, answer.content_type, await answer.read()


async def test_a_shared_file_is_downloaded_with_the_bots_token(
    sandbox: SandboxServer, client: AsyncWebClient
) -> None:
    said = await sandbox.visitor.dm("priya", "", files=[NewFile("plan.md", b"# Plan")])
    info = (await client.files_info(file=said.files[0]["id"]))["file"]
    assert (info["name"], info["size"], info["ims"]) == ("plan.md", 6, [said.channel_id])
    status, _, content = await download(info["url_private_download"], sandbox.bot_token)
    assert (status, content) == (200, b"# Plan")


async def test_a_wrong_token_is_sent_to_a_login_page(sandbox: SandboxServer) -> None:
    said = await sandbox.visitor.dm("priya", "", files=[NewFile("plan.md", b"# Plan")])
    url = said.files[0]["url_private"]
    assert (await download(url, "xoxb-wrong", allow_redirects=False))[0] == 302
    status, kind, content = await download(url, "xoxb-wrong")
    assert (status, kind) == (200, "text/html")
    assert b"# Plan" not in content


async def test_a_file_shared_where_the_bot_is_not_does_not_exist_for_it(
    sandbox: SandboxServer, client: AsyncWebClient
) -> None:
    said = await sandbox.visitor.post("marta", "pay", "", files=[NewFile("pay.csv", b"1")])
    with pytest.raises(SlackApiError, match="file_not_found"):
        await client.files_info(file=said.files[0]["id"])
    assert (await download(said.files[0]["url_private"], sandbox.bot_token))[0] == 404


async def test_the_page_gives_a_file_only_to_those_who_see_it(sandbox: SandboxServer) -> None:
    said = await sandbox.visitor.post("marta", "board", "", files=[NewFile("b.txt", b"secret")])
    url = f"{sandbox.url}visitor/files/{said.files[0]['id']}?person="
    assert (await download(url + "marta", ""))[2] == b"secret"
    assert (await download(url + "priya", ""))[0] == 404


async def test_the_bot_uploads_a_file(sandbox: SandboxServer, client: AsyncWebClient) -> None:
    sandbox.scopes.add("files:write")
    await client.files_upload_v2(channel="C0GENERAL", filename="out.txt", content="words", title="Out")
    seen = sandbox.visitor.visible_to("priya", "general")[-1]
    assert (seen.files[0]["title"], seen.files[0]["size"], seen.by_bot) == ("Out", 5, True)


async def test_a_restart_keeps_what_was_said_and_shared(tmp_path: Path, sandbox: SandboxServer) -> None:
    seed: WorkspaceSeed = sandbox.sandbox.workspace.seed
    state = tmp_path / "state.json"
    async with SandboxServer(seed, state_file=state) as first:
        root = await first.visitor.post("priya", "general", "remember me")
        await first.visitor.post("marta", "general", "yes", thread_ts=root.ts)
        await first.visitor.dm("priya", "a file", files=[NewFile("plan.md", b"# Plan")])
    async with SandboxServer(seed, state_file=state) as second:
        assert [m.text for m in second.visitor.visible_to("gus", "general", root.ts)] == [
            "remember me",
            "yes",
        ]
        file = second.visitor.visible_to("priya", "@ostiary")[0].files[0]
        assert (await download(file["url_private"], second.bot_token))[2] == b"# Plan"
        later = await second.visitor.post("priya", "general", "again")
        assert later.ts > root.ts


async def test_what_is_said_is_on_disk_without_a_clean_stop(tmp_path: Path, sandbox: SandboxServer) -> None:
    state = tmp_path / "state.json"
    async with SandboxServer(sandbox.sandbox.workspace.seed, state_file=state) as running:
        await running.visitor.post("priya", "general", "remember me")
        for _ in range(40):
            if state.exists():
                break
            await running.sandbox.workspace.changes.after(running.sandbox.workspace.changes.version, 0.1)
        assert "remember me" in state.read_text("utf-8")


async def test_an_unreadable_state_is_put_aside(tmp_path: Path, sandbox: SandboxServer) -> None:
    state = tmp_path / "state.json"
    state.write_text("{broken", "utf-8")
    async with SandboxServer(sandbox.sandbox.workspace.seed, state_file=state) as running:
        assert running.visitor.visible_to("priya", "general") == ()
    assert (tmp_path / "state.unreadable").read_text("utf-8") == "{broken"


async def test_a_taken_port_is_named_in_a_sentence(sandbox: SandboxServer) -> None:
    port = int(sandbox.url.rstrip("/").rpartition(":")[2])
    rival = SandboxServer(sandbox.sandbox.workspace.seed, port=port)
    with pytest.raises(SandboxPortTaken, match=f"Port {port} on 127.0.0.1 is taken by another program"):
        await rival.start()
