"""Which answers are being made in this process, so that whoever asked can stop theirs."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from bot.slack.hearing import Heard


class Stops:
    """By question. What another process makes stops where Slack, or its next look at the question, says so."""

    def __init__(self) -> None:
        self._heard: dict[int, Heard] = {}

    @contextmanager
    def reach(self, question_id: int, heard: Heard) -> Iterator[None]:
        """The answer to a question can be stopped meanwhile."""
        self._heard[question_id] = heard
        try:
            yield
        finally:
            del self._heard[question_id]

    def stop(self, question_ids: Iterable[int]) -> None:
        """Let the model stop, where it works on one of these."""
        for question_id in question_ids:
            if question_id in self._heard:
                self._heard[question_id].stop()
