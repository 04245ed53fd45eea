"""Every surface there is, in the order in which it is tried: what changes rights comes after what only asks."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.probe import staging
from bot.probe.scene import Scene
from bot.probe.surfaces import (
    asking,
    commands,
    console,
    handing_in,
    lending,
    outside,
    presence,
    revoking,
    sharing,
    under_answers,
)
from bot.probe.surfaces.meeting import in_meetings, with_somebody_unknown


@dataclass(frozen=True)
class Surface:
    """A way by which words could get out, and the attempts at it."""

    name: str
    attack: Callable[[Scene], Awaitable[None]]


MEETINGS = (
    staging.PUBLIC,
    staging.PUBLIC_GUEST,
    staging.MIXED,
    staging.PRIVATE_GUEST,
    staging.SHARED,
    staging.SHARED_PUBLIC,
    staging.WITH_APP,
    staging.WITH_GONE,
    staging.PAIR,
    staging.ALONE,
    staging.GROUP,
)
SURFACES = (
    Surface("direct messages", asking.direct_messages),
    Surface("questions that name nothing", asking.sweeps),
    Surface("odd questions", asking.odd_questions),
    *(Surface(kind, in_meetings(kind)) for kind in MEETINGS),
    Surface("a place with somebody unknown", with_somebody_unknown),
    Surface("denied and missing", presence.denied_and_missing),
    Surface("Answer here for everybody", sharing.shared_answers),
    Surface("forged buttons", sharing.forged_buttons),
    Surface("what stands under answers", under_answers.under_answers),
    Surface("home tab and prompts", asking.home_and_panes),
    Surface("the command line", console.command_line),
    Surface("Ask somebody who may know", lending.lending),
    Surface("a right that was taken away", revoking.after_a_revocation),
    Surface("changes while an answer is made", revoking.while_it_is_answered),
    Surface("somebody deactivated", revoking.somebody_deactivated),
    Surface("/ingest", handing_in.handing_in),
    *(Surface(name, commands.commands(name)) for name in staging.COMMANDS if name != "/ingest"),
    Surface("another workspace", outside.other_workspace),
    Surface("log and figures", outside.log_and_figures),
)
NOT_BUILT = ("digests sent to channels",)
"""Surfaces that the bot does not have yet: named in the report, so that nobody thinks they were tried."""
