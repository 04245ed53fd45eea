"""A cross-encoder by name: a model that reads question and passage together, and is as dear as it is good."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from retrieval.chunking import embedding_text
from retrieval.embedding import Vectors, batches
from retrieval.search import Candidate
from retrieval.weights import ModelUnusable, require_memory, without_progress_bars

MAX_TOKENS = 512
"""Of question and passage together, where the model does not say less."""

_BATCH_TOKENS = 2048


class CrossEncoder:
    """Scores by a Hugging Face model for sequence classification: one logit, or two of which the second is yes."""

    def __init__(self, tokenizer: Any, model: Any) -> None:
        self._tokenizer = tokenizer
        self._model = model
        self._max_tokens = min(MAX_TOKENS, model.config.max_position_embeddings, tokenizer.model_max_length)
        self._lock = threading.Lock()  # a fast tokenizer may not be used by two threads at once

    @classmethod
    def load(cls, folder: Path) -> "CrossEncoder":
        """Load from a folder (see `retrieval.weights.reranker_folder`). Raises WeightsError."""
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        require_memory(folder, what="re-ranking model")
        try:
            with without_progress_bars():
                tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
                model, told = AutoModelForSequenceClassification.from_pretrained(
                    folder, local_files_only=True, use_safetensors=True, output_loading_info=True
                )
        except (OSError, ValueError) as error:
            raise ModelUnusable(
                f"The re-ranking model in '{folder.name}' cannot be loaded: {error}"
            ) from error
        _insist_on_a_ranker(folder, model, told["missing_keys"])
        return cls(tokenizer, model.eval())

    def scores(self, question: str, question_vector: Vectors, candidates: Sequence[Candidate]) -> Vectors:
        passages = [candidate.passage for candidate in candidates]
        texts = [embedding_text(p.title, p.heading_path, p.text) for p in passages]
        scores = np.zeros(len(texts), dtype=np.float32)
        with self._lock:
            pairs = self._tokenizer(
                [question] * len(texts), texts, truncation="longest_first", max_length=self._max_tokens
            )
            for batch in batches([len(ids) for ids in pairs["input_ids"]], _BATCH_TOKENS):
                scores[batch] = self._score(
                    {name: [rows[at] for at in batch] for name, rows in pairs.items()}
                )
        return scores

    def _score(self, pairs: dict[str, list[list[int]]]) -> Vectors:
        import torch

        padded = self._tokenizer.pad(pairs, return_tensors="pt")
        with torch.inference_mode():
            logits = self._model(**padded).logits.float()
        answers = logits[:, 0] if logits.shape[1] == 1 else logits[:, 1] - logits[:, 0]
        found: Vectors = answers.numpy()
        return found


def _insist_on_a_ranker(folder: Path, model: Any, missing: Sequence[str]) -> None:
    """A model without a trained head would be given a random one, and rank at random without a word."""
    if missing:
        raise ModelUnusable(
            f"The model in '{folder.name}' is no cross-encoder: it has no trained weights for "
            f"{', '.join(sorted(missing)[:3])}. Set OSTIARY_RERANKER to one that was trained to rank passages."
        )
    if model.config.num_labels not in (1, 2):
        raise ModelUnusable(
            f"The model in '{folder.name}' tells {model.config.num_labels} classes apart; a re-ranking model"
            " has one score, or two classes of which the second is a passage that answers."
        )
