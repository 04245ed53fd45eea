"""What whoever handed something in is told of it, in one message: how far it is, and what became of it."""

from auth.database import Database
from bot.slack.delivery import Outbox
from bot.slack.ingest_requests import IngestionRequest, end_request, read_request, show_request_in
from bot.slack.views import cancel_blocks, escape, plain_blocks


class IntakeReports:
    """Tells, and closes the request."""

    def __init__(self, database: Database, workspace_id: int, outbox: Outbox) -> None:
        self._database = database
        self._workspace_id = workspace_id
        self._outbox = outbox

    async def read(self, request_id: int) -> IngestionRequest | None:
        async with self._database.writing_in(self._workspace_id) as connection:
            return await read_request(connection, request_id)

    async def is_cancelled(self, request_id: int) -> bool:
        request = await self.read(request_id)
        return request is None or request.state == "cancelled"

    async def show(self, request_id: int, said: str) -> None:
        """How far it is, in one message with a way to stop. Only a courtesy: not to show it stops nothing."""
        request = await self.read(request_id)
        if request is None:
            return
        blocks = cancel_blocks(said, request.id)
        if request.shown_in is not None:
            await self._outbox.change(*request.shown_in, escape(said), blocks)
            return
        shown_in = await self._outbox.begin_in_person(request.requested_by, escape(said), blocks)
        if shown_in is not None:
            async with self._database.writing_in(self._workspace_id) as connection:
                await show_request_in(connection, request.id, *shown_in)

    async def end(self, request: IngestionRequest, said: str, state: str) -> None:
        """Say what became of it, and close it as done, failed or cancelled."""
        await self.tell(request, said)
        await self.close(request, state)

    async def tell(self, request: IngestionRequest, said: str) -> None:
        """In the message that told how far it is, if there is one."""
        now = await self.read(request.id) or request
        changed = now.shown_in is not None and await self._outbox.change(
            *now.shown_in, escape(said), plain_blocks(said)
        )
        if not changed:
            await self._outbox.tell_in_person(request.requested_by, escape(said), plain_blocks(said))

    async def close(self, request: IngestionRequest, state: str) -> None:
        async with self._database.writing_in(self._workspace_id) as connection:
            await end_request(connection, request.id, state)
