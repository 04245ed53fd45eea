"""Who is told what something is called, where it came from, and why it failed. Administering is not reading."""

from collections.abc import Collection

from auth.clearance import Clearance


def is_told(
    viewer: Clearance | None, label_ids: Collection[int], *, whose: str = "", actor: str = ""
) -> bool:
    """Whether `actor` is: whoever may read all that stands under these labels, and whose it is: who handed it in.

    No viewer is the machine itself, which has all of it anyway.
    """
    return viewer is None or bool(actor and whose == actor) or viewer.covers(label_ids)
