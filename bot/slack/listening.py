"""Who hears an answer, and what they may read: looked at before it is made or sent, and while it grows."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from auth.clearance import Clearance
from auth.rights import Audience


class Part(Enum):
    """Who an answer is for: everybody in the place, or its asker alone."""

    EVERYBODY = "channel"
    ASKER = "asker"


@dataclass(frozen=True)
class Listening:
    """Who hears an answer, and what they, and its asker, may read at one moment."""

    at: datetime
    asker: Clearance
    audience: Audience
    everybody: Clearance
    changes: int = 0
    """How often it was heard, before this look, that people came or went there."""

    def clearance(self, part: Part) -> Clearance:
        return self.everybody if part is Part.EVERYBODY else self.asker

    def hearers(self, part: Part, asker_slack_id: str) -> Audience:
        return self.audience if part is Part.EVERYBODY else Audience(frozenset({asker_slack_id}))
