"""`ostiary doctor` tries both tokens on Slack before anybody waits for an answer."""

import pytest
from pydantic import SecretStr

from bot.cli.doctor import check_slack
from bot.sandbox.server import SandboxServer
from bot.settings import Settings
from bot.slack.service import SlackRefused


def settings(sandbox: SandboxServer, bot_token: str, app_token: str) -> Settings:
    tokens = {"SLACK_BOT_TOKEN": SecretStr(bot_token), "SLACK_APP_TOKEN": SecretStr(app_token)}
    return Settings.model_validate({"slack_api_url": sandbox.api_url, **tokens})


async def test_tokens_that_slack_takes_are_fine(sandbox: SandboxServer) -> None:
    rows = await check_slack(settings(sandbox, sandbox.bot_token, sandbox.app_token))
    assert rows == [(True, "Slack", "Test (T0TEST)")]


async def test_a_wrong_bot_token_is_named(sandbox: SandboxServer) -> None:
    with pytest.raises(SlackRefused, match="SLACK_BOT_TOKEN"):
        await check_slack(settings(sandbox, "xoxb-wrong", sandbox.app_token))


async def test_a_wrong_app_token_is_named(sandbox: SandboxServer) -> None:
    with pytest.raises(SlackRefused, match="SLACK_APP_TOKEN"):
        await check_slack(settings(sandbox, sandbox.bot_token, "xapp-wrong"))
