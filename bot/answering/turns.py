"""What was said before in a conversation, and a question that stands alone: what rewriting takes and gives."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Turn:
    """An earlier question of the same conversation, and what was answered to it.

    Without an answer where there was none, or where its labels are not (any more) all in the present clearance.
    `label_ids` are those of all that the answer was made from, `chunk_ids` those of what it cited.
    """

    question: str
    answer: str = ""
    label_ids: frozenset[int] = frozenset()
    chunk_ids: tuple[int, ...] = ()


@dataclass(frozen=True)
class StandingAlone:
    """A question that needs nothing said before it, and the sources of earlier answers that gave it words."""

    text: str
    label_ids: frozenset[int] = frozenset()
    chunk_ids: tuple[int, ...] = ()

    def with_sources(self, turn: Turn) -> "StandingAlone":
        return StandingAlone(
            self.text,
            self.label_ids | turn.label_ids,
            tuple(dict.fromkeys((*self.chunk_ids, *turn.chunk_ids))),
        )
