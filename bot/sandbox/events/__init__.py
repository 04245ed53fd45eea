"""What Slack tells the app: one event per thing that happened and that the app may hear of."""

from __future__ import annotations

from bot.sandbox.events.app_events import AppEvents
from bot.sandbox.events.channel_events import ChannelEvents
from bot.sandbox.events.file_events import FileEvents
from bot.sandbox.events.message_events import MessageEvents
from bot.sandbox.events.people_events import PeopleEvents
from bot.sandbox.events.subscriptions import SUBSCRIPTIONS

__all__ = ["SUBSCRIPTIONS", "Events"]


class Events(MessageEvents, ChannelEvents, PeopleEvents, FileEvents, AppEvents):
    """Each family of events is a module; all of them go out by the same gate."""
