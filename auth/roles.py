"""Roles: what a person holds, directly and through inheritance. Pure functions over names."""

from collections.abc import Iterable, Mapping

from auth.errors import OstiaryError

EVERYONE = "everyone"
"""Built in: held by every active full member of the workspace."""
GUEST = "guest"
"""Built in: held by every active guest of the workspace."""
ADMIN = "ostiary-admin"
"""May add documents and choose their readers. Slack's own admin flag does not grant it."""
BUILT_IN = frozenset({EVERYONE, GUEST, ADMIN})

Inheritance = Mapping[str, frozenset[str]]
"""role -> the roles that whoever holds it holds too."""


class RoleCycle(OstiaryError):
    """Roles may not inherit from each other in a circle; `cycle` names them in order."""

    def __init__(self, cycle: list[str]) -> None:
        super().__init__(
            f"Roles may not inherit in a circle: {' -> '.join(cycle)}. Remove one of these links."
        )
        self.cycle = cycle


def closure(held: Iterable[str], inheritance: Inheritance, barred: str | None = None) -> frozenset[str]:
    """Every role held once inheritance is followed to its end; never `barred`, nor what only that would bring."""
    reached: set[str] = set()
    waiting = list(held)
    while waiting:
        role = waiting.pop()
        if role not in reached and role != barred:
            reached.add(role)
            waiting.extend(inheritance.get(role, ()))
    return frozenset(reached)


def refuse_cycles(inheritance: Inheritance) -> None:
    """Raise RoleCycle, naming the roles in order, if any role inherits itself."""
    finished: set[str] = set()
    for start in inheritance:
        _walk(start, inheritance, [], finished)


def _walk(role: str, inheritance: Inheritance, path: list[str], finished: set[str]) -> None:
    if role in path:
        raise RoleCycle([*path[path.index(role) :], role])
    if role in finished:
        return
    for parent in sorted(inheritance.get(role, ())):
        _walk(parent, inheritance, [*path, role], finished)
    finished.add(role)
