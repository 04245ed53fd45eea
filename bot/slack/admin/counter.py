"""The counter: every command, click, form and menu of administration comes in here, and nowhere else.

Whoever comes is asked for the role at that moment, before anything else happens. What takes longer than Slack waits
goes on behind a modal that says so.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.respond.async_respond import AsyncRespond
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from auth.errors import OstiaryError
from bot.administering.administration import Administration, NotAllowed
from bot.slack.admin.elements import OPTIONS_LIMIT
from bot.slack.admin.entered import Entered, NotFilledIn, storable
from bot.slack.admin.screens import Back, Screen, back_of, carried_by, said
from bot.slack.admitting import Door
from bot.slack.asking import DATABASE_AWAY
from bot.slack.refusals import reason
from bot.slack.views import Block

log = structlog.get_logger(__name__)

ADMINS_ONLY = "Only people who hold the role ostiary-admin can do this. Ask one of them."
AWAY = "I cannot reach my database just now. Please try again later."
BROKEN = "Something went wrong on my side. Please look at how things stand now before you try again."
NOT_OPENED = "Slack did not let me open a window for it. Please look at how things stand, and try again."
LOOKING = said("One moment ...")
# Slack waits three seconds for an answer, and a modal can be opened for as long after a command.
OPENING_S, ANSWERING_S, SETTLING_S = 1.2, 2.0, 0.5


@dataclass(frozen=True)
class Visit:
    """Somebody at the counter. All but `actor`, which Slack vouches for, is anybody's writing."""

    actor: str
    text: str = ""
    value: str = ""
    entered: Entered = field(default_factory=lambda: Entered(None))
    carried: Mapping[str, Any] = field(default_factory=dict)

    @property
    def back(self) -> Back | None:
        return back_of(self.carried)


Serve = Callable[[Visit], Awaitable[Screen]]
Suggest = Callable[[Visit], Awaitable[Sequence[Block]]]


class Counter:
    """Registers listeners that let administrators alone through."""

    def __init__(self, administration: Administration) -> None:
        self._door = Door(administration.may_administer, ADMINS_ONLY, AWAY)
        self._under_way: set[asyncio.Task[Any]] = set()

    def command(self, app: AsyncApp, name: str, serve: Serve) -> None:
        """Answered in a modal, or in words that only whoever typed it sees."""

        async def listener(ack: AsyncAck, command: Mapping[str, Any], client: AsyncWebClient) -> None:
            visit = Visit(command["user_id"], text=storable(command.get("text") or ""))
            task = self._begin(self._served(visit, serve))
            await asyncio.wait({task}, timeout=OPENING_S)
            if task.done() and (screen := task.result()).whispered:
                await ack(**screen.as_message())
                return
            shown = task.result() if task.done() else LOOKING
            try:
                opened = await client.views_open(trigger_id=command["trigger_id"], view=shown.as_view())
            except SlackApiError as error:
                log.warning("could not open a modal", error=str(error))
                await ack(**said(NOT_OPENED).as_message())
                return
            if shown is LOOKING:
                self._begin(_show_later(task, client, opened["view"]["id"]))
            await ack()

        app.command(name)(listener)

    def action(self, app: AsyncApp, action_id: str, serve: Serve) -> None:
        """A button or a menu: what it was in is replaced by the answer."""

        async def listener(
            ack: AsyncAck, body: Mapping[str, Any], client: AsyncWebClient, respond: AsyncRespond
        ) -> None:
            await ack()
            view = body.get("view") or {}
            visit = Visit(
                body["user"]["id"],
                value=_chosen(body["actions"][0]),
                entered=Entered(view.get("state") or body.get("state")),
                carried=carried_by(view),
            )
            task = self._begin(self._served(visit, serve))
            shown = _show_later(task, client, view["id"]) if view else _whisper_later(task, respond, body)
            await asyncio.wait({self._begin(shown)}, timeout=ANSWERING_S)

        app.action(action_id)(listener)

    def form(self, app: AsyncApp, callback_id: str, serve: Serve) -> None:
        """A modal that was submitted: the answer takes its place, or a sentence stands at one of its fields."""

        async def listener(
            ack: AsyncAck, body: Mapping[str, Any], view: Mapping[str, Any], client: AsyncWebClient
        ) -> None:
            visit = Visit(body["user"]["id"], entered=Entered(view.get("state")), carried=carried_by(view))
            task = self._begin(self._submitted(visit, serve, view))
            await asyncio.wait({task}, timeout=ANSWERING_S)
            if not task.done():
                await ack(response_action="update", view=LOOKING.as_view())
                self._begin(_show_later(task, client, view["id"], pause_s=SETTLING_S))
            elif isinstance(answer := task.result(), Screen):
                await ack(response_action="update", view=answer.as_view())
            else:
                await ack(response_action="errors", errors=answer)

        app.view(callback_id)(listener)

    def menu(self, app: AsyncApp, action_id: str, suggest: Suggest) -> None:
        """A menu that is filled while somebody types."""

        async def listener(ack: AsyncAck, body: Mapping[str, Any]) -> None:
            visit = Visit(body["user"]["id"], text=storable(str(body.get("value") or "")))
            found: Sequence[Block] = ()
            try:
                async with asyncio.timeout(ANSWERING_S):
                    found = await self._door.admit(visit.actor, lambda: suggest(visit))
            except NotAllowed:
                pass  # nothing is found
            except (OstiaryError, SlackApiError, *DATABASE_AWAY):
                log.exception("a menu could not be filled")
            await ack(options=list(found)[:OPTIONS_LIMIT])

        app.options(action_id)(listener)

    async def _submitted(
        self, visit: Visit, serve: Serve, view: Mapping[str, Any]
    ) -> Screen | dict[str, str]:
        """What to show, or what is wrong with which field."""
        try:
            return await self._let_in(visit, serve)
        except OstiaryError as error:
            wanted = error.field if isinstance(error, NotFilledIn) else ""
            fields = [block["block_id"] for block in view.get("blocks") or () if block["type"] == "input"]
            at = next((name for name in fields if name.partition("@")[0] == wanted), fields[-1:] or None)
            if at is None:
                return said(str(error), back=visit.back)
            return {at if isinstance(at, str) else at[0]: str(error)}
        except Exception as error:
            return _apology(error, visit)

    async def _served(self, visit: Visit, serve: Serve) -> Screen:
        try:
            return await self._let_in(visit, serve)
        except OstiaryError as error:
            return _in_kind(said(str(error), back=visit.back), visit)
        except Exception as error:
            return _in_kind(_apology(error, visit), visit)

    async def _let_in(self, visit: Visit, serve: Serve) -> Screen:
        """Ask for the role, now; whoever does not hold it gets the same words whatever they came for."""
        try:
            return await self._door.admit(visit.actor, lambda: serve(visit))
        except NotAllowed as refusal:
            return said(str(refusal)).whisper()

    def _begin(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return task


def _in_kind(screen: Screen, visit: Visit) -> Screen:
    """What was typed is answered where it was typed; what was clicked, in place of what was clicked."""
    return screen.whisper() if visit.text else screen


def _apology(error: Exception, visit: Visit) -> Screen:
    log.error("administration in Slack failed", exc_info=error)
    if isinstance(error, DATABASE_AWAY):
        return said(AWAY, back=visit.back)
    if isinstance(error, SlackApiError):
        return said(f"Slack did not do what I asked of it ({reason(error)}).", back=visit.back)
    return said(BROKEN, back=visit.back)


async def _show_later(
    task: asyncio.Task[Any], client: AsyncWebClient, view_id: str, *, pause_s: float = 0
) -> None:
    answer = await task
    await asyncio.sleep(pause_s)  # until Slack has taken what was acknowledged
    screen = answer if isinstance(answer, Screen) else said(" ".join(answer.values()))
    try:
        await client.views_update(view_id=view_id, view=screen.as_view())
    except SlackApiError as error:
        log.warning("could not show an answer; was the modal closed?", error=str(error))


async def _whisper_later(task: asyncio.Task[Any], respond: AsyncRespond, body: Mapping[str, Any]) -> None:
    """Where nobody else sees it: in place of the message that was clicked if that is so, else beside it."""
    replaced = bool((body.get("container") or {}).get("is_ephemeral"))
    screen: Screen = await task
    await respond(**screen.as_message(), response_type="ephemeral", replace_original=replaced)


def _chosen(action: Mapping[str, Any]) -> str:
    """What a button carries, or what was chosen in a menu."""
    option = action.get("selected_option")
    chosen = option.get("value") if isinstance(option, dict) else action.get("value")
    return storable(str(chosen or action.get("selected_user") or ""))
