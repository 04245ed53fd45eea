"""Full-text search by label: an index in which nobody's search meets a word of what he may not read"""

from alembic import op

from migrations.walls import LABELS, WORKSPACE

revision = "0007"
down_revision = "0006"

# The index holds a word once for each label that it stands under, as one number made of both: a search looks up
# the question's words under its own labels, and takes no longer for what stands under others. A collision of two
# numbers could only ever cost time, since workspace and label are compared again. Names in `BEGIN ATOMIC` are
# resolved when the function is made, so that no search path leads them astray. The index is kept without a list
# of pending entries, which every search would have to read through, whoever's they are.
WORDS = r"""
    CREATE FUNCTION retrieval.any_word(words tsvector) RETURNS tsquery
        LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE BEGIN ATOMIC
            SELECT string_agg('''' || replace(replace(w, '\', '\\'), '''', '''''') || '''', ' | ')::tsquery
            FROM unnest(tsvector_to_array(words)) AS w;
        END;
    CREATE FUNCTION retrieval.word_keys(workspace_id bigint, label_id bigint, words tsvector) RETURNS bigint[]
        LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE BEGIN ATOMIC
            SELECT array_agg(hashtextextended(w, hashint8extended(label_id, workspace_id)))
            FROM unnest(tsvector_to_array(words)) AS w;
        END;
    DROP INDEX retrieval.ix_chunk_words;
    CREATE INDEX ix_chunk_words ON retrieval.chunk
        USING gin (retrieval.word_keys(workspace_id, label_id, words)) WITH (fastupdate = off) WHERE is_current;
"""
PLAIN_WORDS = """
    DROP INDEX retrieval.ix_chunk_words;
    CREATE INDEX ix_chunk_words ON retrieval.chunk USING gin (words) WHERE is_current;
    DROP FUNCTION retrieval.word_keys, retrieval.any_word;
"""

SAFELY = "LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp"
# The planner cannot know that one lookup a label is cheap; without these it may read the whole table, which takes
# longer the more there is in it that may not be read. OFFSET 0 keeps the lookups from being merged into one.
BY_INDEX = "SET enable_seqscan = off SET enable_indexscan = off SET max_parallel_workers_per_gather = 0"


def _ranked(columns: str, held: str) -> str:
    """The best chunks for any word of `question` under `held` (workspace_id, label_id): one lookup for each."""
    return f"""
        SELECT {columns} FROM (SELECT retrieval.any_word(question) AS query OFFSET 0) AS asked, {held} AS held
        CROSS JOIN LATERAL (
            SELECT t.id, t.workspace_id, t.label_id, t.words FROM retrieval.chunk t
            WHERE t.is_current AND t.workspace_id + 0 = held.workspace_id AND t.label_id = held.label_id
              AND retrieval.word_keys(t.workspace_id, t.label_id, t.words)
                  && retrieval.word_keys(held.workspace_id, held.label_id, question)
            OFFSET 0
        ) AS c
        ORDER BY ts_rank(c.words, asked.query, 1) DESC, c.id LIMIT how_many
    """


CLEARED = f"(SELECT {WORKSPACE} AS workspace_id, l AS label_id FROM unnest({LABELS}) AS l OFFSET 0)"
GIVEN = "(SELECT * FROM unnest(workspace_ids, label_ids) AS h (workspace_id, label_id))"
PAIRS = "workspace_ids bigint[], label_ids bigint[]"
BY_LABEL = {
    "lexical_candidates": f"""(question tsvector, how_many integer)
        RETURNS TABLE (chunk_id bigint, score real) {SAFELY} {BY_INDEX} AS $$
            {_ranked("c.id, ts_rank(c.words, asked.query, 1)", CLEARED)} $$""",
    "lexical_under": f"""({PAIRS}, question tsvector, how_many integer)
        RETURNS TABLE (workspace_id bigint, chunk_id bigint, label_id bigint) {SAFELY} {BY_INDEX} AS $$
            {_ranked("c.workspace_id, c.id, c.label_id", GIVEN)} $$""",
}
BY_WORD = {
    "lexical_candidates": f"""(query tsquery, how_many integer)
        RETURNS TABLE (chunk_id bigint, score real) {SAFELY} AS $$
            SELECT c.id, ts_rank(c.words, query, 1) AS score FROM retrieval.chunk c
            WHERE c.is_current AND c.words @@ query
              AND c.workspace_id = {WORKSPACE} AND c.label_id = ANY({LABELS})
            ORDER BY score DESC, c.id LIMIT how_many
        $$""",
    "lexical_under": f"""({PAIRS}, query tsquery, how_many integer)
        RETURNS TABLE (workspace_id bigint, chunk_id bigint, label_id bigint) {SAFELY} AS $$
            SELECT t.workspace_id, t.id, t.label_id FROM retrieval.chunk t
            WHERE t.is_current AND t.words @@ query AND (t.workspace_id, t.label_id) IN {GIVEN}
            ORDER BY ts_rank(t.words, query, 1) DESC, t.id LIMIT how_many
        $$""",
}


def upgrade() -> None:
    op.execute("SET LOCAL ROLE ostiary_owner")
    op.execute(WORDS)
    op.execute("RESET ROLE")
    replace_searches(BY_LABEL)


def downgrade() -> None:
    replace_searches(BY_WORD)
    op.execute(PLAIN_WORDS)


def replace_searches(searches: dict[str, str]) -> None:
    for name in searches:
        op.execute(f"DROP FUNCTION retrieval.{name}")
    op.execute("SET LOCAL ROLE ostiary_owner")
    for name, definition in searches.items():
        op.execute(f"CREATE FUNCTION retrieval.{name}{definition}")
        op.execute(f"REVOKE ALL ON FUNCTION retrieval.{name} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION retrieval.{name} TO ostiary_reader")
    op.execute("GRANT CREATE ON SCHEMA retrieval TO ostiary_search")
    op.execute("RESET ROLE")
    for name in searches:
        op.execute(f"ALTER FUNCTION retrieval.{name} OWNER TO ostiary_search")
    op.execute("REVOKE CREATE ON SCHEMA retrieval FROM ostiary_search")
