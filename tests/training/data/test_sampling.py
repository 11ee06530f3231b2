"""Which films an epoch shows, and how often."""

import numpy as np
import pytest

from training.data.sampling import BalancedBatches

LABELS = np.array([1] * 10 + [0] * 30)
ROWS = np.arange(40)


def batches(**changes) -> BalancedBatches:
    settings = {"steps": 5, "batch_size": 8, "micro_batch": 4, "seed": 1} | changes
    return BalancedBatches(LABELS, ROWS, **settings)


def rows_of(sampler) -> list[int]:
    return [draw.row for batch in sampler for draw in batch]


def test_the_share_of_positives_is_as_asked():
    sampler = batches()
    for share in (0.25, 0.5, 0.8):
        sampler.positive_share = share
        assert LABELS[rows_of(sampler)].mean() == pytest.approx(share)


def test_a_deck_is_dealt_out_before_it_is_shuffled_anew():
    sampler = batches()
    sampler.positive_share = 0.5  # 20 positive draws from a deck of 10
    counts = np.bincount(rows_of(sampler), minlength=40)
    assert (counts[:10] == 2).all()
    assert (counts[10:] <= 1).all()


def test_an_epoch_is_repeatable_and_differs_from_the_next():
    sampler = batches()
    first = list(sampler)
    assert list(sampler) == first
    sampler.epoch = 1
    assert list(sampler) != first


def test_processes_share_the_very_micro_batches_of_one():
    alone = list(batches())
    shares = [list(batches(process=process, processes=2)) for process in range(2)]
    assert [batch for pair in zip(*shares, strict=True) for batch in pair] == alone


def test_hard_negatives_have_the_share_that_is_asked_for():
    hard = np.zeros(40, dtype=bool)
    hard[[3, 10, 11, 12]] = True  # a positive is no hard negative, whatever else is said of it
    for share in (0.0, 0.25, 0.5):
        sampler = batches(steps=20, hard=hard, hard_share=share)
        sampler.positive_share = 0.5
        counts = np.bincount(rows_of(sampler), minlength=40)
        assert counts[:10].sum() == 80
        assert counts[10:13].sum() == 80 * share
        assert counts[13:].sum() == 80 * (1 - share)
    with pytest.raises(ValueError, match="hard ones"):
        list(batches(hard=np.zeros(40, dtype=bool), hard_share=0.5))


def test_a_batch_that_cannot_be_dealt_is_refused():
    with pytest.raises(ValueError, match="3 processes"):
        batches(processes=3)
