"""`ostiary models`: what is here, what suits, what is in use, and what cannot be pulled."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from auth.errors import OstiaryError
from bot.cli.commands import app
from bot.generation.inventory import installed_adapters, installed_models
from bot.settings import Settings, load_settings
from retrieval.weights import language_model_folder, silent
from tests.conftest import CACHE


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, with the models that are converted already."""
    monkeypatch.setenv("OSTIARY_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("OSTIARY_TEST_CACHE", raising=False)
    monkeypatch.setenv("COLUMNS", "240")
    (tmp_path / "home").mkdir()
    language_model_folder(cache=CACHE)
    (tmp_path / "home" / "models").symlink_to(CACHE)
    return tmp_path / "home"


def run(*arguments: str) -> tuple[str, BaseException | None]:
    result = CliRunner().invoke(app, ["models", *arguments])
    return result.output, result.exception


def test_the_packaged_model_is_listed_as_in_use_with_a_reason() -> None:
    output, problem = run()
    assert problem is None
    row = next(line for line in output.splitlines() if line.startswith("packaged") and "language" in line)
    assert row.rstrip().endswith("yes")
    assert "reads three passages in about" in row
    assert "cores" in output or "core," in output
    assert "Qwen/Qwen2.5-1.5B-Instruct" in output


def test_a_server_that_writes_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OSTIARY_GENERATOR_URL", "http://127.0.0.1:8000/v1")
    monkeypatch.setenv("OSTIARY_GENERATOR_MODEL", "big")
    assert "big at http://127.0.0.1:8000/v1" in run()[0]


def test_a_model_without_a_chat_template_is_listed_with_its_flaw(tmp_path: Path) -> None:
    folder = tmp_path / "base"
    folder.mkdir()
    for file in language_model_folder(cache=CACHE).iterdir():
        if file.name not in {"chat_template.jinja", "tokenizer_config.json"}:
            (folder / file.name).symlink_to(file)
    (folder / "tokenizer_config.json").write_text("{}")
    found = installed_models(Settings(language_model=str(folder)), silent)
    flaws = {model.name: model.flaw for model in found}
    assert "no chat template" in flaws[str(folder)]
    assert [model.name for model in found if model.in_use and model.purpose == "language"] == [str(folder)]


def test_a_model_that_is_not_there_is_a_row_and_no_crash() -> None:
    flaws = [model.flaw for model in installed_models(Settings(language_model="nobody/nothing"), silent)]
    assert any("No model named 'nobody/nothing'" in flaw for flaw in flaws)


def test_adapters_are_listed_with_their_readers_or_their_flaw(home: Path) -> None:
    for name, base in (("fits", "packaged"), ("foreign", "another/model")):
        folder = home / "adapters" / name
        folder.mkdir(parents=True)
        (folder / "adapter_config.json").write_text("{}")
        (folder / "adapter_model.safetensors").write_bytes(b"")
        (folder / "ostiary.json").write_text(json.dumps({"readers": "engineering", "base": base}))
    fits, foreign = installed_adapters(load_settings())
    assert (fits.name, fits.readers, fits.flaw) == ("fits", "engineering", "")
    assert "trained on 'another/model'" in foreign.flaw


def test_a_hub_that_cannot_be_reached_is_told_in_a_sentence() -> None:
    _, problem = run("pull", "nobody/nothing")
    assert isinstance(problem, OstiaryError)
    assert "cannot be reached from here" in str(problem)
    assert "OSTIARY_LANGUAGE_MODEL" in str(problem)


def test_an_id_that_can_be_none_is_told_in_the_same_sentence() -> None:
    _, problem = run("pull", "../../etc/passwd?")
    assert isinstance(problem, OstiaryError)
    assert "could not be pulled" in str(problem)


def test_a_folder_need_not_be_pulled(tmp_path: Path) -> None:
    output, problem = run("pull", str(tmp_path))
    assert problem is None
    assert "nothing to pull" in output
