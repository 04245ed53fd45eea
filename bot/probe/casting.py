"""Synthetic people: one for each set of roles that somebody really has, and those who should get least."""

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.probe.copying import Rules, Stance
from bot.probe.ruling import admits, roles_held

ADMIN = "ostiary-admin"
BUILT_IN = {"everyone": "Every full member", "guest": "Every guest", ADMIN: "May administer"}


@dataclass
class Actor:
    """Somebody who does not exist. `stance` changes as the probe gives and takes away."""

    user_id: str
    handle: str
    why: str
    stance: Stance

    @property
    def is_member(self) -> bool:
        return self.stance.active and self.stance.kind == "member"

    @property
    def may_write(self) -> bool:
        return self.stance.active and self.stance.kind != "bot"


@dataclass
class Cast:
    """The people of a probe and the rules that they stand under. `left_out`: role sets beyond the limit."""

    rules: Rules
    actors: list[Actor]
    left_out: int
    _by_why: dict[str, Actor] = field(init=False)

    def __post_init__(self) -> None:
        self._by_why = {actor.why: actor for actor in self.actors}

    def called(self, why: str) -> Actor:
        """One of those who are in every cast."""
        return self._by_why[why]

    def roles(self, actor: Actor, now: datetime) -> frozenset[str]:
        return roles_held(actor.stance, self.rules, now)

    def may_read(self, actor: Actor, policies: Iterable[str], now: datetime) -> bool:
        roles = self.roles(actor, now)
        return any(admits(policy, roles) for policy in policies)


PLAIN, GUEST, SINGLE, OUTSIDER = "a member without roles", "a guest", "a single-channel guest", "an outsider"
UNKNOWN = Actor("U0NOBODY", "u0nobody", "somebody whom not even Slack knows", Stance("unknown"))
GONE, ROBOT, EXPIRED = (
    "somebody deactivated who held every role",
    "another app",
    "somebody whose roles ran out",
)
ADMINISTRATOR, FLAGGED, SPARE = "an administrator of the bot and nothing else", "a workspace owner", "a spare"
SPARES = 4


def cast_for(rules: Rules, *, most: int, rng: random.Random, now: datetime) -> Cast:
    """At most about `most` people. Beyond that the sets of roles are drawn by `rng`; those of need stay."""
    needed = [*_of_need(rules, now)]
    seen = {(stance.kind, stance.active, roles_held(stance, rules, now)) for _, stance in needed}
    occurring = _distinct(_real(rules), rules, seen, now)
    alone = _distinct(_with_one_role(rules), rules, seen, now)
    room = max(most - len(needed), 0)
    chosen = [*occurring, *alone]
    if len(chosen) > room:
        chosen = rng.sample(occurring, min(room, len(occurring)))
        chosen += rng.sample(alone, min(room - len(chosen), len(alone)))
    people = [*needed, *chosen]
    people += _readers_for_every_policy(rules, [stance for _, stance in people], now)
    actors = [
        Actor(f"UPROBE{at:04d}", f"probe-{at:04d}", why, stance)
        for at, (why, stance) in enumerate(people, start=1)
    ]
    return Cast(rules, actors, len(occurring) + len(alone) - len(chosen))


def _of_need(rules: Rules, now: datetime) -> Iterator[tuple[str, Stance]]:
    everything = frozenset((role, None) for role in rules.roles if role not in ("everyone", "guest"))
    over = frozenset((role, now - timedelta(days=1)) for role, _ in everything)
    sources = frozenset(place for place, source in enumerate(rules.sources) if source.kind != "flag")
    yield PLAIN, Stance("member")
    yield GUEST, Stance("guest")
    yield SINGLE, Stance("single_channel_guest")
    yield OUTSIDER, Stance("outsider", grants=everything)
    yield GONE, Stance("member", active=False, grants=everything, sources=sources)
    yield ROBOT, Stance("bot", grants=everything)
    yield EXPIRED, Stance("member", grants=over)
    yield ADMINISTRATOR, Stance("member", grants=frozenset({(ADMIN, None)}))
    yield FLAGGED, Stance("member", is_admin=True, is_owner=True)
    for number in range(1, SPARES + 1):  # whom the probe gives roles and takes them from again
        yield f"{SPARE} {number}", Stance("member")


def _real(rules: Rules) -> Iterator[tuple[str, Stance]]:
    for stance, count in sorted(rules.stances.items(), key=lambda pair: -pair[1]):
        if stance.kind != "bot":
            kind = "" if stance.kind == "member" else f", {stance.kind}"
            yield f"{count} of the workspace's people{kind}", stance


def _with_one_role(rules: Rules) -> Iterator[tuple[str, Stance]]:
    for role in rules.roles:
        if role not in ("everyone", "guest"):
            yield f"a holder of {role} alone", Stance("member", grants=frozenset({(role, None)}))


def _distinct(
    people: Iterable[tuple[str, Stance]],
    rules: Rules,
    seen: set[tuple[str, bool, frozenset[str]]],
    now: datetime,
) -> list[tuple[str, Stance]]:
    """The first of each kind and set of roles that was not seen yet."""
    found = []
    for why, stance in people:
        key = (stance.kind, stance.active, roles_held(stance, rules, now))
        if key not in seen:
            seen.add(key)
            found.append((why, stance))
    return found


def _readers_for_every_policy(
    rules: Rules, stances: Sequence[Stance], now: datetime
) -> list[tuple[str, Stance]]:
    """For each policy that admits nobody so far, somebody with just the roles that it asks for."""
    held = [roles_held(stance, rules, now) for stance in stances if stance.kind == "member"]
    found = []
    for policy in rules.policies:
        if any(admits(policy, roles) for roles in held):
            continue
        asked = policy.split(",")[0].split("+")
        grants = frozenset((role, None) for role in asked if role[0] != "!" and role in rules.roles)
        stance = Stance("member", grants=grants)
        if admits(policy, roles_held(stance, rules, now)):
            found.append((f"a reader of {policy}", stance))
            held.append(roles_held(stance, rules, now))
    return found


def with_roles(stance: Stance, roles: Iterable[str]) -> Stance:
    """The same, holding these roles too, until they are taken away."""
    return replace(stance, grants=stance.grants | {(role, None) for role in roles})


def without_roles(stance: Stance, roles: Iterable[str]) -> Stance:
    gone = set(roles)
    return replace(stance, grants=frozenset(pair for pair in stance.grants if pair[0] not in gone))


def with_built_in(rules: Rules) -> Rules:
    """The rules, with the roles and policies that every workspace has."""
    roles: Mapping[str, str] = {**BUILT_IN, **rules.roles}
    policies = dict.fromkeys([*rules.policies, "everyone", "guest", ADMIN, "nobody"])
    return replace(rules, roles=roles, policies=tuple(policies))
