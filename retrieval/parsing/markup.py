"""XML out of strangers' containers: nothing is fetched, no entity is expanded."""

import zipfile
from typing import Any

from lxml import etree

from retrieval.parsing.document import UnreadableDocument

Element = Any


def member(archive: zipfile.ZipFile, path: str, name: str) -> Element:
    """The root of an XML file in a container. Raises UnreadableDocument, naming `name`, where there is none."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        return etree.fromstring(archive.read(path), parser)
    except (KeyError, etree.XMLSyntaxError, zipfile.BadZipFile, ValueError) as error:
        raise UnreadableDocument(
            f"{name} is damaged: {path} in it cannot be read. Save it anew and send it again."
        ) from error


def local_name(element: Element) -> str:
    """The tag without its namespace; empty for comments and processing instructions."""
    return str(etree.QName(element).localname) if isinstance(element.tag, str) else ""
