"""The app as Slack knows it: its secrets, what it listens to, and where it is installed with which tokens."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.sandbox.errors import SlackError
from bot.sandbox.events.subscriptions import SUBSCRIPTIONS

CODE_SECONDS = 600.0  # an OAuth code is good for ten minutes, and once
TOKEN_SECONDS = 43_200  # a rotating token lives for twelve hours
CLIENT_ID = "100200300.400500600"
CLIENT_SECRET = "sandbox-client-secret"  # noqa: S105  opens nothing but a sandbox on this machine
SIGNING_SECRET = "sandbox-signing-secret"  # noqa: S105
VERIFICATION_TOKEN = "sandbox"  # noqa: S105


@dataclass
class Token:
    """A bot token of one installation."""

    text: str
    team_id: str
    expires_at: float | None = None
    refresh: str = ""
    refused_as: str = ""  # the error that it meets once it was taken away


@dataclass(frozen=True)
class Grant:
    """What somebody allowed when they installed the app: the code that the app exchanges stands for it."""

    team_id: str
    user_id: str
    scopes: tuple[str, ...]
    redirect_uri: str
    at: float


@dataclass
class SlackApp:
    app_id: str
    app_token: str
    clock: Callable[[], float]
    client_id: str = CLIENT_ID
    client_secret: str = CLIENT_SECRET
    signing_secret: str = SIGNING_SECRET
    token_rotation: bool = False
    subscriptions: set[str] = field(default_factory=lambda: set(SUBSCRIPTIONS))
    _tokens: dict[str, Token] = field(default_factory=dict)
    _grants: dict[str, Grant] = field(default_factory=dict)

    # Tokens

    def keep(self, text: str, team_id: str) -> Token:
        """A token that was made elsewhere and never expires."""
        self._tokens[text] = Token(text, team_id)
        return self._tokens[text]

    def issue(self, team_id: str) -> Token:
        if not self.token_rotation:
            return self.keep(f"xoxb-{team_id}-{secrets.token_hex(12)}", team_id)
        text, refresh = f"xoxe.xoxb-1-{secrets.token_hex(20)}", f"xoxe-1-{secrets.token_hex(20)}"
        self._tokens[text] = Token(text, team_id, self.clock() + TOKEN_SECONDS, refresh)
        return self._tokens[text]

    def token(self, text: str) -> Token:
        """A token that opens its workspace now; else invalid_auth, token_expired or what took it away."""
        token = self._tokens.get(text)
        if token is None:
            raise SlackError("invalid_auth")
        if token.refused_as:
            raise SlackError(token.refused_as)
        if token.expires_at is not None and self.clock() >= token.expires_at:
            raise SlackError("token_expired")
        return token

    def team_of(self, text: str) -> str:
        """The workspace that a token opens or opened; empty for none."""
        token = self._tokens.get(text)
        return token.team_id if token else ""

    def refreshed(self, refresh: str) -> Token:
        """The next token for one that is about to expire. A refresh token is good once."""
        old = next((token for token in self._tokens.values() if refresh and token.refresh == refresh), None)
        if old is None or old.refused_as:
            raise SlackError("invalid_refresh_token")
        old.refresh = ""
        return self.issue(old.team_id)

    def take_away(self, team_id: str, refused_as: str) -> None:
        """All tokens of one workspace meet this error from now on."""
        for token in self._tokens.values():
            if token.team_id == team_id and not token.refused_as:
                token.refused_as = refused_as

    def is_installed(self, team_id: str) -> bool:
        return any(token.team_id == team_id and not token.refused_as for token in self._tokens.values())

    # Grants

    def grant(self, grant: Grant) -> str:
        """The code that the app exchanges for a token."""
        code = f"{secrets.randbelow(10**10)}.{secrets.randbelow(10**13)}.{secrets.token_hex(32)}"
        self._grants[code] = grant
        return code

    def granted(self, code: str, redirect_uri: str) -> Grant:
        """What the code stands for; it stands for nothing from then on."""
        grant = self._grants.get(code)
        if grant is None or self.clock() - grant.at > CODE_SECONDS:
            raise SlackError("invalid_code")
        if redirect_uri and redirect_uri != grant.redirect_uri:
            raise SlackError("bad_redirect_uri")
        del self._grants[code]
        return grant

    def check_secrets(self, client_id: str, client_secret: str) -> None:
        if client_id != self.client_id:
            raise SlackError("invalid_client_id")
        if not secrets.compare_digest(client_secret.encode(), self.client_secret.encode()):
            raise SlackError("bad_client_secret")
