"""Which language model suits which machine."""

from bot.generation.suitability import Machine, judge, this_machine

LAPTOP = Machine(cores=2, memory=8_000_000_000, gpu=None, speed=60e9, bytes_per_weight=4)


def test_what_does_not_fit_in_memory_does_not_suit_and_is_told_why() -> None:
    verdict = judge(7_000_000_000, LAPTOP)
    assert (verdict.suits, verdict.reason) == (False, "needs 36.4 GB of memory and 8.0 GB are free")


def test_what_fits_and_reads_too_slowly_does_not_suit() -> None:
    verdict = judge(1_400_000_000, LAPTOP)
    assert not verdict.suits
    assert "16.3 s; too slow here without a GPU" in verdict.reason


def test_what_fits_and_reads_fast_suits() -> None:
    assert judge(135_000_000, LAPTOP).reason == "needs 0.7 GB, reads three passages in about 1.6 s"
    assert judge(135_000_000, LAPTOP).suits


def test_a_gpu_makes_the_difference() -> None:
    gpu = Machine(cores=16, memory=24_000_000_000, gpu="A GPU", speed=50e12, bytes_per_weight=2)
    assert judge(7_000_000_000, gpu).suits


def test_where_memory_is_unknown_it_is_no_reason() -> None:
    assert judge(135_000_000, Machine(2, None, None, 60e9, 4)).suits


def test_this_machine_is_looked_at() -> None:
    here = this_machine("cpu")
    assert here.cores >= 1
    assert here.speed > 1e8
    assert "no GPU" in here.in_words
