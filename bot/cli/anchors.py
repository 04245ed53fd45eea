"""The ends of the audit log that were noted outside the database: one line of JSON each, only ever added to."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from auth.audit import Anchor
from auth.errors import OstiaryError

NAME = "audit-anchors.jsonl"


class UnreadableAnchors(OstiaryError):
    """The file of anchors is not what `ostiary audit verify` wrote; the message says where."""


@dataclass(frozen=True)
class AnchorFile:
    """What was noted of one workspace's log. `team_id` tells the workspaces of one home apart."""

    path: Path
    team_id: str

    def read(self) -> tuple[Anchor, ...]:
        """Every end that was noted of this workspace, oldest first; none where there is no file yet."""
        try:
            lines = self.path.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return ()
        except (OSError, UnicodeDecodeError) as error:
            raise UnreadableAnchors(f"{self.path} could not be read: {error}.") from error
        noted = [self._line(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
        return tuple(anchor for team_id, anchor in noted if team_id == self.team_id)

    def add(self, anchor: Anchor, now: datetime | None = None) -> None:
        """Note an end that is whole."""
        noted = {"workspace": self.team_id, "seq": anchor.seq, "hash": anchor.hash}
        line = json.dumps({**noted, "date": (now or datetime.now(UTC)).isoformat(timespec="seconds")})
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")

    def _line(self, number: int, line: str) -> tuple[str, Anchor]:
        try:
            noted = json.loads(line)
            return str(noted["workspace"]), Anchor(int(noted["seq"]), str(noted["hash"]))
        except (ValueError, KeyError, TypeError) as error:
            raise UnreadableAnchors(
                f"Line {number} of {self.path} is no anchor. Bring back the copy that is kept elsewhere, or move"
                " the file away; `--no-anchor` checks without it."
            ) from error
