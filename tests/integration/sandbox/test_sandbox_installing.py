"""Many workspaces: installed by OAuth, told apart by their tokens, and left again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.oauth.installation_store import Installation
from slack_sdk.oauth.token_rotation.async_rotator import AsyncTokenRotator
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.authorizing import AuthorizationError
from bot.sandbox.seed import ChannelSeed, PersonSeed, WorkspaceSeed
from bot.sandbox.server import SandboxServer
from tests.integration.sandbox.conftest import QUICK, SEED, Clock

HARBOUR = WorkspaceSeed(
    team_id="T0HARBOUR",
    name="Harbour & Sons",
    people=(
        PersonSeed("U0NELL", "nell", "Nell Quay", is_admin=True),
        PersonSeed("U0TIM", "tim", "Tim", kind="guest"),
    ),
    channels=(ChannelSeed("C0QUAY", "quay", members=("nell", "ostiary")),),
)
BACK = "http://127.0.0.1:1/slack/oauth_redirect"
SCOPES = ("chat:write", "im:history", "channels:history", "channels:read", "app_mentions:read")


@pytest.fixture
async def sandbox(clock: Clock) -> AsyncIterator[SandboxServer]:
    async with SandboxServer(SEED, others=[HARBOUR], delivery=QUICK, clock=clock) as running:
        yield running


async def install(sandbox: SandboxServer, **more: Any) -> Any:
    """What the app gets for the code with which Nell sends it back."""
    code = sandbox.approve("T0HARBOUR", BACK, SCOPES, by="nell")
    return await AsyncWebClient(base_url=sandbox.api_url).oauth_v2_access(
        client_id=sandbox.app.client_id, client_secret=sandbox.app.client_secret, code=code, **more
    )


def harbour(sandbox: SandboxServer, token: str) -> AsyncWebClient:
    return AsyncWebClient(token=token, base_url=sandbox.api_url)


async def test_a_code_becomes_a_token_of_its_workspace_alone(
    sandbox: SandboxServer, client: AsyncWebClient
) -> None:
    given = await install(sandbox, redirect_uri=BACK)
    assert (given["team"]["id"], given["authed_user"]["id"]) == ("T0HARBOUR", "U0NELL")
    assert (given["token_type"], set(given["scope"].split(","))) == ("bot", set(SCOPES))
    theirs = harbour(sandbox, given["access_token"])
    assert (await theirs.auth_test())["team_id"] == "T0HARBOUR"
    assert (await client.auth_test())["team_id"] == "T0LANTERN"
    with pytest.raises(SlackApiError, match="channel_not_found"):
        await theirs.chat_postMessage(channel="C0GENERAL", text="hello")
    with pytest.raises(SlackApiError, match="missing_scope"):
        await theirs.users_list()


async def test_nothing_is_heard_of_a_workspace_before_the_app_is_in_it(
    sandbox: SandboxServer, listener: Any
) -> None:
    nell = sandbox.visitors["T0HARBOUR"]
    await nell.post("nell", "quay", "anybody?")
    await install(sandbox)
    await nell.post("nell", "quay", "hello")
    [request] = await sandbox.visitor.wait_for(lambda: listener.events("message"))
    payload = request.payload
    assert (payload["event"]["text"], payload["team_id"]) == ("hello", "T0HARBOUR")
    assert payload["authorizations"][0]["user_id"] == nell.bot_user_id
    assert payload["api_app_id"] == sandbox.app.app_id


async def test_a_person_allows_the_app_on_a_page_and_is_sent_back(sandbox: SandboxServer) -> None:
    asked = {
        "client_id": sandbox.app.client_id,
        "scope": ",".join(SCOPES),
        "redirect_uri": BACK,
        "state": "<s&1>",
        "team": "T0HARBOUR",
    }
    address = f"{sandbox.url}oauth/v2/authorize"
    async with aiohttp.ClientSession() as session:
        page = await (await session.get(address, params=asked)).text()
        assert "&lt;s&amp;1&gt;" in page
        assert "Harbour &amp; Sons" in page
        for answer, expected in (("allow", "code"), ("cancel", "error")):
            back = await session.post(address, data=asked | {"answer": answer}, allow_redirects=False)
            query = parse_qs(urlsplit(back.headers["Location"]).query)
            assert query["state"] == ["<s&1>"]
            assert expected in query
        for wrong in ({"client_id": "another"}, {"scope": ""}, {"redirect_uri": "javascript:alert(1)"}):
            assert (await session.get(address, params=asked | wrong)).status == 400


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"client_id": "1.2"}, "invalid_client_id"),
        ({"client_secret": "guessed"}, "bad_client_secret"),
        ({"code": "guessed"}, "invalid_code"),
        ({"redirect_uri": "https://evil.example/"}, "bad_redirect_uri"),
        ({"grant_type": "password"}, "invalid_grant_type"),
        ({"grant_type": "refresh_token", "refresh_token": "guessed"}, "invalid_refresh_token"),
    ],
)
async def test_a_wrong_word_gets_no_token(sandbox: SandboxServer, wrong: dict[str, str], error: str) -> None:
    right = {
        "client_id": sandbox.app.client_id,
        "client_secret": sandbox.app.client_secret,
        "code": sandbox.approve("T0HARBOUR", BACK, SCOPES),
    }
    with pytest.raises(SlackApiError, match=error):
        await AsyncWebClient(base_url=sandbox.api_url).oauth_v2_access(**right | wrong)


async def test_a_code_is_good_once_and_for_ten_minutes(sandbox: SandboxServer, clock: Clock) -> None:
    code = sandbox.approve("T0HARBOUR", BACK, SCOPES)
    late = sandbox.approve("T0HARBOUR", BACK, SCOPES)
    secret = {"client_id": sandbox.app.client_id, "client_secret": sandbox.app.client_secret}
    client = AsyncWebClient(base_url=sandbox.api_url)
    await client.oauth_v2_access(**secret, code=code)
    with pytest.raises(SlackApiError, match="invalid_code"):
        await client.oauth_v2_access(**secret, code=code)
    clock.advance(601)
    with pytest.raises(SlackApiError, match="invalid_code"):
        await client.oauth_v2_access(**secret, code=late)


async def test_a_guest_installs_nothing(sandbox: SandboxServer) -> None:
    with pytest.raises(AuthorizationError, match="access_denied"):
        sandbox.approve("T0HARBOUR", BACK, SCOPES, by="tim")


async def test_tokens_rotate_with_the_sdks_own_rotator(sandbox: SandboxServer, clock: Clock) -> None:
    sandbox.app.token_rotation = True
    given = await install(sandbox)
    assert given["expires_in"] in (43_199, 43_200)
    held = Installation(
        user_id="U0NELL",
        team_id="T0HARBOUR",
        bot_token=given["access_token"],
        bot_refresh_token=given["refresh_token"],
        bot_token_expires_in=given["expires_in"],
    )
    rotator = AsyncTokenRotator(
        client_id=sandbox.app.client_id,
        client_secret=sandbox.app.client_secret,
        client=AsyncWebClient(base_url=sandbox.api_url),
    )
    fresh = await rotator.perform_token_rotation(installation=held, minutes_before_expiration=60 * 24)
    assert fresh is not None
    assert fresh.bot_token != held.bot_token
    clock.advance(43_201)
    with pytest.raises(SlackApiError, match="token_expired"):
        await harbour(sandbox, given["access_token"]).auth_test()
    with pytest.raises(SlackApiError, match="invalid_refresh_token"):
        await AsyncWebClient(base_url=sandbox.api_url).oauth_v2_access(
            client_id=sandbox.app.client_id,
            client_secret=sandbox.app.client_secret,
            grant_type="refresh_token",
            refresh_token=given["refresh_token"],
        )


async def test_an_app_that_is_thrown_out_hears_so_and_then_nothing(
    sandbox: SandboxServer, listener: Any
) -> None:
    token = (await install(sandbox))["access_token"]
    nell = sandbox.visitors["T0HARBOUR"]
    await nell.uninstall_app()
    [gone] = await sandbox.visitor.wait_for(lambda: listener.events("app_uninstalled"))
    [revoked] = await sandbox.visitor.wait_for(lambda: listener.events("tokens_revoked"))
    assert gone.payload["team_id"] == "T0HARBOUR"
    assert revoked.payload["event"]["tokens"] == {"oauth": [], "bot": [nell.bot_user_id]}
    with pytest.raises(SlackApiError, match="account_inactive"):
        await harbour(sandbox, token).auth_test()
    await nell.post("nell", "quay", "still there?")
    await sandbox.visitor.dm("priya", "hello")
    await sandbox.visitor.wait_for(lambda: listener.events("message"))
    assert [request.payload["team_id"] for request in listener.events("message")] == ["T0LANTERN"]


async def test_an_app_leaves_by_itself_and_comes_back(sandbox: SandboxServer, listener: Any) -> None:
    theirs = harbour(sandbox, (await install(sandbox))["access_token"])
    secret = {"client_id": sandbox.app.client_id, "client_secret": sandbox.app.client_secret}
    with pytest.raises(SlackApiError, match="bad_client_secret"):
        await theirs.apps_uninstall(client_id=sandbox.app.client_id, client_secret="guessed")
    await theirs.apps_uninstall(**secret)
    with pytest.raises(SlackApiError, match="account_inactive"):
        await theirs.auth_test()
    again = harbour(sandbox, (await install(sandbox))["access_token"])
    assert (await again.auth_revoke(test=True))["revoked"] is False
    assert (await again.auth_revoke())["revoked"] is True
    with pytest.raises(SlackApiError, match="token_revoked"):
        await again.auth_test()


async def test_a_file_of_one_workspace_is_not_opened_by_the_token_of_another(
    sandbox: SandboxServer, client: AsyncWebClient
) -> None:
    token = (await install(sandbox))["access_token"]
    file_id = await sandbox.visitor.upload("priya", "a.txt", b"ten days")
    said = await sandbox.visitor.post("priya", "general", "look", files=[file_id])
    address = said.files[0]["url_private"]
    async with aiohttp.ClientSession() as session:
        for opener, status in ((sandbox.bot_token, 200), (token, 302)):
            headers = {"Authorization": f"Bearer {opener}"}
            async with session.get(address, headers=headers, allow_redirects=False) as answer:
                assert answer.status == status
