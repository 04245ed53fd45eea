"""Which models and adapters this machine has."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from auth.errors import OstiaryError
from bot.settings import Settings
from finetune.adapters import STATEMENT, AdapterRefused, load_adapter
from retrieval.weights import PACKAGED, Progress, embedder_folder, language_model_folder, parameters_of

Purpose = Literal["language", "embedding", "re-ranking"]


@dataclass(frozen=True)
class KnownModel:
    """A model of the hub that is known to work, for whoever has none in mind."""

    name: str
    parameters: int


# Apache-2.0, ungated, instruction-tuned, with plain attention.
WORTH_PULLING = (
    KnownModel("HuggingFaceTB/SmolLM2-360M-Instruct", 362_000_000),
    KnownModel("Qwen/Qwen2.5-1.5B-Instruct", 1_544_000_000),
    KnownModel("HuggingFaceTB/SmolLM2-1.7B-Instruct", 1_711_000_000),
    KnownModel("mistralai/Mistral-7B-Instruct-v0.3", 7_248_000_000),
    KnownModel("Qwen/Qwen2.5-7B-Instruct", 7_616_000_000),
)


@dataclass(frozen=True)
class InstalledModel:
    """`flaw` says why it cannot be used; empty for one that can."""

    name: str
    purpose: Purpose
    where: str
    parameters: int
    in_use: bool
    flaw: str = ""


@dataclass(frozen=True)
class InstalledAdapter:
    name: str
    readers: str
    in_use: bool
    flaw: str = ""


def installed_models(settings: Settings, progress: Progress) -> list[InstalledModel]:
    """What is packaged, what the settings name, and what lies in the hub's cache. A GGUF is converted first."""
    found = [
        _described(PACKAGED, "packaged", language_model_folder, "language", settings, progress),
        _described(PACKAGED, "packaged", embedder_folder, "embedding", settings, progress),
    ]
    named: list[tuple[str, Any, Purpose]] = [
        (settings.language_model, language_model_folder, "language"),
        (settings.embedding_model, embedder_folder, "embedding"),
    ]
    for name, find, purpose in named:
        if name != PACKAGED:
            where = "folder" if Path(name).expanduser().exists() else "hub"
            found.append(_described(name, where, find, purpose, settings, progress))
    known = {model.name for model in found}
    return found + [model for model in _cached(settings) if model.name not in known]


def installed_adapters(settings: Settings) -> list[InstalledAdapter]:
    """The adapter in use, and those in the folder `adapters` of OSTIARY_HOME."""
    folders = [settings.adapter] if settings.adapter is not None else []
    kept = settings.home / "adapters"
    if kept.is_dir():
        folders += [folder for folder in sorted(kept.iterdir()) if (folder / STATEMENT).is_file()]
    return [_adapter(folder, settings) for folder in dict.fromkeys(folders)]


def _adapter(folder: Path, settings: Settings) -> InstalledAdapter:
    in_use = folder == settings.adapter
    try:
        adapter = load_adapter(folder, settings.writer)
    except AdapterRefused as error:
        return InstalledAdapter(folder.name, "", in_use, str(error))
    return InstalledAdapter(adapter.name, adapter.readers, in_use)


def _described(
    name: str, where: str, find: Any, purpose: Purpose, settings: Settings, progress: Progress
) -> InstalledModel:
    in_use = name == (settings.language_model if purpose == "language" else settings.embedding_model)
    try:
        folder = find(name, cache=settings.cache, progress=progress)
    except OstiaryError as error:
        return InstalledModel(name, purpose, where, 0, in_use, str(error))
    return _from_folder(name, where, folder, purpose, in_use)


def _from_folder(name: str, where: str, folder: Path, purpose: Purpose, in_use: bool) -> InstalledModel:
    flaw = ""
    if not any(folder.glob("*.safetensors")):
        flaw = "has no .safetensors weights, and pickled ones are never loaded"
    elif purpose == "language" and not _has_chat_template(folder):
        flaw = "has no chat template; choose an instruction-tuned model"
    return InstalledModel(name, purpose, where, parameters_of(folder), in_use, flaw)


def _cached(settings: Settings) -> Iterator[InstalledModel]:
    from huggingface_hub import scan_cache_dir
    from huggingface_hub.errors import CacheNotFound

    try:
        repositories = scan_cache_dir().repos
    except CacheNotFound:
        return
    in_use = {settings.language_model, settings.embedding_model, settings.reranker}
    for repository in sorted(repositories, key=lambda one: one.repo_id):
        newest = max(repository.revisions, key=lambda one: one.last_modified, default=None)
        if repository.repo_type == "model" and newest is not None:
            purpose = _purpose_of(newest.snapshot_path)
            name = repository.repo_id
            yield _from_folder(name, "hub cache", newest.snapshot_path, purpose, name in in_use)


def _purpose_of(folder: Path) -> Purpose:
    architectures = " ".join(_object(folder / "config.json").get("architectures") or [])
    if "ForCausalLM" in architectures or "ForConditionalGeneration" in architectures:
        return "language"
    return "re-ranking" if "ForSequenceClassification" in architectures else "embedding"


def _has_chat_template(folder: Path) -> bool:
    stated = _object(folder / "tokenizer_config.json").get("chat_template")
    return bool(stated) or (folder / "chat_template.jinja").is_file()


def _object(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
