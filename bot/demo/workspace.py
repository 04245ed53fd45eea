"""A directory's people and channels as the sandbox workspace wants them."""

from bot.directory_file import ChannelEntry, DirectoryFile, PersonEntry
from bot.sandbox.seed import ChannelSeed, PersonSeed, WorkspaceSeed
from bot.slack.small_talk import SUGGESTED_PROMPTS

COMMANDS = (
    ("/ingest", "Add a document to the knowledge base", "nothing for a form, a web address, or text"),
    ("/roles", "Who holds which role, and what gives it", "help, or grant finance @ada"),
    ("/access", "Who may read which document, and why", "words of a title"),
    ("/docs", "The documents there are, and what could not be added", "words of a title"),
    ("/answers", "Answers that were approved", "words of a question"),
    ("/digest", "What is new in the documents", "backups since March, or weekly #channel backups"),
    ("/gaps", "What people asked and found nothing on", "nothing, or answered 17"),
    ("/audit", "What happened: by person, document and time", "@ada, or a document's number"),
)
GLOBAL_SHORTCUTS = (("ask_ostiary", "Ask Ostiary"),)
SHORTCUTS = (
    ("ask_about_this", "Ask about this"),
    ("add_message", "Add to the knowledge base"),
    ("add_thread", "Add this thread"),
)


def workspace_seed(directory: DirectoryFile) -> WorkspaceSeed:
    """The same workspace, for the sandbox to begin with; the bot and its commands are in it."""
    return WorkspaceSeed(
        team_id=directory.workspace.team_id,
        name=directory.workspace.name,
        people=tuple(_person(entry) for entry in directory.people),
        channels=tuple(_channel(entry) for entry in directory.channels),
        bot_name=directory.workspace.bot_handle or "ostiary",
        commands=COMMANDS,
        shortcuts=SHORTCUTS,
        global_shortcuts=GLOBAL_SHORTCUTS,
        prompts=SUGGESTED_PROMPTS,
    )


def _person(entry: PersonEntry) -> PersonSeed:
    return PersonSeed(
        user_id=entry.user_id,
        handle=entry.handle,
        name=entry.name,
        title=entry.title,
        kind=entry.kind.value,
        deleted=entry.deactivated,
        is_admin=entry.is_admin,
        team_id=entry.team_id,
    )


def _channel(entry: ChannelEntry) -> ChannelSeed:
    return ChannelSeed(
        channel_id=entry.channel_id,
        name=entry.name,
        private=entry.private,
        members=entry.members,
        topic=entry.topic,
        shared=entry.shared,
    )
