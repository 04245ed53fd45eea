"""Full-text ranking by how rare a word is, and lookups that leave the common ones out"""

from importlib import import_module

from alembic import op

from migrations.walls import LABELS, WORKSPACE, behind_workspace_wall

revision = "0013"
down_revision = "0012"

# Words that stand in many chunks of a label, counted now and then. What is not among them is rare there. It is
# read by nobody but the search functions, under the labels of a clearance: what others hold changes no ranking.
COUNTS = f"""
    ALTER TABLE retrieval.label_count ADD counted bigint NOT NULL DEFAULT 0;
    CREATE TABLE retrieval.label_word (
        workspace_id bigint NOT NULL,
        label_id bigint NOT NULL,
        word text COLLATE "C" NOT NULL,
        chunks bigint NOT NULL,
        CONSTRAINT pk_label_word PRIMARY KEY (workspace_id, word, label_id),
        CONSTRAINT fk_label_word_workspace_id_label_id
            FOREIGN KEY (workspace_id, label_id) REFERENCES retrieval.label_count ON DELETE CASCADE
    );
    CREATE INDEX ix_label_word_workspace_id_label_id ON retrieval.label_word (workspace_id, label_id);
    {behind_workspace_wall("retrieval.label_word")}
    CREATE POLICY counted ON retrieval.label_word FOR ALL TO ostiary_search
        USING (true) WITH CHECK (workspace_id = {WORKSPACE});
    GRANT SELECT, INSERT, DELETE ON retrieval.label_word TO ostiary_search;
    GRANT SELECT (chunks) ON retrieval.label_count TO ostiary_search;
"""
SAFELY = "SECURITY DEFINER SET search_path = pg_catalog, pg_temp"
# A sample is enough to know a common word by, and bounds what counting a large label takes.
COUNT_WORDS = f"""
    CREATE FUNCTION retrieval.count_words(of_label bigint) RETURNS void LANGUAGE sql {SAFELY} AS $$
        DELETE FROM retrieval.label_word WHERE workspace_id = {WORKSPACE} AND label_id = of_label;
        INSERT INTO retrieval.label_word (workspace_id, label_id, word, chunks)
            SELECT n.workspace_id, n.label_id, s.word, s.ndoc * n.every
            FROM (
                SELECT workspace_id, label_id, chunks, greatest(chunks / 10000, 1) AS every
                FROM retrieval.label_count WHERE workspace_id = {WORKSPACE} AND label_id = of_label
            ) AS n CROSS JOIN LATERAL ts_stat(format(
                'SELECT c.words FROM retrieval.chunk_vec v JOIN retrieval.chunk c'
                ' ON c.workspace_id = v.workspace_id AND c.id = v.chunk_id'
                ' WHERE v.workspace_id = %s AND v.label_id = %s AND v.chunk_id %% %s = 0',
                n.workspace_id, n.label_id, n.every
            )) AS s
            WHERE s.ndoc * n.every >= greatest(8, 0.003 * n.chunks)
            ON CONFLICT DO NOTHING
        $$;
    REVOKE ALL ON FUNCTION retrieval.count_words FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION retrieval.count_words TO ostiary_app;
"""

MOST_WORDS = 16
ROWS_AT_MOST = 2000
# The planner cannot know that a lookup for each label is cheap: without these it may read the whole table, which
# takes longer the more there is in it that may not be read. A plan made once serves every question.
BY_INDEX = (
    "SET enable_seqscan = off SET enable_indexscan = off SET max_parallel_workers_per_gather = 0"
    " SET jit = off SET plan_cache_mode = force_generic_plan"
)


def _ranked(columns: str, held: str, kin: str) -> str:
    """The best chunks for the words of `question` under `held` (workspace_id, label_id).

    A word weighs by how few chunks under these labels have it (the idf of BM25), times `ts_rank` of it alone, which
    levels off as a word repeats and is divided by the logarithm of the chunk's length. Words are looked up from the
    rarest on while no more than ROWS_AT_MOST chunks can match; the others only add to what those find. A question
    of nothing but common words is answered by the chunks that have its two rarest. Forms of one word are of one
    `kin`, SQL on `w.word`: they are as rare as all of them together.
    """
    places = range(1, MOST_WORDS + 1)
    ranks = ", ".join(f"ts_rank('{{0.5,0.7,0.8,1}}', c.words, asked.queries[{n}], 1) AS r{n}" for n in places)
    having = ", ".join(f"count(*) FILTER (WHERE r{n} > 0)" for n in places)
    score = " + ".join(f"coalesce(weights[{n}] * r{n}, 0)" for n in places)
    return f"""
        WITH held AS MATERIALIZED (
            SELECT h.workspace_id, h.label_id, coalesce(n.chunks, 0) AS chunks FROM {held} AS h
            LEFT JOIN retrieval.label_count n ON n.workspace_id = h.workspace_id AND n.label_id = h.label_id
        ), visible AS MATERIALIZED (SELECT coalesce(sum(chunks), 0)::float8 AS chunks FROM held),
        word AS (
            SELECT w.word, {kin} AS kin, (
                SELECT coalesce(sum(f.chunks), 0)::bigint FROM retrieval.label_word f
                WHERE f.word = w.word AND (f.workspace_id, f.label_id) IN (SELECT workspace_id, label_id FROM held)
            ) AS chunks
            FROM unnest(tsvector_to_array(question)) AS w (word)
        ), form AS (
            SELECT word, kin, chunks, sum(chunks) OVER (PARTITION BY kin)::bigint AS of_kin,
                row_number() OVER (PARTITION BY kin ORDER BY chunks DESC, word) AS place_in_kin
            FROM word
        ), placed AS (
            SELECT form.*, row_number() OVER rarest AS place,
                sum(form.chunks) OVER rarest <= {ROWS_AT_MOST} OR visible.chunks <= {ROWS_AT_MOST} AS is_rare
            FROM form, visible WINDOW rarest AS (ORDER BY form.of_kin, form.kin, form.place_in_kin)
        ), asked AS MATERIALIZED (
            SELECT array_agg(retrieval.any_word(array_to_tsvector(ARRAY[word])) ORDER BY place) AS queries,
                array_agg(of_kin ORDER BY place) AS chunks,
                bool_or(is_rare) AS by_any,
                coalesce(array_agg(word) FILTER (WHERE is_rare),
                    (array_agg(word ORDER BY place) FILTER (WHERE place_in_kin = 1))[1:2]) AS words
            FROM placed WHERE place <= {MOST_WORDS}
        ), keyed AS MATERIALIZED (
            SELECT held.workspace_id, held.label_id,
                array_agg(hashtextextended(w, hashint8extended(held.label_id, held.workspace_id))) AS keys
            FROM held, asked, unnest(asked.words) AS w GROUP BY 1, 2
        ), matched AS MATERIALIZED (
            {_looked_up(ranks, "asked.by_any", "&&")} UNION ALL {_looked_up(ranks, "NOT asked.by_any", "@>")}
        ), weighed AS MATERIALIZED (
            SELECT array_agg(ln(1 + (greatest(visible.chunks - d, 0) + 0.5) / (d + 0.5)) ORDER BY place) AS weights
            FROM visible, asked, (SELECT ARRAY[{having}] AS found FROM matched) AS m,
                unnest(asked.chunks, m.found) WITH ORDINALITY AS x (counted, found, place),
                LATERAL (SELECT greatest(x.counted, x.found)::float8 AS d) AS standing
        )
        SELECT {columns.format(score=f"({score})::real")} FROM matched AS c, weighed
        ORDER BY {score} DESC, c.id LIMIT how_many
    """


def _looked_up(ranks: str, when: str, operator: str) -> str:
    return f"""(
        SELECT c.id, c.workspace_id, c.label_id, {ranks}
        FROM asked JOIN keyed ON {when} CROSS JOIN LATERAL (
            SELECT t.id, t.workspace_id, t.label_id, t.words FROM retrieval.chunk t
            WHERE t.is_current AND t.workspace_id + 0 = keyed.workspace_id AND t.label_id = keyed.label_id
              AND retrieval.word_keys(t.workspace_id, t.label_id, t.words) {operator} keyed.keys
            OFFSET 0
        ) AS c
    )"""


CLEARED = f"(SELECT {WORKSPACE} AS workspace_id, l AS label_id FROM unnest({LABELS}) AS l OFFSET 0)"
GIVEN = "(SELECT * FROM unnest(workspace_ids, label_ids) AS given (workspace_id, label_id))"
STABLY = f"LANGUAGE sql STABLE {SAFELY} {BY_INDEX}"


def by_rarity(kin: str) -> dict[str, str]:
    """The search functions, in which the forms of a word are told by `kin`."""
    return {
        "lexical_candidates": f"""(question tsvector, how_many integer)
        RETURNS TABLE (chunk_id bigint, score real) {STABLY} AS $$ {_ranked("c.id, {score}", CLEARED, kin)} $$""",
        "lexical_under": f"""(workspace_ids bigint[], label_ids bigint[], question tsvector, how_many integer)
        RETURNS TABLE (workspace_id bigint, chunk_id bigint, label_id bigint) {STABLY} AS $$
            {_ranked("c.workspace_id, c.id, c.label_id", GIVEN, kin)} $$""",
    }


BY_RARITY = by_rarity("w.word")
before = import_module("migrations.versions.0007_words_by_label")


def upgrade() -> None:
    op.execute("SET LOCAL ROLE ostiary_owner")
    op.execute(COUNTS)
    op.execute(COUNT_WORDS)
    op.execute("GRANT CREATE ON SCHEMA retrieval TO ostiary_search")
    op.execute("RESET ROLE")
    op.execute("ALTER FUNCTION retrieval.count_words OWNER TO ostiary_search")
    before.replace_searches(BY_RARITY)


def downgrade() -> None:
    before.replace_searches(before.BY_LABEL)
    op.execute("""
        DROP FUNCTION retrieval.count_words;
        DROP TABLE retrieval.label_word;
        REVOKE SELECT (chunks) ON retrieval.label_count FROM ostiary_search;
        ALTER TABLE retrieval.label_count DROP counted;
    """)
