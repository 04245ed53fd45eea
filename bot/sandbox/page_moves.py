"""What people do on the page, by name: each takes what the page says and moves the visitor."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from bot.sandbox.visitor import Visitor

Move = Callable[[dict[str, Any]], Awaitable[Any]]


class PageMoves:
    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor
        self._simple: dict[str, Move] = {
            "open_dm": lambda given: visitor.open_dm(given["person"]),
            "join": lambda given: visitor.join(given["person"], given["channel"]),
            "leave": lambda given: visitor.leave(given["person"], given["channel"]),
            "delete": lambda given: visitor.delete(given["person"], given["channel"], given["ts"]),
            "look_at": lambda given: visitor.look_at(given["person"], given["channel"]),
            "stop": lambda given: visitor.stop_answer(given["person"], given["channel"], given["thread_ts"]),
            "react": lambda given: visitor.react(
                given["person"], given["channel"], given["ts"], given["name"]
            ),
        }
        self._named: dict[str, Move] = self._simple | {
            "post": self._post,
            "command": self._command,
            "click": self._click,
            "shortcut": self._shortcut,
            "global_shortcut": self._global_shortcut,
            "act": self._act,
            "suggest": self._suggest,
            "submit": self._submit,
            "close": self._close,
            "open_home": self._open_home,
            "invite_bot": self._invite_bot,
            "edit": self._edit,
        }

    def named(self, name: str) -> Move | None:
        return self._named.get(name)

    async def _post(self, given: dict[str, Any]) -> dict[str, Any]:
        message = await self.visitor.post(
            given["person"],
            given["channel"],
            given["text"],
            thread_ts=given.get("thread_ts"),
            files=given.get("files", ()),
        )
        return {"ts": message.ts}

    async def _command(self, given: dict[str, Any]) -> dict[str, Any]:
        outcome = await self.visitor.command(
            given["person"], given["channel"], given["command"], given.get("text", "")
        )
        return {"error": None, "outcome": outcome.error}

    async def _click(self, given: dict[str, Any]) -> dict[str, Any]:
        outcome = await self.visitor.click(
            given["person"], given["ts"], given["channel"], given["action_id"], given.get("value")
        )
        return {"outcome": outcome.error}

    async def _shortcut(self, given: dict[str, Any]) -> dict[str, Any]:
        outcome = await self.visitor.shortcut(
            given["person"], given["ts"], given["channel"], given["callback_id"]
        )
        return {"outcome": outcome.error}

    async def _global_shortcut(self, given: dict[str, Any]) -> dict[str, Any]:
        outcome = await self.visitor.global_shortcut(given["person"], given["callback_id"])
        return {"outcome": outcome.error}

    async def _act(self, given: dict[str, Any]) -> dict[str, Any]:
        outcome = await self.visitor.act_in_view(
            given["person"], given["view_id"], given["action_id"], given.get("value")
        )
        return {"outcome": outcome.error}

    async def _suggest(self, given: dict[str, Any]) -> dict[str, Any]:
        options = await self.visitor.suggestions(
            given["person"],
            given["action_id"],
            given.get("query", ""),
            view_id=given.get("view_id"),
            channel=given.get("channel"),
            message_ts=given.get("ts"),
        )
        return {"options": options}

    async def _submit(self, given: dict[str, Any]) -> dict[str, Any]:
        outcome = await self.visitor.submit_view(given["person"], given["view_id"], given["values"])
        return {"outcome": outcome.error, "errors": outcome.field_errors}

    async def _close(self, given: dict[str, Any]) -> None:
        await self.visitor.close_view(given["person"], given["view_id"])

    async def _open_home(self, given: dict[str, Any]) -> None:
        await self.visitor.open_home(given["person"])

    async def _invite_bot(self, given: dict[str, Any]) -> None:
        self.visitor.where(given["person"], given["channel"])
        await self.visitor.invite(given["channel"], self.visitor.bot_user_id)

    async def _edit(self, given: dict[str, Any]) -> None:
        await self.visitor.edit(given["person"], given["channel"], given["ts"], given["text"])
