"""What an Office file states about itself (ISO/IEC 29500-2, core properties)."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from retrieval.parsing.cleaning import one_line

_CORE = "http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties"


@dataclass(frozen=True)
class Properties:
    """Empty and None where the file says nothing."""

    title: str = ""
    author: str | None = None
    modified: date | None = None


def properties_of(opened: Any) -> Properties:
    """Of a document of python-docx, or a presentation of python-pptx: both make some up where there are none."""
    package = opened.part.package
    relations = package._rels if hasattr(package, "_rels") else package.rels
    if not any(relation.reltype == _CORE for relation in relations.values()):
        return Properties()
    core = opened.core_properties
    modified = core.modified.date() if core.modified else None
    return Properties(one_line(core.title or ""), one_line(core.author or "") or None, modified)
