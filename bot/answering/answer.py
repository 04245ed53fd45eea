"""What answering hands back: sentences that each name their sources, and the passages that they name."""

from collections.abc import Mapping
from dataclasses import dataclass

from retrieval.passages import Passage


@dataclass(frozen=True)
class CitedSentence:
    """One sentence of an answer. `passages` are numbers from 1 into Answer.cited; never empty.

    `quoted` tells a document's own sentence from one that the model wrote and the check let through.
    """

    text: str
    passages: tuple[int, ...]
    quoted: bool


@dataclass(frozen=True)
class Answer:
    """A grounded answer, or found=False and no words at all.

    The text holds no links, mentions, HTML or control characters; it is not escaped for any display.
    `confidence` is the calibrated probability that the passages hold an answer: for logs, not for readers.
    """

    sentences: tuple[CitedSentence, ...]
    cited: tuple[Passage, ...]
    found: bool
    model: str
    seconds: Mapping[str, float]
    confidence: float
    as_list: bool = False
    """Each sentence on a line of its own: a summary, a digest, a comparison."""

    @property
    def text(self) -> str:
        """The sentences with their numbers: `Invoices are kept for seven years [1].`"""
        between = "\n" if self.as_list else " "
        return between.join(_numbered(sentence) for sentence in self.sentences)


def _numbered(sentence: CitedSentence) -> str:
    marks = "".join(f"[{number}]" for number in sentence.passages)
    stop = sentence.text[-1:] if sentence.text[-1:] in ".!?" else ""
    return f"{sentence.text.removesuffix(stop)} {marks}{stop}"
