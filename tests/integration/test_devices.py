"""Half the digits, where a machine is faster with them, change nothing in what is found."""

import numpy as np
import pytest
import torch

from retrieval.devices import Device, DeviceMissing, choose_device, has_fast_bfloat16
from retrieval.embedding import LocalEmbeddings
from retrieval.weights import embedder_folder
from tests.conftest import CACHE

PASSAGES = [
    f"{subject} {rule}"
    for subject in (
        "Travel costs",
        "Sick leave",
        "Parental leave",
        "Laptops",
        "Guests",
        "Overtime",
        "Training",
    )
    for rule in (
        "are approved by the manager before anything is booked or spent.",
        "must be entered in the portal within thirty days, with the receipts.",
        "are limited to two thousand euros a year unless finance says otherwise.",
        "follow the law of the country in which the person works.",
    )
]
QUESTIONS = [
    "Who approves travel?",
    "How long may sick leave be entered later?",
    "Which law applies to parental leave?",
    "How much money is there for training?",
    "May guests be reimbursed?",
]


@pytest.fixture(scope="module")
def half() -> LocalEmbeddings:
    return LocalEmbeddings.load(
        embedder_folder(cache=CACHE), Device("cpu", torch.bfloat16, batch_tokens=1024, texts=32)
    )


@pytest.fixture(scope="module")
def full() -> LocalEmbeddings:
    return LocalEmbeddings.load(
        embedder_folder(cache=CACHE), Device("cpu", torch.float32, batch_tokens=1024, texts=32)
    )


def test_vectors_of_half_the_digits_point_the_same_way(half: LocalEmbeddings, full: LocalEmbeddings) -> None:
    cosines = (half.encode(PASSAGES) * full.encode(PASSAGES)).sum(1)
    assert cosines.min() > 0.999
    assert cosines.max() < 1 - 1e-7, "these were made of the same numbers"


def test_vectors_of_half_the_digits_have_the_same_neighbours(
    half: LocalEmbeddings, full: LocalEmbeddings
) -> None:
    nearest = [
        np.argsort(-(model.encode(QUESTIONS) @ model.encode(PASSAGES).T), axis=1)[:, :3]
        for model in (half, full)
    ]
    assert (nearest[0][:, 0] == nearest[1][:, 0]).all()
    shared = [len(set(a) & set(b)) for a, b in zip(*nearest, strict=True)]
    assert sum(shared) >= 3 * len(QUESTIONS) - 1


def test_the_size_of_a_batch_changes_no_vector(full: LocalEmbeddings) -> None:
    together = full.encode(PASSAGES)
    alone = np.concatenate([full.encode([passage]) for passage in PASSAGES])
    assert np.abs(together - alone).max() < 1e-5


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_gpu_that_is_not_there_is_named() -> None:
    with pytest.raises(DeviceMissing, match="OSTIARY_DEVICE"):
        choose_device("cuda")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_without_a_gpu_the_processor_computes_in_what_it_is_faster_with() -> None:
    chosen = choose_device("auto")
    assert chosen == choose_device("cpu")
    assert chosen.name == "cpu"
    assert (chosen.dtype == torch.bfloat16) is has_fast_bfloat16()
