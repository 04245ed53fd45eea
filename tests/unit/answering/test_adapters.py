"""An adapter is loaded only if it says whose it is, fits its base, and cannot run code."""

import json
from pathlib import Path

import pytest

from finetune.adapters import AdapterRefused, load_adapter


def make(folder: Path, statement: object, weights: str = "adapter_model.safetensors") -> Path:
    folder.mkdir()
    (folder / "adapter_config.json").write_text("{}")
    (folder / weights).write_bytes(b"")
    if statement is not None:
        (folder / "ostiary.json").write_text(json.dumps(statement))
    return folder


def test_an_adapter_tells_its_name_base_and_readers(tmp_path: Path) -> None:
    adapter = load_adapter(make(tmp_path / "legal", {"readers": "legal", "base": "packaged"}), "packaged")
    assert (adapter.name, adapter.base, adapter.readers) == ("legal", "packaged", "legal")


@pytest.mark.parametrize(
    "statement", [None, {}, [], {"base": "packaged"}, {"readers": " ", "base": "packaged"}, {"readers": 3}]
)
def test_an_adapter_without_readers_is_nobodys(tmp_path: Path, statement: object) -> None:
    with pytest.raises(AdapterRefused, match="nobody's"):
        load_adapter(make(tmp_path / "legal", statement), "packaged")


def test_an_adapter_of_another_base_is_refused(tmp_path: Path) -> None:
    folder = make(tmp_path / "legal", {"readers": "legal", "base": "org/other"})
    with pytest.raises(AdapterRefused, match="trained on 'org/other' and the model in use is 'packaged'"):
        load_adapter(folder, "packaged")


def test_pickled_weights_are_never_loaded(tmp_path: Path) -> None:
    folder = make(tmp_path / "legal", {"readers": "legal", "base": "packaged"}, weights="adapter_model.bin")
    with pytest.raises(AdapterRefused, match="never loaded"):
        load_adapter(folder, "packaged")


def test_a_folder_that_is_missing_or_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AdapterRefused, match="no adapter folder"):
        load_adapter(tmp_path / "nowhere", "packaged")
    (tmp_path / "empty").mkdir()
    with pytest.raises(AdapterRefused, match="not a PEFT adapter"):
        load_adapter(tmp_path / "empty", "packaged")


def test_a_statement_that_is_not_json_is_refused(tmp_path: Path) -> None:
    folder = make(tmp_path / "legal", None)
    (folder / "ostiary.json").write_text("{readers: legal}")
    with pytest.raises(AdapterRefused, match="cannot be read"):
        load_adapter(folder, "packaged")
