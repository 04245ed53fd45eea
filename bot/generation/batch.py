"""The texts that are written at the same time: what each feeds to the model in a pass, and what it gets."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.generation.looking_ahead import agreed, lookahead
from bot.generation.rows import Row, next_tokens
from bot.generation.weights import Weights

# A guess is verified for the price of one token while the weights are being read anyway; more rarely holds. Beside
# others it is not free, so they share the guesses.
LOOKAHEAD = 8


class WrittenRow(Row):
    """A row that is being written: until an end token, or until it has `limit` tokens after its prompt."""

    def __init__(self, prompt: Sequence[int], limit: int, adapter: str | None = None) -> None:
        super().__init__(prompt)
        self.adapter = adapter
        self.begins = len(self.tokens)
        self.ends = self.begins + limit
        self.over = limit <= 0

    @property
    def written(self) -> list[int]:
        return self.tokens[self.begins :]

    def begin_again(self) -> None:
        """Forget what was computed, not what was written: the same words will not be said twice."""
        self.held, self._kept = 0, None

    def take(self, best: Sequence[int], guesses: int, ends: frozenset[int]) -> None:
        """Go on by what the model says after each token that was fed and is not prompt."""
        guess = self.feeding[len(self.feeding) - guesses :] if guesses else []
        right = agreed(guess, best)
        self.held += len(self.feeding) - guesses + right
        for token in best[: right + 1]:
            self.over = self.over or token in ends
            if self.over:
                return
            self.tokens.append(token)
            self.over = len(self.tokens) >= self.ends


@dataclass(frozen=True)
class _Share:
    """What one row has in a pass: `guesses` at its end; `tells` where its prompt is through."""

    row: WrittenRow
    guesses: int
    tells: bool


class Batch:
    """The rows in work, oldest first. Not thread-safe."""

    def __init__(self, weights: Weights, tokens_per_pass: int, look_ahead: int = LOOKAHEAD) -> None:
        self.rows: list[WrittenRow] = []
        self.look_ahead = look_ahead
        self._weights = weights
        self._tokens_per_pass = tokens_per_pass

    @property
    def adapter(self) -> str | None:
        """Which weights all of the rows are written by."""
        return self.rows[0].adapter if self.rows else None

    @property
    def bytes(self) -> int:
        return sum(row.ends for row in self.rows) * self._weights.shape.bytes_per_token

    def add(self, row: WrittenRow) -> None:
        if self.rows and row.adapter != self.adapter:
            raise ValueError("Rows of different adapters cannot be written together.")
        row.make_room(row.ends, self._weights.shape, self._weights.device)
        self.rows.append(row)

    def remove(self, row: WrittenRow) -> None:
        if row in self.rows:
            self.rows.remove(row)

    def step(self) -> list[WrittenRow]:
        """One pass; the rows that have new tokens or are over. Those that are over have left the batch."""
        shares, at, wanted = self._shares(), 0, list[int]()
        for share in shares:
            end = at + len(share.row.feeding)
            wanted += range(end - 1 - share.guesses, end) if share.tells else []
            at = end
        self._weights.use(self.adapter)
        rows = [share.row for share in shares]
        best = next_tokens(self._weights.model, rows, wanted or [at - 1], self._weights.device)
        return self._taken(shares, best)

    def _taken(self, shares: Sequence[_Share], best: list[int]) -> list[WrittenRow]:
        told, at = [], 0
        for share in shares:
            if not share.tells:
                share.row.held += len(share.row.feeding)
                continue
            share.row.take(best[at : at + share.guesses + 1], share.guesses, self._weights.ends)
            at += share.guesses + 1
            told.append(share.row)
        self.rows = [row for row in self.rows if not row.over]
        return told

    def _shares(self) -> list[_Share]:
        """All that is being written goes on by a token; what is left of the pass reads prompts, oldest first."""
        reading = [row for row in self.rows if len(row.tokens) - row.held > 1]
        writing = [row for row in self.rows if len(row.tokens) - row.held == 1]
        ahead = self.look_ahead // max(1, len(writing))
        shares, left = [], self._tokens_per_pass
        for row in writing:
            guess = lookahead(row.tokens, min(ahead, row.ends - len(row.tokens) - 1))
            left -= len(row.feed(1, guess))
            shares.append(_Share(row, len(guess), tells=True))
        for row in reading:
            if left <= 0 and shares:
                break
            rest = len(row.tokens) - row.held
            left -= len(row.feed(min(rest, max(left, 1))))
            shares.append(_Share(row, 0, tells=len(row.feeding) == rest))
        return shares
