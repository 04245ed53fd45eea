"""Many texts of different lengths in one pass: each is a row with keys and values of its own.

The tokens of all rows stand side by side, so that the weights are read once for all of them, and each row attends
to itself alone: no padding, no mask over what belongs to others, no copy of what was there before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention

ATTENTION = "ostiary_rows"


@dataclass(frozen=True)
class Shape:
    """What a model keeps of one token: keys and values of `layers` layers, (heads, width) each."""

    layers: int
    heads: int
    width: int
    dtype: torch.dtype

    @classmethod
    def of(cls, config: Any, dtype: torch.dtype) -> "Shape":
        text = config.get_text_config()
        width = getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads
        heads = getattr(text, "num_key_value_heads", None) or text.num_attention_heads
        return cls(int(text.num_hidden_layers), int(heads), int(width), dtype)

    @property
    def bytes_per_token(self) -> int:
        return 2 * self.layers * self.heads * self.width * self.dtype.itemsize


class Row:
    """The tokens of one text, and the keys and values of those that were computed."""

    def __init__(self, tokens: Sequence[int]) -> None:
        self.tokens = list(tokens)
        self.held = 0
        """Tokens whose keys and values are kept."""
        self.feeding: list[int] = []
        self._kept: torch.Tensor | None = None
        self._masks: dict[int | None, torch.Tensor] = {}

    def make_room(self, most: int, shape: Shape, device: torch.device) -> None:
        """Memory for `most` tokens, all at once: a row that has begun can be finished."""
        size = (shape.layers, 2, shape.heads, most, shape.width)
        self._kept = torch.empty(size, dtype=shape.dtype, device=device)

    def feed(self, count: int, guess: Sequence[int] = ()) -> list[int]:
        """The next `count` tokens that are not computed yet, and what may follow them."""
        self.feeding = [*self.tokens[self.held : self.held + count], *guess]
        self._masks = {}
        return self.feeding

    def positions(self) -> range:
        return range(self.held, self.held + len(self.feeding))

    def attend(
        self, layer: int, query: Any, key: Any, value: Any, scaling: float | None, window: int | None
    ) -> Any:
        """Attention of the tokens being fed, (1, heads, fed, width), to themselves and all before them."""
        fed, end = len(self.feeding), self.held + len(self.feeding)
        if self._kept is not None:
            keys, values = self._kept[layer, 0, :, :end], self._kept[layer, 1, :, :end]
            keys[:, self.held :], values[:, self.held :] = key[0], value[0]
            key, value = keys.unsqueeze(0), values.unsqueeze(0)
        whole = window is None or end <= window
        alone = whole and (fed == 1 or self.held == 0)
        return scaled_dot_product_attention(
            query,
            key,
            value,
            attn_mask=None if alone else self._mask(None if whole else window, query.device),
            is_causal=alone and fed > 1,
            scale=scaling,
            enable_gqa=query.shape[1] != key.shape[1],
        )

    def _mask(self, window: int | None, device: torch.device) -> torch.Tensor:
        """Who looks at whom, (fed, all): made once for all layers of a kind."""
        if window not in self._masks:
            fed, end = len(self.feeding), self.held + len(self.feeding)
            mask = torch.ones(fed, end, dtype=torch.bool, device=device).tril(self.held)
            self._masks[window] = mask if window is None else mask.triu(self.held - window + 1)
        return self._masks[window]


def next_tokens(model: Any, rows: Sequence[Row], wanted: Sequence[int], device: torch.device) -> list[int]:
    """One pass over what all `rows` feed: the most likely token after each of the `wanted` places.

    Places count through all rows. Advances no row: what was guessed may be wrong.
    """
    found: list[int] = _logits(model, rows, wanted, device).argmax(dim=-1).tolist()
    return found


def likelihoods(
    model: Any, prefixes: Sequence[Sequence[int]], continuation: Sequence[int], device: torch.device
) -> list[float]:
    """Mean log-probability per token of `continuation` after each prefix."""
    tail, rows, wanted = list(continuation), list[Row](), list[int]()
    for prefix in prefixes:
        row = Row([*prefix, *tail])
        start = sum(len(other.feeding) for other in rows) + len(prefix) - 1
        wanted += range(start, start + len(tail))
        row.feed(len(row.tokens))
        rows.append(row)
    scores = _logits(model, rows, wanted, device).float().log_softmax(dim=-1)
    chosen = torch.tensor(tail, device=device).repeat(len(rows)).unsqueeze(-1)
    means: list[float] = scores.gather(-1, chosen).view(len(rows), len(tail)).mean(dim=1).tolist()
    return means


def attend_by_rows(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    sliding_window: int | None = None,
    rows: Sequence[Row] = (),
    **others: Any,
) -> tuple[torch.Tensor, None]:
    """An attention implementation for transformers; refuses what it would silently leave out."""
    if others.get("softcap") or others.get("s_aux") is not None:
        raise NotImplementedError("soft caps and sinks")
    outputs, at = [], 0
    for row in rows:
        part = slice(at, at + len(row.feeding))
        at = part.stop
        outputs.append(
            row.attend(
                module.layer_idx,
                query[:, :, part],
                key[:, :, part],
                value[:, :, part],
                scaling,
                sliding_window,
            )
        )
    together = outputs[0] if len(outputs) == 1 else torch.cat(outputs, dim=2)
    return together.transpose(1, 2).contiguous(), None


def _logits(model: Any, rows: Sequence[Row], wanted: Sequence[int], device: torch.device) -> torch.Tensor:
    """(wanted, vocabulary)"""
    with torch.inference_mode():
        output = model(
            input_ids=torch.tensor([[token for row in rows for token in row.feeding]], device=device),
            position_ids=torch.tensor([[place for row in rows for place in row.positions()]], device=device),
            use_cache=False,
            rows=rows,
            logits_to_keep=torch.tensor(list(wanted), device=device),
        )
    logits: torch.Tensor = output.logits[0]
    return logits
