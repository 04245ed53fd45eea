"""Words of other languages than English, codes and names as they are written, and letters without their accents

What the words of a text are is said here alone, for passages and questions alike.
"""

from importlib import import_module

from alembic import op

revision = "0016"
down_revision = "0015"

# A combining mark is dropped from what it stands on, so that "resume" finds "résumé", and "Muller" "Müller".
FOLDED = r"""
    CREATE FUNCTION retrieval.folded(said text) RETURNS text
        LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE BEGIN ATOMIC
            SELECT CASE WHEN said !~ '[^\x01-\x7f]' THEN said ELSE normalize(
                regexp_replace(normalize(replace(said, 'ß', 'ss'), NFKD), '[\u0300-\u036f]+', '', 'g'), NFKC)
            END;
        END;
"""
# PostgreSQL's parser reads `ISO-27001` as a word and a negative number and `ERR_4012` as two words. Whatever is
# joined without a space and has a digit, an underscore or an @ is one word here, in small letters; between a letter
# and a digit it makes no difference whether there is a hyphen, an underscore or nothing, nor, in what is written in
# capitals (`ISO 27001`), a space.
CODES = r"""
    CREATE FUNCTION retrieval.codes_in(said text) RETURNS tsvector
        LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE BEGIN ATOMIC
            SELECT array_to_tsvector(ARRAY(
                SELECT regexp_replace(lower(code[1]), '([a-z])[-_ ](?=[0-9])', '\1', 'g')
                FROM (
                    SELECT regexp_matches(said, '([[:alnum:]]+(?:[-_./@+:#][[:alnum:]]+)+)', 'g') AS code
                    UNION ALL SELECT regexp_matches(said, '\m([A-Z]{2,6} [0-9]{2,}(?:[-.:/][0-9]+)*)\M', 'g')
                ) AS found
                WHERE code[1] ~ '[0-9_@]' AND length(code[1]) <= 100
            ));
        END;
"""
WORDS = """
    CREATE FUNCTION retrieval.words_of(said text, language text) RETURNS tsvector
        LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE BEGIN ATOMIC
            SELECT CASE WHEN language = 'en' THEN to_tsvector('english', retrieval.folded(said))
                ELSE to_tsvector('simple', retrieval.folded(said)) END || retrieval.codes_in(said);
        END;
    CREATE FUNCTION retrieval.chunk_words(title text, headings text[], said text, language text) RETURNS tsvector
        LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE BEGIN ATOMIC
            SELECT setweight(retrieval.words_of(title, language), 'A')
                || setweight(retrieval.words_of(array_to_string(headings, ' '), language), 'B')
                || setweight(retrieval.words_of(said, language), 'D');
        END;
"""
# A question is looked up as English and, less the stop words of English, as it stands: passages of both kinds lie
# side by side. A search considers so many words; those of the question as it stands come after the English ones.
MOST_WORDS = 16
ASKED = rf"""
    CREATE FUNCTION retrieval.asked_words(question text) RETURNS tsvector
        LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE BEGIN ATOMIC
            WITH english AS (
                SELECT unnest(tsvector_to_array(to_tsvector('english', retrieval.folded(question))
                    || retrieval.codes_in(question) || retrieval.codes_in(upper(question)))) AS word
            ), as_it_stands AS (
                SELECT word
                FROM unnest(tsvector_to_array(to_tsvector('simple', retrieval.folded(question)))) AS word
                WHERE coalesce(cardinality(ts_lexize('english_stem', word)), 1) > 0
                EXCEPT SELECT word FROM english
                ORDER BY 1 LIMIT greatest({MOST_WORDS} - (SELECT count(*) FROM english), 0)
            )
            SELECT array_to_tsvector(ARRAY(SELECT word FROM english UNION ALL SELECT word FROM as_it_stands));
        END;
"""
# Passages that are there already count as English, as which they were stored; a document's next version is told
# apart. The owner stands behind the walls as well, and must see what it rewrites; words that stay are not.
REWRITE = """
    ALTER TABLE retrieval.version ADD language text NOT NULL DEFAULT 'en';
    ALTER TABLE retrieval.chunk NO FORCE ROW LEVEL SECURITY;
    ALTER TABLE retrieval.version NO FORCE ROW LEVEL SECURITY;
    UPDATE retrieval.chunk c SET words = now.words
        FROM (
            SELECT t.workspace_id, t.id, retrieval.chunk_words(n.title, t.heading_path, t.text, n.language) AS words
            FROM retrieval.chunk t
            JOIN retrieval.version n ON n.workspace_id = t.workspace_id AND n.id = t.version_id
        ) AS now
        WHERE now.workspace_id = c.workspace_id AND now.id = c.id AND now.words IS DISTINCT FROM c.words;
    ALTER TABLE retrieval.chunk FORCE ROW LEVEL SECURITY;
    ALTER TABLE retrieval.version FORCE ROW LEVEL SECURITY;
"""
# A word and its English stem are one word to a search: as rare as both together.
SAME_WORD = "coalesce((ts_lexize('english_stem', w.word))[1], w.word)"
searching = import_module("migrations.versions.0013_rare_words")
ranked = import_module("migrations.versions.0007_words_by_label")


def upgrade() -> None:
    op.execute("SET LOCAL ROLE ostiary_owner")
    for statement in (FOLDED, CODES, WORDS, ASKED, REWRITE):
        op.execute(statement)
    op.execute("RESET ROLE")
    ranked.replace_searches(searching.by_rarity(SAME_WORD))


def downgrade() -> None:
    ranked.replace_searches(searching.BY_RARITY)
    op.execute("""
        ALTER TABLE retrieval.version DROP language;
        DROP FUNCTION retrieval.asked_words, retrieval.chunk_words, retrieval.words_of, retrieval.codes_in,
            retrieval.folded;
    """)
