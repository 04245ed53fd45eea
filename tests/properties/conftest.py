"""Documents put straight into the database, with vectors made up: what is tested is who sees them."""

from collections.abc import Awaitable, Callable

import numpy as np
import numpy.typing as npt
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.database import WORKSPACE

Store = Callable[[AsyncConnection, int, str, npt.NDArray[np.float32]], Awaitable[None]]

_DOCUMENT = text(
    "INSERT INTO retrieval.document (workspace_id, label_id, uri, title)"
    f" VALUES ({WORKSPACE}, :label_id, :name, :name) RETURNING id"
)
_VERSION = text(
    "INSERT INTO retrieval.version (workspace_id, document_id, label_id, is_current, content_hash, title,"
    f" media_type) VALUES ({WORKSPACE}, :document_id, :label_id, true, '\\x00', :name, 'text/plain') RETURNING id"
)
_CHUNK = text(
    "WITH stored AS ("
    " INSERT INTO retrieval.chunk (workspace_id, document_id, version_id, label_id, is_current, ordinal, text,"
    "  heading_path, tokens, words)"
    f" VALUES ({WORKSPACE}, :document_id, :version_id, :label_id, true, :ordinal, CAST(:said AS text),"
    "  '{}', 4, to_tsvector('english', CAST(:said AS text))) RETURNING id"
    ") INSERT INTO retrieval.chunk_vec (workspace_id, chunk_id, label_id, document_id, emb)"
    f" SELECT {WORKSPACE}, id, :label_id, :document_id, CAST(:emb AS vector) FROM stored"
)


async def store_document(
    connection: AsyncConnection, label_id: int, name: str, vectors: npt.NDArray[np.float32]
) -> None:
    """A document with one chunk a vector, (n, 384); each chunk says `The budget of NAME, part N`."""
    values: dict[str, object] = {"label_id": label_id, "name": name}
    values["document_id"] = (await connection.execute(_DOCUMENT, values)).scalar_one()
    values["version_id"] = (await connection.execute(_VERSION, values)).scalar_one()
    for ordinal, vector in enumerate(vectors):
        emb = "[" + ",".join(f"{x:.7g}" for x in vector) + "]"
        said = f"The budget of {name}, part {ordinal}"
        await connection.execute(_CHUNK, {**values, "ordinal": ordinal, "said": said, "emb": emb})


@pytest.fixture(scope="session")
def store() -> Store:
    return store_document
