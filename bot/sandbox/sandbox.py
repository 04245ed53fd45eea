"""The parts of the sandbox, wired together. No HTTP here."""

from __future__ import annotations

from bot.sandbox.delivery import Deliveries
from bot.sandbox.events import Events
from bot.sandbox.interactions import Interactions
from bot.sandbox.journal import Journal
from bot.sandbox.posting import Posting
from bot.sandbox.rate_limits import RateLimits
from bot.sandbox.recorders import Recorders
from bot.sandbox.seed import WorkspaceSeed
from bot.sandbox.slack_app import SlackApp
from bot.sandbox.sockets import Sockets
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
    """One workspace. What belongs to the app rather than to a workspace is shared among all of them."""

    def __init__(self, seed: WorkspaceSeed, app: SlackApp, deliveries: Deliveries, sockets: Sockets) -> None:
        self.app = app
        self.clock = app.clock
        self.sockets = sockets
        self.deliveries = deliveries
        self.workspace = Workspace(seed, app.clock, app.app_id)
        self.scopes = set(DEFAULT_SCOPES)
        self.events = Events(self.workspace, deliveries, self.scopes, app)
        self.recorders = Recorders()
        self.journal = Journal(self.workspace)
        self.posting = Posting(self.workspace, self.events, self.recorders, self.journal)
        self.triggers = Triggers(app.clock)
        self.response_urls = ResponseUrls(app.clock)
        self.views = Views(self.workspace, self.journal)
        self.limits = RateLimits(app.clock)
        self.interactions = Interactions(
            self.workspace,
            deliveries,
            self.posting,
            self.views,
            self.triggers,
            self.response_urls,
            lambda: self.installed,
        )

    @property
    def installed(self) -> bool:
        return self.app.is_installed(self.workspace.team_id)

    def uninstall(self) -> None:
        """The app leaves the workspace: its tokens open nothing, and these two events are the last."""
        self.events.tokens_revoked([self.workspace.bot_user_id], [])
        self.events.uninstalled()
        self.app.take_away(self.workspace.team_id, "account_inactive")
        self.workspace.changes.ring()
