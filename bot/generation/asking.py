"""For whom a text is written, where it is not said in the call: LangChain passes on only what it knows."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_ASKER: ContextVar[str] = ContextVar("asker", default="")
_ON_POSITION: ContextVar[Callable[[int], None] | None] = ContextVar("on_position", default=None)


@contextmanager
def asking(asker: str, on_position: Callable[[int], None] | None = None) -> Iterator[None]:
    """All that is generated inside is for `asker`; `on_position` hears the place in the line."""
    who, where = _ASKER.set(asker), _ON_POSITION.set(on_position)
    try:
        yield
    finally:
        _ASKER.reset(who)
        _ON_POSITION.reset(where)


def present_asker() -> str:
    return _ASKER.get()


def present_listener() -> Callable[[int], None] | None:
    return _ON_POSITION.get()
