"""The index of the vectors, over whole or over half numbers: half takes little more than half the memory."""

from sqlalchemy import text

from migrations.upgrade import open_engine

_IS_HALF = text(
    "SELECT indexdef LIKE '%halfvec%' FROM pg_indexes"
    " WHERE schemaname = 'retrieval' AND indexname = 'ix_chunk_vec_nearest'"
)
_BUILD = (
    "CREATE INDEX CONCURRENTLY ix_chunk_vec_building ON retrieval.chunk_vec"
    " USING hnsw ({over}) WITH (m = 16, ef_construction = 128)"
)
_OVER = {False: "emb vector_ip_ops", True: "(emb::halfvec(384)) halfvec_ip_ops"}
_EXCHANGE = (
    "BEGIN; DROP INDEX IF EXISTS retrieval.ix_chunk_vec_nearest;"
    " ALTER INDEX retrieval.ix_chunk_vec_building RENAME TO ix_chunk_vec_nearest; COMMIT"
)


def index_vectors(admin_url: str, *, half: bool) -> bool:
    """Have the index over half or whole numbers; returns False where it is so already.

    Searches and ingestion go on meanwhile, by the index that is there. What an earlier attempt left is cleared.
    """
    engine = open_engine(admin_url).execution_options(isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            if connection.execute(_IS_HALF).scalar() is half:
                return False
            connection.execute(text("SET ROLE ostiary_owner"))
            connection.execute(text("DROP INDEX IF EXISTS retrieval.ix_chunk_vec_building"))
            connection.execute(text(_BUILD.format(over=_OVER[half]).replace("::", r"\:\:")))
            connection.exec_driver_sql(_EXCHANGE)
            connection.execute(text("RESET ROLE"))
            return True
    finally:
        engine.dispose()
