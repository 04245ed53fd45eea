"""One thread that computes: it takes requests from the line, writes many at a time, and starts anew when broken."""

import asyncio
import atexit
import logging
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

from bot.generation.batch import LOOKAHEAD, Batch, WrittenRow
from bot.generation.generator import GenerationFailed, GenerationRefused, LineFull, Request, WaitedTooLong
from bot.generation.line import Line
from bot.generation.weights import Weights
from bot.generation.wording import Wording

_log = logging.getLogger(__name__)
Found = TypeVar("Found")
# One question after the other may break the model; a model that does nothing else is broken itself.
_MOST_BREAKDOWNS = 50
NICENESS = 5


@dataclass(frozen=True)
class Limits:
    """How much at once. `tokens_per_pass` bounds how long those who are read to wait for those who read."""

    together: int = 16
    waiting: int = 64
    wait_seconds: float = 120.0
    cache_bytes: int = 2**30
    tokens_per_pass: int = 256
    look_ahead: int = LOOKAHEAD


class Job:
    """A request on its way through the engine, and what its asker hears of it."""

    def __init__(self, request: Request, row: WrittenRow, wording: Wording) -> None:
        self.request = request
        self.row = row
        self.tried = 0
        self.cancelled = False
        self.since = time.monotonic()
        self._wording = wording
        self._position: int | None = None
        self._loop = asyncio.get_running_loop()
        self._said: asyncio.Queue[str | GenerationRefused | None] = asyncio.Queue()

    async def heard(self) -> str | None:
        """The next piece of text, or None after the last; raises GenerationRefused."""
        said = await self._said.get()
        if isinstance(said, GenerationRefused):
            raise said
        return said

    def stands(self, position: int) -> None:
        if position != self._position:
            self._position = position
            self._in_loop(self.request.on_position, position)

    def goes_on(self) -> bool:
        """Say what is new in the row; False where that was the last of it."""
        piece = self._wording.after(self.row.written, last=self.row.over)
        if piece:
            self._in_loop(self._said.put_nowait, piece)
        if self._wording.ended or self.row.over:
            self.ends(None)
            return False
        return True

    def ends(self, refused: GenerationRefused | None) -> None:
        self._in_loop(self._said.put_nowait, refused)

    def _in_loop(self, told: Callable[[Any], None], what: Any) -> None:
        if self.cancelled:
            return
        try:
            self._loop.call_soon_threadsafe(told, what)
        except RuntimeError:  # the loop of whoever asked is closed
            self.cancelled = True


class Engine:
    """Writes jobs by `weights`. All computing happens on its thread, so that adapters cannot mix."""

    def __init__(self, weights: Weights, limits: Limits) -> None:
        self.limits = limits
        self._weights = weights
        self._line: Line[Job] = Line(limits.waiting)
        self._calls: deque[tuple[Callable[[], Any], Future[Any]]] = deque()
        self._calling: Future[Any] | None = None
        self._running: list[Job] = []
        self._batch = self._new_batch()
        self._passed_over = 0
        self._breakdowns = 0
        self._stopping = False
        self._wake = threading.Condition(threading.RLock())
        self._thread = self._started()
        atexit.register(self.stop)

    def submit(self, job: Job) -> None:
        """Take a place in the line; raises LineFull, or GenerationFailed after `stop`."""
        with self._wake:
            if self._stopping:
                raise _closed()
            pushed_out = self._line.join(job.request.asker, job)
            if pushed_out is not None:
                pushed_out.ends(LineFull())
            self._tell_positions()
            self._wake.notify()

    def cancel(self, job: Job) -> None:
        """Give the job's place to somebody else before the next pass; nothing happens to one that is over."""
        with self._wake:
            job.cancelled = True
            self._line.leave(job.request.asker, job)
            self._tell_positions()
            self._wake.notify()

    def call(self, work: Callable[[], Found]) -> "Future[Found]":
        """Do something else with the weights, between two passes."""
        future: Future[Found] = Future()
        with self._wake:
            if self._stopping:
                future.set_exception(_closed())
            else:
                self._calls.append((work, future))
                self._wake.notify()
        return future

    def stop(self) -> None:
        """End the pass that is running and fail whatever waits; blocks until the thread is gone."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        while (thread := self._thread).is_alive():  # one that breaks now leaves another behind
            thread.join()
        atexit.unregister(self.stop)

    def _started(self) -> threading.Thread:
        thread = threading.Thread(target=self._run, name="language-model", daemon=True)
        thread.start()
        return thread

    def _run(self) -> None:
        _give_way()
        try:
            while self._turn():
                pass
        except BaseException as error:  # a thread that dies would leave everybody waiting
            self._recover(error)

    def _turn(self) -> bool:
        """One pass and what is due before it; False when all is over."""
        with self._wake:
            while not (self._stopping or self._calls or self._running or len(self._line)):
                self._wake.wait()
            if self._stopping:
                self._fail_all()
                return False
            work, self._calling = self._calls.popleft() if self._calls else (None, None)
            self._sort_out()
            self._begin_more()
        if work is not None and self._calling is not None:
            _answer(self._calling, work)
            self._calling = None
        if self._batch.rows:
            self._write()
        return True

    def _write(self) -> None:
        moved = {id(row) for row in self._batch.step()}
        self._breakdowns = 0
        for job in [job for job in self._running if id(job.row) in moved]:
            if not job.goes_on():
                self._let_go(job)

    def _let_go(self, job: Job) -> None:
        self._running.remove(job)
        self._batch.remove(job.row)

    def _sort_out(self) -> None:
        """Nobody is written for who does not listen, and nobody waits for ever."""
        for job in [job for job in self._running if job.cancelled]:
            self._let_go(job)
        late = time.monotonic() - self.limits.wait_seconds
        for job in [job for job in self._line.in_turn() if job.since < late or job.cancelled]:
            self._line.leave(job.request.asker, job)
            job.ends(WaitedTooLong())

    def _begin_more(self) -> None:
        while len(self._running) < self._most_together():
            first = next(iter(self._line.in_turn()), None)
            job = self._line.next(self._may_begin)
            if job is None:
                break
            self._passed_over = 0 if job is first else self._passed_over + 1
            self._running.append(job)
            self._batch.add(job.row)
            job.stands(0)
        self._tell_positions()

    def _most_together(self) -> int:
        alone = self._weights.one_at_a_time or any(job.tried for job in self._running)
        return 1 if alone else self.limits.together

    def _may_begin(self, job: Job) -> bool:
        """Whoever is first may always begin on an empty desk. Others may begin before them, but not for ever."""
        if not self._running:
            return True
        if job.tried or job.row.adapter != self._batch.adapter:
            return False
        if self._passed_over >= self.limits.together and job is not self._line.in_turn()[0]:
            return False
        needed = job.row.ends * self._weights.shape.bytes_per_token
        return self._batch.bytes + needed <= self.limits.cache_bytes

    def _tell_positions(self) -> None:
        for position, job in enumerate(self._line.in_turn(), start=1):
            job.stands(position)

    def _recover(self, error: BaseException) -> None:
        """Try again once what was being written, each by itself: one of them may be what broke the thread."""
        _log.error("The language model broke down and is started anew: %s: %s", type(error).__name__, error)
        with self._wake:
            if self._calling is not None and not self._calling.done():
                self._calling.set_exception(_broke())
            broken, self._running, self._batch = self._running, [], self._new_batch()
            for job in reversed(broken):
                self._try_again(job)
            self._breakdowns += 1
            if self._breakdowns > _MOST_BREAKDOWNS:
                self._stopping = True
            self._thread = self._started()

    def _try_again(self, job: Job) -> None:
        if job.row.over:
            job.goes_on()
        elif job.tried:
            job.ends(_broke())
        else:
            job.tried += 1
            job.row.begin_again()
            self._line.step_in_front(job.request.asker, job)

    def _fail_all(self) -> None:
        for job in [*self._running, *self._line.in_turn()]:
            job.ends(_closed())
        for _, future in self._calls:
            future.set_exception(_closed())
        self._calls.clear()

    def _new_batch(self) -> Batch:
        return Batch(self._weights, self.limits.tokens_per_pass, self.limits.look_ahead)


def _answer(future: "Future[Any]", work: Callable[[], Any]) -> None:
    try:
        future.set_result(work())
    except Exception as error:  # it belongs to whoever called
        future.set_exception(error)


def _give_way() -> None:
    """Let whatever answers Slack, and the database, go before this thread where the cores are few.

    On Linux a thread has a niceness of its own, which those that it begins inherit; elsewhere nothing is done.
    """
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


def _closed() -> GenerationFailed:
    return GenerationFailed("The language model is being shut down; ask again when it is back.")


def _broke() -> GenerationFailed:
    return GenerationFailed("The language model broke down over this question twice. Ask it in other words.")
