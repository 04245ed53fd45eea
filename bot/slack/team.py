"""One Slack workspace, and who the bot is there."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Team:
    """The workspace that the tokens belong to: its id here, its id and name in Slack."""

    workspace_id: int
    team_id: str
    name: str
    bot_user_id: str
