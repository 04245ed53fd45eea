"""A fine-tuned adapter on disk: whose documents it learned from, on which base, and whether it may be loaded."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from auth.errors import OstiaryError

STATEMENT = "ostiary.json"


class AdapterRefused(OstiaryError):
    """The adapter is not loaded; the message is a sentence that says why and what to do."""


@dataclass(frozen=True)
class Adapter:
    """A checked PEFT folder. `readers` names who may read all the documents it was trained on."""

    folder: Path
    name: str
    base: str
    readers: str


def load_adapter(folder: Path, base: str) -> Adapter:
    """The adapter in `folder`, fit for the model named `base`; raises AdapterRefused.

    A folder holds adapter_config.json, safetensors weights and ostiary.json: {"readers": "...", "base": "..."}.
    """
    if not folder.is_dir():
        raise AdapterRefused(f"There is no adapter folder '{folder}'; give the folder that training wrote.")
    _require_safe_weights(folder)
    statement = _read_object(folder / STATEMENT)
    readers, trained_on = _text(statement, "readers"), _text(statement, "base")
    if not readers:
        raise AdapterRefused(
            f"The adapter '{folder.name}' does not say who may read what it was trained on; an adapter "
            f'without a label is nobody\'s. State it in {STATEMENT} as "readers".'
        )
    if trained_on != base:
        raise AdapterRefused(
            f"The adapter '{folder.name}' was trained on '{trained_on or 'an unnamed model'}' and the model "
            f"in use is '{base}'; use that model or train the adapter again."
        )
    return Adapter(folder=folder, name=folder.name, base=trained_on, readers=readers)


def _require_safe_weights(folder: Path) -> None:
    if not (folder / "adapter_config.json").is_file():
        raise AdapterRefused(
            f"'{folder.name}' has no adapter_config.json, so it is not a PEFT adapter folder."
        )
    if not (folder / "adapter_model.safetensors").is_file():
        raise AdapterRefused(
            f"'{folder.name}' has no adapter_model.safetensors. Pickled weights (.bin) are never loaded, "
            f"because loading them runs their code: save the adapter again with safetensors."
        )


def _read_object(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise AdapterRefused(
            f"{path.name} of the adapter '{path.parent.name}' cannot be read: {error}"
        ) from error
    return found if isinstance(found, dict) else {}


def _text(statement: dict[str, Any], key: str) -> str:
    value = statement.get(key, "")
    return value.strip() if isinstance(value, str) else ""
