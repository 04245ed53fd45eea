"""What a user asks of the supervisor that it launches."""

import json
from dataclasses import asdict, dataclass

from auth.server.binaries import Wheel


@dataclass(frozen=True)
class Orders:
    """Crosses from the user to the supervisor as one JSON argument. Times in seconds."""

    home: str
    system_dir: str
    wheel: Wheel
    linger_s: float
    start_timeout_s: float
    fast_but_unsafe: bool

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> "Orders":
        return Orders(**json.loads(text))
