"""Zip containers, looked over before anything in them is unpacked: a small file may hold gigabytes of nothing."""

import io
import zipfile

from retrieval.parsing.document import UnreadableDocument

MOST_MEMBERS = 20_000
MOST_BYTES = 400 * 2**20
"""What all members together may be unpacked."""
# Text packs to a tenth, repetitive XML to a fiftieth; only what was made for it packs to a four-hundredth.
_TRAP_RATIO, _TRAP_FROM = 400, 10 * 2**20


def opened(data: bytes, name: str) -> zipfile.ZipFile:
    """The container in `data`. Raises UnreadableDocument for one that is broken, locked, or unpacks to too much."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise UnreadableDocument(
            f"{name} is damaged: it cannot be unpacked. Save it anew and send it."
        ) from error
    if any(member.flag_bits & 1 for member in members):
        raise UnreadableDocument(f"{name} is locked with a password. Save it without one and send it again.")
    total = sum(member.file_size for member in members)
    if len(members) > MOST_MEMBERS or total > MOST_BYTES or any(map(_is_a_trap, members)):
        raise UnreadableDocument(
            f"{name} unpacks to {total // 2**20} MB in {len(members)} files, which is more than is read. Split it."
        )
    return archive


def _is_a_trap(member: zipfile.ZipInfo) -> bool:
    return member.file_size > max(_TRAP_FROM, _TRAP_RATIO * member.compress_size)
