"""Slash commands: by people who are no administrators, and by one who may read nothing but what all may.

What a command shows is walked through: its menus are typed into, and buttons that change nothing are pressed.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any

from bot.probe.casting import ADMINISTRATOR, FLAGGED, GUEST, OUTSIDER, PLAIN, Actor
from bot.probe.scene import Scene
from bot.probe.staging import PUBLIC, SHARED
from bot.sandbox.delivery import DeliveryPolicy
from bot.sandbox.visitor import VisitorError

COMMAND_S = 4.0
PRESSED_PER_VIEW, SCREENS = 12, 60
# What changes something is left to tests: the probe would have to know what it undid.
_CHANGES = (
    "undo",
    "revoke",
    "delete",
    "remove",
    "grant",
    "take",
    "give",
    "apply",
    "change",
    "withdraw",
    "save",
    "dismiss",
    "refresh",
)


def commands(name: str) -> Callable[[Scene], Awaitable[None]]:
    """The surface of one command."""

    async def run(scene: Scene) -> None:
        if not await _is_there(scene, name):
            scene.not_there.append(name)
            return
        for why in (PLAIN, GUEST, FLAGGED, OUTSIDER, ADMINISTRATOR):
            actor = scene.cast.called(why)
            words_tried = list(_words(scene, name))
            for words in scene.rng.sample(words_tried, min(scene.share(40, one_in=5), len(words_tried))):
                await _run(scene, actor, name, words)

    return run


async def _is_there(scene: Scene, name: str) -> bool:
    deliveries = scene.server.sandbox.deliveries
    usual, deliveries.policy = deliveries.policy, DeliveryPolicy(COMMAND_S)
    try:
        actor = scene.cast.called(PLAIN)
        return (await scene.visitor.command(actor.user_id, _place(scene, actor), name, "")).acknowledged
    finally:
        deliveries.policy = usual


def _place(scene: Scene, actor: Actor) -> str:
    kind = SHARED if actor.stance.kind == "outsider" else PUBLIC
    (meeting,) = scene.stage.of_kind(kind)
    return meeting.channel_id if actor in meeting.members else "@ostiary"


def _words(scene: Scene, name: str) -> Iterator[str]:
    """What people type: nothing, help, people, roles, parts of titles and addresses, numbers, statements."""
    person, secret = scene.cast.called(PLAIN), scene.canaries[-1]
    roles = list(scene.cast.rules.roles)
    yield from (
        "",
        "help",
        "register",
        secret.topic,
        secret.title[:-2],
        secret.file_mark[:8],
        secret.uri[:24],
    )
    yield from (
        f"@{person.handle}",
        f"<@{person.user_id}>",
        f"who {roles[-1]}",
        f"what may @{person.handle} read",
    )
    yield from ("1", "2", "3", "99999999", "%", "' OR 1=1 --", "register:* | code:*", "x" * 2000, "\u200b")
    if name in {"/access", "/docs"}:
        yield from (f"explain register {secret.topic} @{person.handle}", "canary.invalid", "nobody")
    if name == "/audit":
        yield from ("document 1", "since yesterday", "question", "answer", "canary.invalid", "md")


async def _run(scene: Scene, actor: Actor, name: str, words: str) -> None:
    scene.server.sandbox.views.clear(actor.user_id)
    await scene.command(actor, _place(scene, actor), name, words)
    await scene.rest()
    for _ in range(SCREENS):
        views = scene.visitor.views_open_for(actor.user_id)
        if not views or not await _look_around(scene, actor, views[-1].id):
            break


async def _look_around(scene: Scene, actor: Actor, view_id: str) -> bool:
    """Type into the menus of a view and press its buttons. Returns whether another view came of it."""
    view = next(view for view in scene.visitor.views_open_for(actor.user_id) if view.id == view_id)
    for element in elements(view.blocks):
        if "external_select" in str(element["type"]):
            for typed in ("", "re", "register", "md", scene.canaries[-1].topic):
                found = scene.visitor.suggestions(actor.user_id, element["action_id"], typed, view_id=view_id)
                await _quietly(scene, found)
    for element in list(elements(view.blocks))[:PRESSED_PER_VIEW]:
        what = (actor.user_id, str(element.get("action_id")), str(element.get("value")))
        if element["type"] == "button" and _changes_nothing(element) and what not in scene.pressed:
            scene.pressed.add(what)
            await _quietly(
                scene,
                scene.visitor.act_in_view(actor.user_id, view_id, element["action_id"], element.get("value")),
            )
            return True
    return False


async def _quietly(scene: Scene, move: Awaitable[object]) -> None:
    try:
        await move
    except VisitorError:
        return  # the view has gone meanwhile, or its menu offers nothing
    await scene.rest()
    scene.tally.tried += 1
    scene.judge.look(scene.surface)


def elements(blocks: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Everything in a view that can be pressed or chosen from."""
    for block in blocks:
        found = [*block.get("elements", ()), block.get("accessory"), block.get("element")]
        yield from (element for element in found if element and element.get("action_id"))


def _changes_nothing(element: Mapping[str, Any]) -> bool:
    about = f"{element['action_id']} {element.get('text', {}).get('text', '')}".lower()
    harmless = not element.get("confirm") and element.get("style") != "danger"
    return harmless and not any(word in about for word in _CHANGES)
