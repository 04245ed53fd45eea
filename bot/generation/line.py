"""The line of those who wait: bounded, and fair between people. A plain value; whoever owns it locks it."""

from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Generic, TypeVar

from bot.generation.generator import LineFull

Item = TypeVar("Item")


class Line(Generic[Item]):
    """Turns go round by asker, one each, and among one asker's own by arrival."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._waiting: OrderedDict[str, deque[Item]] = OrderedDict()

    def __len__(self) -> int:
        return sum(len(items) for items in self._waiting.values())

    def join(self, asker: str, item: Item) -> Item | None:
        """Take a place at the end of the asker's own; raises LineFull.

        In a full line the newest item of whoever has most makes room for somebody who has less: it is returned.
        """
        pushed_out = self._make_room(asker) if len(self) >= self._places else None
        self._waiting.setdefault(asker, deque()).append(item)
        return pushed_out

    def step_in_front(self, asker: str, item: Item) -> None:
        """Back to the front: what had its turn and lost it through no fault of its own. Never refused."""
        self._waiting.setdefault(asker, deque()).appendleft(item)
        self._waiting.move_to_end(asker, last=False)

    def leave(self, asker: str, item: Item) -> None:
        """Give up a place; nothing happens where there is none."""
        items = self._waiting.get(asker, deque())
        if item in items:
            items.remove(item)
            self._forget_if_idle(asker)

    def next(self, wanted: Callable[[Item], bool] = lambda _: True) -> Item | None:
        """The first in turn that is `wanted`, taken out; its asker goes to the end of the round."""
        for item in self.in_turn():
            if wanted(item):
                asker = next(name for name, items in self._waiting.items() if item in items)
                self._waiting[asker].remove(item)
                self._waiting.move_to_end(asker)
                self._forget_if_idle(asker)
                return item
        return None

    def in_turn(self) -> list[Item]:
        """All who wait, the next one first."""
        queues, order = [deque(items) for items in self._waiting.values()], []
        while queues:
            order += [items.popleft() for items in queues]
            queues = [items for items in queues if items]
        return order

    def _make_room(self, asker: str) -> Item:
        own = len(self._waiting.get(asker, ()))
        greediest = max(self._waiting, key=lambda name: len(self._waiting[name]), default=asker)
        if len(self._waiting.get(greediest, ())) <= own + 1:
            raise LineFull
        return self._waiting[greediest].pop()

    def _forget_if_idle(self, asker: str) -> None:
        if not self._waiting[asker]:
            del self._waiting[asker]
