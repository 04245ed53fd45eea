"""The parts of the sandbox, wired together. No HTTP here."""

from __future__ import annotations

from collections.abc import Callable

from bot.sandbox.delivery import Deliveries, DeliveryPolicy
from bot.sandbox.events import SUBSCRIPTIONS, Events
from bot.sandbox.interactions import Interactions
from bot.sandbox.journal import Journal
from bot.sandbox.posting import Posting
from bot.sandbox.rate_limits import RateLimits
from bot.sandbox.recorders import Recorders
from bot.sandbox.seed import WorkspaceSeed
from bot.sandbox.sockets import Sockets
from bot.sandbox.tasks import Tasks
from bot.sandbox.triggers import ResponseUrls, Triggers
from bot.sandbox.views import Views
from bot.sandbox.workspace import Workspace

# The scopes that an assistant needs, and those that let it follow threads and react.
DEFAULT_SCOPES = frozenset(
    (
        "app_mentions:read",
        "assistant:write",
        "chat:write",
        "commands",
        "im:history",
        "channels:read",
        "groups:read",
        "users:read",
        "usergroups:read",
        "files:read",
        "channels:history",
        "groups:history",
        "mpim:read",
        "mpim:history",
        "reactions:write",
    )
)


class Sandbox:
    def __init__(
        self,
        seed: WorkspaceSeed,
        clock: Callable[[], float],
        policy: DeliveryPolicy,
        bot_token: str,
        app_token: str,
    ) -> None:
        self.bot_token = bot_token
        self.app_token = app_token
        self.clock = clock
        self.tasks = Tasks()
        self.workspace = Workspace(seed, clock)
        self.scopes = set(DEFAULT_SCOPES)
        self.sockets = Sockets(self.workspace.app_id)
        self.sockets.on_change = self.workspace.changes.ring
        self.deliveries = Deliveries(self.sockets, policy, self.tasks)
        self.deliveries.on_progress = self.workspace.changes.ring
        self.events = Events(self.workspace, self.deliveries, self.scopes, set(SUBSCRIPTIONS))
        self.recorders = Recorders()
        self.journal = Journal(self.workspace)
        self.posting = Posting(self.workspace, self.events, self.recorders, self.journal)
        self.triggers = Triggers(clock)
        self.response_urls = ResponseUrls(clock)
        self.views = Views(self.workspace, self.journal)
        self.limits = RateLimits(clock)
        self.interactions = Interactions(
            self.workspace, self.deliveries, self.posting, self.views, self.triggers, self.response_urls
        )
