"""Stages of re-ranking, with the real embedder and a real, if tiny, cross-encoder."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from langchain_core.callbacks import Callbacks
from langchain_core.documents import BaseDocumentCompressor, Document
from transformers import BertConfig, BertForSequenceClassification, BertModel, PreTrainedModel

from retrieval.chunking import embedding_text
from retrieval.embedding import LocalEmbeddings, TokenVectors, Vectors
from retrieval.passages import Passage
from retrieval.reranking import BlendedSimilarity, LateInteraction, Staged
from retrieval.reranking.compressor import CompressorReranker
from retrieval.reranking.cross_encoder import CrossEncoder
from retrieval.reranking.loading import load_reranker
from retrieval.reranking.token_codes import best_matches, encode_passages, encoded, telling, weights
from retrieval.search import Candidate
from retrieval.weights import ModelNotFound, ModelUnusable

QUESTION = "Who signs contracts above 50,000 euros?"
SAID = (
    "Contracts are kept in the archive of the legal department for ten years.",
    "Anything above 50,000 euros is signed by two directors, contracts included.",
    "The canteen opens at noon and closes at two.",
    "Travel below 500 euros needs no approval.",
)
ALLOWANCES = [("Berlin", 20), ("Paris", 30), ("Rome", 25), ("Oslo", 35)]


def candidates(
    embeddings: LocalEmbeddings, said: Sequence[str] = SAID, coded: bool = True
) -> list[Candidate]:
    """In the order given, as if the search had found them so."""
    passages = encode_passages(embeddings, [embedding_text("Rules", (), text) for text in said])
    return [
        Candidate(
            Passage(at, 1, 1, "Rules", text, score=1 / (60 + at)),
            passages[at].vector,
            passages[at].token_codes if coded else None,
        )
        for at, text in enumerate(said)
    ]


def question_vector(embeddings: LocalEmbeddings) -> Vectors:
    vector: Vectors = embeddings.encode([QUESTION])[0]
    return vector


def test_what_answers_word_for_word_comes_before_what_shares_the_subject(embeddings: LocalEmbeddings) -> None:
    vector = question_vector(embeddings)
    scores = LateInteraction(embeddings).scores(QUESTION, vector, candidates(embeddings))
    assert scores.argmax() == 1
    assert scores[2] == scores.min()


def test_passages_that_were_stored_without_codes_are_ranked_by_the_rest(embeddings: LocalEmbeddings) -> None:
    vector = question_vector(embeddings)
    bare = candidates(embeddings, coded=False)
    late = LateInteraction(embeddings, similar=0, lexical=0, late=1).scores(QUESTION, vector, bare)
    similar = BlendedSimilarity(similarity_weight=1).scores(QUESTION, vector, bare)
    assert np.argsort(late).tolist() == np.argsort(similar).tolist()
    mixed = [*candidates(embeddings)[:2], *bare[2:]]
    assert LateInteraction(embeddings).scores(QUESTION, vector, mixed).argmax() == 1


def test_a_code_says_of_each_token_what_its_signs_say() -> None:
    rng = np.random.default_rng(1)
    question, first, second = (rng.normal(size=(n, 384)).astype(np.float32) for n in (3, 5, 2))
    codes = [encoded(TokenVectors(("word",) * len(some), some)) for some in (first, second)]
    expected = [(question @ np.sign(some).T / np.sqrt(384)).max(axis=1) for some in (first, second)]
    assert np.allclose(best_matches(question, codes), expected, atol=1e-4)


def test_function_words_and_marks_take_no_room_and_count_little() -> None:
    tokens = TokenVectors(("[CLS]", "the", "leave", ",", "▁of", "absence"), np.ones((6, 384), np.float32))
    assert len(encoded(tokens)) == 3 * 48
    assert weights(tokens).sum() == pytest.approx(1)
    assert weights(tokens)[2] == pytest.approx(4 * weights(tokens)[1])
    assert weights(tokens)[0] == 0
    assert weights(TokenVectors(("[CLS]", "[SEP]"), np.ones((2, 384), np.float32))).sum() == pytest.approx(1)


def test_what_one_passage_has_tells_more_than_what_all_have_and_of_one_alone_nothing_tells() -> None:
    common, rare = [0.9, 0.9, 0.8, 0.9], [0.9, 0.1, 0.1, 0.1]
    matches = np.array([common, rare], dtype=np.float32).T
    assert telling(matches)[1] > 3 * telling(matches)[0] > 0
    assert telling(matches[:1]).tolist() == [0, 0]


def test_the_word_that_only_one_of_the_passages_has_decides(embeddings: LocalEmbeddings) -> None:
    elsewhere = [
        f"The travel allowance of employees in {city} is {euros} euros a day." for city, euros in ALLOWANCES
    ]
    asked = "What is the travel allowance of employees in Lisbon?"
    found = candidates(embeddings, [*elsewhere, "Employees get 22 euros a day in Lisbon."])
    vector: Vectors = embeddings.encode([asked])[0]
    scores = LateInteraction(embeddings, similar=0, lexical=0, late=1).scores(asked, vector, found)
    assert scores.argmax() == len(elsewhere)


def test_a_passage_alone_is_ranked_too(embeddings: LocalEmbeddings) -> None:
    scores = LateInteraction(embeddings).scores(
        QUESTION, question_vector(embeddings), candidates(embeddings)[:1]
    )
    assert scores.tolist() == [pytest.approx(1)]


def test_a_passage_of_nothing_but_function_words_keeps_them() -> None:
    assert len(encoded(TokenVectors(("to", "be"), np.ones((2, 384), np.float32)))) == 2 * 48


def test_tokens_do_not_change_what_a_text_is_encoded_as(embeddings: LocalEmbeddings) -> None:
    vectors, tokens = embeddings.encode_tokens(SAID)
    assert np.allclose(vectors, embeddings.encode(SAID), atol=1e-5)
    alone = embeddings.encode_tokens([SAID[0]])[1][0]
    assert tokens[0].tokens == alone.tokens
    assert np.allclose(tokens[0].vectors, alone.vectors, atol=1e-4)


@pytest.fixture
def tiny(tmp_path: Path, embeddings: LocalEmbeddings) -> Path:
    return saved(tmp_path / "tiny", embeddings, BertForSequenceClassification(tiny_config(embeddings, 1)))


def tiny_config(embeddings: LocalEmbeddings, labels: int) -> BertConfig:
    return BertConfig(
        vocab_size=len(embeddings.tokenizer), hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=64, max_position_embeddings=64, num_labels=labels,
    )  # fmt: skip


def saved(folder: Path, embeddings: LocalEmbeddings, model: PreTrainedModel) -> Path:
    model.save_pretrained(folder)
    embeddings.tokenizer.save_pretrained(folder)
    return folder


def test_a_cross_encoder_scores_a_passage_alike_alone_and_among_others(
    embeddings: LocalEmbeddings, tiny: Path
) -> None:
    encoder = CrossEncoder.load(tiny)
    found = candidates(embeddings, [*SAID, " ".join(SAID * 5)])
    together = encoder.scores(QUESTION, found[0].vector, found)
    alone = [encoder.scores(QUESTION, found[0].vector, [candidate])[0] for candidate in found]
    assert np.allclose(together, alone, atol=1e-5)
    assert len(set(together.tolist())) == len(found)


def test_of_two_classes_the_second_means_that_a_passage_answers(
    embeddings: LocalEmbeddings, tmp_path: Path
) -> None:
    model = BertForSequenceClassification(tiny_config(embeddings, 2))
    model.classifier.bias.data[:] = model.classifier.bias.new_tensor([0.0, 9.0])
    encoder = CrossEncoder.load(saved(tmp_path / "two", embeddings, model))
    assert encoder.scores(QUESTION, question_vector(embeddings), candidates(embeddings)).min() > 5


def test_a_model_that_was_not_trained_to_rank_is_refused(embeddings: LocalEmbeddings, tmp_path: Path) -> None:
    plain = saved(tmp_path / "plain", embeddings, BertModel(tiny_config(embeddings, 1)))
    with pytest.raises(ModelUnusable, match="no cross-encoder: it has no trained weights for classifier"):
        CrossEncoder.load(plain)
    three = BertForSequenceClassification(tiny_config(embeddings, 3))
    with pytest.raises(ModelUnusable, match="tells 3 classes apart"):
        CrossEncoder.load(saved(tmp_path / "three", embeddings, three))


def test_pickled_weights_are_never_loaded(tiny: Path) -> None:
    (tiny / "model.safetensors").rename(tiny / "pytorch_model.bin")
    with pytest.raises(ModelUnusable, match="Pickled weights are never loaded"):
        load_reranker(str(tiny), embeddings=None)  # type: ignore[arg-type]


def test_a_model_that_is_nowhere_is_named_with_its_setting(embeddings: LocalEmbeddings) -> None:
    with pytest.raises(ModelNotFound, match="OSTIARY_RERANKER to a folder or hub id, or leave it unset"):
        load_reranker("nobody/has-this", embeddings)


def test_a_costly_stage_reads_only_the_best_and_the_others_stay_behind(
    embeddings: LocalEmbeddings, tiny: Path
) -> None:
    vector, found = question_vector(embeddings), candidates(embeddings)
    late, encoder = LateInteraction(embeddings), CrossEncoder.load(tiny)
    staged = Staged(late, encoder, how_many=2).scores(QUESTION, vector, found)
    first = np.argsort(-late.scores(QUESTION, vector, found))
    assert set(np.argsort(-staged)[:2]) == set(first[:2])
    assert np.argsort(-staged)[2:].tolist() == first[2:].tolist()
    by_encoder = encoder.scores(QUESTION, vector, [found[at] for at in first[:2]])
    assert np.argsort(-staged)[0] == first[by_encoder.argmax()]


class ShortestFirst(BaseDocumentCompressor):
    """A compressor as LangChain's are: returns some of the documents, in its own order."""

    def compress_documents(
        self, documents: Sequence[Document], query: str, callbacks: Callbacks | None = None
    ) -> Sequence[Document]:
        kept = [document for document in documents if "canteen" not in document.page_content]
        return sorted(kept, key=lambda document: len(document.page_content))


def test_any_compressor_of_langchain_ranks_and_what_it_drops_comes_last(embeddings: LocalEmbeddings) -> None:
    found = candidates(embeddings)
    scores = CompressorReranker(ShortestFirst()).scores(QUESTION, found[0].vector, found)
    assert np.argsort(-scores).tolist() == [3, 0, 1, 2]
