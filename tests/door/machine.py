"""A machine that makes random moves in the company; whatever it does, nobody is told what they may not read."""

import asyncio
from collections import Counter
from collections.abc import Awaitable
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from auth.database import Database
from tests.door.world import CHANNELS, GROUPS, PEOPLE, ROLES, World

people, roles, groups = st.sampled_from(PEOPLE), st.sampled_from(ROLES), st.sampled_from(GROUPS)
channels, numbers = st.sampled_from(tuple(CHANNELS)), st.integers(0, 10_000)
some_roles = st.frozensets(st.sampled_from((*ROLES, "everyone", "guest")), min_size=1, max_size=2)
no_or_some = st.one_of(st.just(frozenset[str]()), st.frozensets(roles, min_size=1, max_size=1))
_for_all = frozenset({(frozenset({"everyone"}), frozenset[str]())})
_guests_too = _for_all | {(frozenset({"guest"}), frozenset[str]())}
policies = st.one_of(
    st.just(_for_all),
    st.just(_guests_too),
    st.builds(lambda role: frozenset({(frozenset({role}), frozenset[str]())}), roles),
    st.frozensets(st.tuples(some_roles, no_or_some), max_size=2),
)
kinds = st.sampled_from((*["member"] * 5, "guest", "single_channel_guest", "outsider"))
mostly = st.sampled_from((*[True] * 5, False))
lives = st.sampled_from((None, None, 60.0, 0.03))


class DoorMachine(RuleBasedStateMachine):
    """Steps through a company's life. `database` and `loop` are set by whoever runs it; `made` counts the moves."""

    database: ClassVar[Database]
    loop: ClassVar[asyncio.AbstractEventLoop]
    made: ClassVar[Counter[str]] = Counter()
    world: World

    def _do(self, name: str, move: Awaitable[Any]) -> Any:
        self.made[f"step: {name}"] += 1
        return self.loop.run_until_complete(move)  # type: ignore[arg-type]

    def _document(self, at: int) -> int | None:
        alive = sorted(self.world.label_of)
        return alive[at % len(alive)] if alive else None

    @initialize(first=policies, second=policies, user=people, role=roles)
    def found(self, first: Any, second: Any, user: str, role: str) -> None:
        self.world = self.loop.run_until_complete(World.found(self.database))
        for channel in CHANNELS:
            for somebody in PEOPLE[:2]:
                self._do("join", self.world.join(somebody, channel))
        self._do("ingest", self.world.ingest(first, False))
        self._do("ingest", self.world.ingest(second, True))
        self._do("ingest", self.world.ingest(frozenset({(frozenset({role}), frozenset[str]())}), False))
        for somebody in (*PEOPLE[:2], user):  # a channel of two who may read something that others may not
            self._do("grant", self.world.grant(somebody, role, None))

    @rule(user=people, role=roles, lives_s=lives)
    def grants(self, user: str, role: str, lives_s: float | None) -> None:
        self._do("grant" if lives_s is None else "grant for a while", self.world.grant(user, role, lives_s))

    @rule(user=people, role=roles)
    def revokes(self, user: str, role: str) -> None:
        self._do("revoke", self.world.revoke(user, role))

    @rule(user=people, kind=kinds, active=mostly)
    def changes_standing(self, user: str, kind: str, active: bool) -> None:
        self._do("change of standing", self.world.change_person(user, kind, active))

    @rule(role=roles, parents=st.sets(roles, max_size=2))
    def inherits(self, role: str, parents: set[str]) -> None:
        self._do("inheritance", self.world.inherit(role, parents))

    @rule(group=groups, role=roles, guests_too=st.booleans())
    def maps(self, group: str, role: str, guests_too: bool) -> None:
        self._do("map a group", self.world.map_group(group, role, guests_too))

    @rule(group=groups, role=roles)
    def unmaps(self, group: str, role: str) -> None:
        self._do("unmap a group", self.world.unmap_group(group, role))

    @rule(group=groups, user=people, joins=st.booleans())
    def changes_group(self, group: str, user: str, joins: bool) -> None:
        self._do("change of a group", self.world.change_group(group, user, joins))

    @rule(user=people, channel=channels)
    def joins(self, user: str, channel: str) -> None:
        self._do("join", self.world.join(user, channel))

    @rule(user=people, channel=channels)
    def leaves(self, user: str, channel: str) -> None:
        self._do("leave", self.world.leave(user, channel))

    @rule(policy=policies, collected=st.booleans())
    def ingests(self, policy: Any, collected: bool) -> None:
        if len(self.world.label_of) < 8:
            self._do("ingest", self.world.ingest(policy, collected))

    @rule(at=numbers, policy=policies)
    def relabels(self, at: int, policy: Any) -> None:
        if (document := self._document(at)) is not None:
            self._do("relabel", self.world.relabel(document, policy))

    @rule(at=numbers, policy=policies)
    def changes_label(self, at: int, policy: Any) -> None:
        if (document := self._document(at)) is not None:
            self._do("change a label", self.world.change_label(document, policy))

    @rule(at=numbers)
    def deletes(self, at: int) -> None:
        if (document := self._document(at)) is not None:
            self._do("delete", self.world.delete(document))

    @rule(user=people, number=numbers, at_once=st.booleans())
    def asks_directly(self, user: str, number: int, at_once: bool) -> None:
        self._do("ask", self.world.ask(user, f"D-{user}", None, number))
        if at_once:
            self._do("work", self.world.work())

    @rule(user=people, channel=channels, number=numbers, threaded=st.booleans(), at_once=st.booleans())
    def asks_in_a_channel(self, user: str, channel: str, number: int, threaded: bool, at_once: bool) -> None:
        if user in self.world.company.channels[channel].members:
            self._do("ask", self.world.ask(user, channel, "1.0" if threaded else None, number))
            if at_once:
                self._do("work", self.world.work())

    @rule(user=people, channel=channels, role=roles, at=numbers, what=st.integers(0, 3), policy=policies)
    def asks_while_rights_change(
        self, user: str, channel: str, role: str, at: int, what: int, policy: Any
    ) -> None:
        world, document = self.world, self._document(at)
        if user not in world.company.channels[channel].members:
            return
        self._do("ask", world.ask(user, channel, None, at))
        moves = (
            lambda: world.revoke(user, role),
            lambda: world.join(PEOPLE[at % len(PEOPLE)], channel),
            lambda: world.change_person(PEOPLE[at % len(PEOPLE)], "guest", True),
            lambda: world.relabel(document, policy) if document is not None else world.leave(user, channel),
        )
        self._do("change while answering", world.meanwhile(moves[what]))
        self._do("work", world.work())
        world.parrot.meanwhile.clear()

    @rule()
    def works(self) -> None:
        self._do("work", self.world.work())

    @rule(at=numbers, stranger=st.one_of(st.none(), people), at_once=st.booleans())
    def clicks(self, at: int, stranger: str | None, at_once: bool) -> None:
        if self.world.slack.buttons:
            self._do("click", self.world.click(at, stranger))
            if at_once:
                self._do("work", self.world.work())

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self._do("work", self.world.work())
            self.made.update({f"sent: {surface}": n for surface, n in self.world.slack.delivered.items()})
            self.made.update({f"asked: {where}": n for where, n in self.world.asked.items()})
