"""Turn a GGUF file into a folder of safetensors, once: dequantising it takes half a minute at each start."""

import hashlib
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from filelock import FileLock

# Raise it when the way of converting changes: it is part of the folder's name.
_RECIPE = 1
_LOCK_SECONDS = 600


class ConversionFailed(Exception):
    """The GGUF file cannot be converted; the message says why."""


def converted_folder(gguf: Path, cache: Path, progress: Callable[[str], None]) -> Path:
    """The converted form of `gguf` under `cache`, made if it is not there yet; raises ConversionFailed.

    Made beside its place and renamed into it, under a lock: no process sees half a model, nor makes it twice.
    """
    target = cache / f"{gguf.stem}-{_digest(gguf)}-{_RECIPE}"
    if target.is_dir():
        return target
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / f"{target.name}.lock", timeout=_LOCK_SECONDS):
        if target.is_dir():
            return target
        progress(f"Converting {gguf.name} for use with transformers: once, half a minute")
        scratch = Path(tempfile.mkdtemp(prefix=f"{target.name}.part-", dir=cache))
        try:
            _convert(gguf, scratch)
            scratch.chmod(0o755)
            scratch.rename(target)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    return target


def _convert(gguf: Path, folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    source = {"gguf_file": gguf.name, "local_files_only": True}
    try:
        tokenizer = AutoTokenizer.from_pretrained(str(gguf.parent), **source)
        model = AutoModelForCausalLM.from_pretrained(
            str(gguf.parent), dtype=torch.bfloat16, quantization_config=GgufConfig(dequantize=True), **source
        )
    except Exception as error:  # a broken file breaks its reader in any way it likes
        raise ConversionFailed(f"'{gguf.name}' cannot be read as a language model: {error}") from error
    _require_special_tokens(tokenizer, gguf)
    _forget_quantisation(model)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    _require_special_tokens(AutoTokenizer.from_pretrained(str(folder), local_files_only=True), gguf)


def _forget_quantisation(model: Any) -> None:
    """The weights are plain by now; the mark would refuse both saving and training."""
    model.hf_quantizer = None
    for mark in ("quantization_method", "is_quantized"):
        if hasattr(model, mark):
            delattr(model, mark)
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config


def _require_special_tokens(tokenizer: Any, gguf: Path) -> None:
    """A turn marker that falls apart into pieces would let text in a document pose as the end of its turn."""
    if tokenizer.chat_template is None:
        raise ConversionFailed(f"'{gguf.name}' has no chat template; choose an instruction-tuned model.")
    if tokenizer.eos_token_id is None:
        raise ConversionFailed(f"'{gguf.name}' names no end-of-turn token, so generation would never stop.")
    for token in (tokenizer.eos_token, *(t for t in (tokenizer.bos_token,) if t)):
        if len(tokenizer.encode(token, add_special_tokens=False)) != 1:
            raise ConversionFailed(f"'{gguf.name}' splits its special token {token} into pieces.")


def _digest(gguf: Path) -> str:
    with gguf.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]
