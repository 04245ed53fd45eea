"""A title out of a file's name, for documents that state none."""

import re
from pathlib import PurePosixPath

from retrieval.parsing.cleaning import one_line


def title_from(name: str) -> str:
    """ "travel_policy-2026.md" -> "travel policy 2026"."""
    stem = PurePosixPath(name.replace("\\", "/")).stem
    return one_line(re.sub(r"[-_]+", " ", stem)) or "Untitled"
