"""Text to vectors, in this process, by a Hugging Face sentence encoder (all-MiniLM-L6-v2 by default)."""

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

from auth.errors import OstiaryError
from retrieval.devices import Device, choose_device
from retrieval.tables import DIMENSIONS
from retrieval.weights import without_progress_bars

Vectors = NDArray[np.float32]

MAX_TOKENS = 256
"""What all-MiniLM-L6-v2 was trained to read; the rest of a longer text would not count."""

_SAMPLED = 256
"""Numbers of each layer that tell one encoder from another: training changes all of them."""


@dataclass(frozen=True)
class TokenVectors:
    """The tokens of a text, and the vector that the encoder made of each: (t, 384), each of length 1."""

    tokens: tuple[str, ...]
    vectors: Vectors


class EmbedderUnusable(OstiaryError):
    """The model named as embedder cannot fill this database; the message says why."""


class LocalEmbeddings(Embeddings):
    """LangChain embeddings by a local encoder: mean of the token vectors, L2-normalised, 384 dimensions."""

    def __init__(self, tokenizer: Any, model: Any, device: Device) -> None:
        self.tokenizer = tokenizer
        self.device = device
        self._model = model
        self._lock = threading.Lock()  # a fast tokenizer may not be used by two threads at once

    @classmethod
    def load(cls, folder: Path, device: Device | None = None) -> "LocalEmbeddings":
        """Load the encoder from a folder (see `retrieval.weights.embedder_folder`). Takes about a second."""
        from transformers import AutoModel, AutoTokenizer

        device = device or choose_device()
        with without_progress_bars():
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            model = AutoModel.from_pretrained(folder, local_files_only=True, dtype=device.dtype).eval()
        if model.config.hidden_size != DIMENSIONS:
            raise EmbedderUnusable(
                f"The embedding model in '{folder.name}' makes vectors of {model.config.hidden_size} dimensions;"
                f" the database holds {DIMENSIONS}. Choose a model with {DIMENSIONS} dimensions."
            )
        return cls(tokenizer, model.to(device.name), device)

    @cached_property
    def fingerprint(self) -> str:
        """Tells this encoder from another by its weights, whatever it is called and however precise it runs."""
        import torch

        digest = hashlib.sha256()
        for name, parameter in sorted(self._model.named_parameters()):
            some = parameter.detach().flatten()[:_SAMPLED].to("cpu", torch.bfloat16).view(torch.int16)
            digest.update(name.encode() + bytes(some.numpy().tobytes()))
        return digest.hexdigest()[:16]

    def encode(self, texts: Sequence[str]) -> Vectors:
        """One row a text, (n, 384) float32, each of length 1. Texts are batched by length."""
        vectors = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        encoded = self._token_ids(texts)
        for batch in batches([len(ids) for ids in encoded], self.device.batch_tokens):
            vectors[batch] = self._encode_batch([encoded[i] for i in batch])[0]
        return vectors

    def encode_tokens(self, texts: Sequence[str]) -> tuple[Vectors, list[TokenVectors]]:
        """What `encode` gives, and the vectors of the tokens of each text, from one reading."""
        vectors = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        tokens: dict[int, TokenVectors] = {}
        encoded = self._token_ids(texts)
        for batch in batches([len(ids) for ids in encoded], self.device.batch_tokens):
            vectors[batch], states = self._encode_batch([encoded[i] for i in batch])
            for index, state in zip(batch, states, strict=True):
                names = self.tokenizer.convert_ids_to_tokens(encoded[index])
                tokens[index] = TokenVectors(tuple(names), state[: len(names)])
        return vectors, [tokens[index] for index in range(len(texts))]

    def _token_ids(self, texts: Sequence[str]) -> list[list[int]]:
        with self._lock:  # for as long only: a question does not wait for documents that are being embedded
            found: list[list[int]] = self.tokenizer(list(texts), truncation=True, max_length=MAX_TOKENS)[
                "input_ids"
            ]
        return found

    def _encode_batch(self, token_ids: list[list[int]]) -> tuple[Vectors, Vectors]:
        """Vectors of texts, (n, 384), and of their tokens, (n, longest, 384)."""
        import torch

        with self._lock:
            padded = self.tokenizer.pad({"input_ids": token_ids}, padding_side="right", return_tensors="pt")
        with torch.inference_mode():
            padded = padded.to(self.device.name)
            hidden = self._model(**padded).last_hidden_state.float()
            mask = padded["attention_mask"].unsqueeze(-1)
            mean = (hidden * mask).sum(1) / mask.sum(1).clamp(min=1)
            unit, units = (torch.nn.functional.normalize(some, dim=-1).cpu() for some in (mean, hidden))
        return unit.numpy(), units.numpy()

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [list(map(float, row)) for row in self.encode(texts)]

    def embed_query(self, text: str) -> list[float]:
        return self.embed_documents([text])[0]


def as_pgvector(vector: Vectors) -> str:
    """One vector, shape (d,), as PostgreSQL reads it: `[0.1,-0.2]`."""
    return f"[{','.join(map('%.7g'.__mod__, vector.tolist()))}]"


def batches(lengths: Sequence[int], most_tokens: int) -> list[list[int]]:
    """Indices grouped by length, so that little is computed on padding; a batch has `most_tokens` with it."""
    batches: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batches and (len(batches[-1]) + 1) * lengths[index] <= most_tokens:
            batches[-1].append(index)
        else:
            batches.append([index])
    return batches
