"""The desk of administration: `/roles`, `/access`, `/docs` and `/audit`, with what their modals ask for."""

from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from auth.database import Database
from bot.administering.administration import Administration
from bot.slack.admin.access import AccessDesk
from bot.slack.admin.auditing import AuditDesk
from bot.slack.admin.collecting import CollectionsDesk
from bot.slack.admin.counter import Counter
from bot.slack.admin.documents import Again, DocumentsDesk
from bot.slack.admin.mapping import MappingDesk
from bot.slack.admin.naming import Naming
from bot.slack.admin.roles import RolesDesk
from bot.slack.admin.sources import ReadSoon, SourcesDesk
from bot.slack.admin.undoing import UndoDesk
from bot.slack.people import Roster
from bot.slack.standing import StandingReader


class AdminDesk:
    """All of it goes over one counter, which asks everybody for the role."""

    def __init__(
        self,
        client: AsyncWebClient,
        database: Database,
        workspace_id: int,
        roster: Roster,
        standing: StandingReader,
        again: Again,
        read_soon: ReadSoon,
    ) -> None:
        administration = Administration(database, workspace_id)
        counter = Counter(administration)
        naming = Naming(client, database, workspace_id, roster, administration)
        mapping = MappingDesk(database, workspace_id, administration, naming, roster, standing, counter)
        access = AccessDesk(administration, naming, counter)
        sources = SourcesDesk(administration, naming, access, counter, read_soon)
        self._desks = (
            RolesDesk(database, workspace_id, administration, naming, counter),
            mapping,
            access,
            CollectionsDesk(administration, naming, access, counter),
            sources,
            DocumentsDesk(database, workspace_id, administration, naming, access, sources, counter, again),
            AuditDesk(database, workspace_id, naming, counter),
            UndoDesk(administration, mapping, counter),
        )

    def register(self, app: AsyncApp) -> None:
        for desk in self._desks:
            desk.register(app)
