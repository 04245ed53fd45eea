"""The command line given what it cannot use: a sentence and no traceback."""

import sys
from pathlib import Path

import pytest
from langsmith.utils import get_env_var, tracing_is_enabled
from typer.testing import CliRunner

from bot.cli import main
from bot.cli.commands import app
from bot.settings import UnusableSettings, load_settings


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OSTIARY_TEST_CACHE", raising=False)
    monkeypatch.setenv("OSTIARY_HOME", str(tmp_path))


def said_by(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str) -> str:
    """What the command says before it ends in failure."""
    monkeypatch.setattr(sys, "argv", ["ostiary", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    return " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("source", ["", " ", "~nobody-of-this-name/x", "a" * 5000, "nowhere.md"])
def test_a_path_that_leads_nowhere_is_said_to(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, source: str
) -> None:
    (tmp_path / "private.md").write_text("# Not meant\n\nWho gave no path means no folder.")
    said = said_by(capsys, monkeypatch, "ingest", source, "--readers", "everyone")
    assert said.startswith("Error: There is no file or folder")
    assert len(said) < 400


def test_doctor_says_all_it_can_where_no_home_can_be_made(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("OSTIARY_HOME", str(tmp_path / "file" / "home"))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setattr(sys, "argv", ["ostiary", "doctor"])
    with pytest.raises(SystemExit) as ended:
        main()
    said = " ".join(capsys.readouterr().out.split())
    assert ended.value.code == 1
    assert "Language model The system refused (Not a directory)" in said
    assert "Slack" in said


@pytest.mark.parametrize(
    "url",
    ["foo", "postgresql://db:port/x", "mysql://db/x", "postgresql://ada:hunter2@[::1/x", "https://db/x"],
)
def test_an_address_that_is_no_postgresql_is_named_without_its_password(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(UnusableSettings, match="DATABASE_URL") as refused:
        load_settings()
    assert "hunter2" not in str(refused.value)


def test_a_settings_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"\xff\xfe=1\n")
    with pytest.raises(UnusableSettings, match="UTF-8"):
        load_settings()


def test_bytes_that_are_no_text_reach_no_model_and_no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str | None] = []

    async def listen(*given: str | None) -> None:
        heard.extend(given)

    monkeypatch.setattr("bot.cli.asking.ask_once", listen)
    asked = ["ask", "what \udcff leave", "--as", "a\udcff", "--in", "#\udcff"]
    assert CliRunner().invoke(app, asked).exit_code == 0
    assert heard == ["what ? leave", "a?", "#?"]


def test_langchain_reports_nothing_to_anybody_whatever_the_environment_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LANGSMITH_TRACING", "true")
    monkeypatch.setattr(sys, "argv", ["ostiary", "--help"])
    with pytest.raises(SystemExit):
        main()
    get_env_var.cache_clear()
    assert not tracing_is_enabled()
