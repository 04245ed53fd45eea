"""Who may read what, worked out the plainest way there is and without a line of the code under test."""

from collections.abc import Iterable
from datetime import datetime

from bot.probe.copying import Rules, Stance


def roles_held(stance: Stance, rules: Rules, now: datetime) -> frozenset[str]:
    """The roles of somebody who stands so: none for whoever is gone, from outside, or no person."""
    if not stance.active or stance.kind not in ("member", "guest", "single_channel_guest"):
        return frozenset()
    is_guest = stance.kind != "member"
    own, barred = ("guest", "everyone") if is_guest else ("everyone", "guest")
    held = {own} | {role for role, expires in stance.grants if expires is None or expires > now}
    for place, source in enumerate(rules.sources):
        if place in stance.sources or (source.kind == "flag" and _has_flag(stance, source.reference)):
            held |= {role for role, guests_too in source.roles if guests_too or not is_guest}
    held.discard(barred)
    while brought := {above for role, above in rules.inherits if role in held} - held - {barred}:
        held |= brought
    return frozenset(held)


def _has_flag(stance: Stance, flag: str) -> bool:
    if flag in ("admin", "owner"):
        return stance.is_admin if flag == "admin" else stance.is_owner
    return (stance.kind == "member") if flag == "member" else stance.kind != "member"


def admits(policy: str, roles: Iterable[str]) -> bool:
    """Whether `finance+leadership,hr+!contractor` admits somebody who holds `roles`."""
    held = set(roles)
    for clause in policy.split(","):
        words = clause.split("+")
        needed = {word for word in words if not word.startswith("!")} - {"nobody"}
        refused = {word[1:] for word in words if word.startswith("!")}
        if needed and needed <= held and not refused & held:
            return True
    return False
