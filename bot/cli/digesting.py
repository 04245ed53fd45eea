"""What `ostiary digest` does with the digests that channels are sent."""

from bot.administering.changes import Change
from bot.cli.administering import Desk, carry_out, open_desk, print_table


async def change(wanted: Change) -> None:
    """Set one up, or stop it."""

    async def given(_desk: Desk) -> Change:
        return wanted

    await carry_out(given, dry_run=False)


async def list_scheduled() -> None:
    async with open_desk() as desk:
        digests = await desk.administration.digests()
    rows = [
        (
            str(digest.id),
            digest.every.value,
            digest.channel_id,
            digest.topic or "everything",
            f"{digest.next_at:%Y-%m-%d %H:%M} UTC",
        )
        for digest in digests
    ]
    print_table(("Id", "Sent", "Channel", "On", "Next"), rows, "No digest is sent to any channel.")
