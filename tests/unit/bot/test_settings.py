"""Settings are read from the environment and `.env`, and a slip of the keyboard is named."""

from pathlib import Path

import pytest

from bot.settings import UnusableSettings, load_settings


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OSTIARY_TEST_CACHE", raising=False)
    monkeypatch.delenv("OSTIARY_HOME", raising=False)


def test_a_file_named_env_is_read(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("OSTIARY_MAX_DOCUMENT_MB=7\nSLACK_BOT_TOKEN=xoxb-1\n")
    settings = load_settings()
    assert settings.max_document_mb == 7
    assert "xoxb-1" not in repr(settings)


def test_the_environment_goes_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("OSTIARY_MAX_DOCUMENT_MB=7\n")
    monkeypatch.setenv("OSTIARY_MAX_DOCUMENT_MB", "9")
    assert load_settings().max_document_mb == 9


def test_an_unknown_name_in_the_environment_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OSTIARY_HOEM", "/tmp")
    with pytest.raises(UnusableSettings, match="OSTIARY_HOEM"):
        load_settings()


def test_an_unknown_name_in_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("ostiary_hoem=/tmp\n")
    with pytest.raises(UnusableSettings, match="OSTIARY_HOEM"):
        load_settings()


def test_a_name_that_goes_without_the_prefix_is_refused_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OSTIARY_DATABASE_URL", "postgresql://elsewhere/ostiary")
    with pytest.raises(UnusableSettings, match="OSTIARY_DATABASE_URL"):
        load_settings()


def test_a_log_level_that_does_not_exist_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OSTIARY_LOG_LEVEL", "LOUD")
    with pytest.raises(UnusableSettings, match="OSTIARY_LOG_LEVEL cannot be used"):
        load_settings()


def test_a_value_that_cannot_be_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OSTIARY_THREADS", "none")
    with pytest.raises(UnusableSettings, match="OSTIARY_THREADS cannot be used"):
        load_settings()


def test_an_address_that_leads_to_no_server_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OSTIARY_GENERATOR_URL", "127.0.0.1:8000")
    with pytest.raises(UnusableSettings, match="OSTIARY_GENERATOR_URL cannot be used"):
        load_settings()


def test_the_key_of_a_server_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OSTIARY_GENERATOR_KEY", "sesame")
    assert "sesame" not in repr(load_settings())
