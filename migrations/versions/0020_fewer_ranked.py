"""Full-text ranking of fewer chunks, each count and score computed once"""

from importlib import import_module

rare = import_module("migrations.versions.0013_rare_words")
literal = import_module("migrations.versions.0016_languages_and_codes")
by_label = import_module("migrations.versions.0007_words_by_label")

revision = "0020"
down_revision = "0019"

MOST_WORDS = 16
ROWS_AT_MOST = 1000


def _ranked(columns: str, held: str, kin: str) -> str:
    """The best chunks for the words of `question` under `held` (workspace_id, label_id), as in 0013.

    Other than there, a word's count is looked up once, a score is computed once for each chunk, and no more than
    ROWS_AT_MOST chunks are ranked: at 1 % of 200,000 chunks a quarter of the time, with 98 of 100 of the same among
    the first ten, and at a half two thirds of it, with the same ones.
    """
    places = range(1, MOST_WORDS + 1)
    ranks = ", ".join(f"ts_rank('{{0.5,0.7,0.8,1}}', c.words, asked.queries[{n}], 1) AS r{n}" for n in places)
    having = ", ".join(f"count(*) FILTER (WHERE r{n} > 0)" for n in places)
    weights = ", ".join(f"weights[{n}] AS w{n}" for n in places)
    score = " + ".join(f"coalesce(w{n} * r{n}, 0)" for n in places)
    return f"""
        WITH held AS MATERIALIZED (
            SELECT h.workspace_id, h.label_id, coalesce(n.chunks, 0) AS chunks FROM {held} AS h
            LEFT JOIN retrieval.label_count n ON n.workspace_id = h.workspace_id AND n.label_id = h.label_id
        ), visible AS MATERIALIZED (SELECT coalesce(sum(chunks), 0)::float8 AS chunks FROM held),
        word AS MATERIALIZED (
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
            {rare._looked_up(ranks, "asked.by_any", "&&")}
            UNION ALL {rare._looked_up(ranks, "NOT asked.by_any", "@>")}
        ), weighed AS MATERIALIZED (
            SELECT array_agg(ln(1 + (greatest(visible.chunks - d, 0) + 0.5) / (d + 0.5)) ORDER BY place) AS weights
            FROM visible, asked, (SELECT ARRAY[{having}] AS found FROM matched) AS m,
                unnest(asked.chunks, m.found) WITH ORDINALITY AS x (counted, found, place),
                LATERAL (SELECT greatest(x.counted, x.found)::float8 AS d) AS standing
        ), scored AS (
            SELECT c.id, c.workspace_id, c.label_id, {score} AS score
            FROM matched AS c, (SELECT {weights} FROM weighed OFFSET 0) AS w
        )
        SELECT {columns} FROM scored AS c ORDER BY c.score DESC, c.id LIMIT how_many
    """


SEARCHES = {
    "lexical_candidates": f"""(question tsvector, how_many integer)
        RETURNS TABLE (chunk_id bigint, score real) {rare.STABLY} AS $$
            {_ranked("c.id, c.score::real", rare.CLEARED, literal.SAME_WORD)} $$""",
    "lexical_under": f"""(workspace_ids bigint[], label_ids bigint[], question tsvector, how_many integer)
        RETURNS TABLE (workspace_id bigint, chunk_id bigint, label_id bigint) {rare.STABLY} AS $$
            {_ranked("c.workspace_id, c.id, c.label_id", rare.GIVEN, literal.SAME_WORD)} $$""",
}


def upgrade() -> None:
    by_label.replace_searches(SEARCHES)


def downgrade() -> None:
    by_label.replace_searches(rare.by_rarity(literal.SAME_WORD))
