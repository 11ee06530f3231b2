"""Which films an epoch shows, and how they are augmented."""

import numpy as np
import pytest
import torch

from app.segmentation.network.preprocessing import PreprocessingConfig
from training.data.augmentation import JpegCompression, augment, build_augmentation, join_halves
from training.data.dataset import BalancedBatches, Draw, FilmDataset

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


def test_as_many_films_as_asked_are_joined_with_another():
    alone, joined = batches(steps=100), batches(steps=100, joined_share=0.4)
    assert all(draw.right_half is None for batch in alone for draw in batch)
    assert rows_of(joined) == rows_of(alone), "joining changes neither the films nor their order"
    others = [draw.right_half for batch in joined for draw in batch if draw.right_half is not None]
    assert len(others) / 800 == pytest.approx(0.4, abs=0.06)
    assert set(others) == set(ROWS), "every film lends its right half"


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


def test_a_draw_depends_on_its_seed_alone(films):
    dataset = FilmDataset(films, PreprocessingConfig(64), augmented=True)
    torch.manual_seed(0)
    image, mask, _ = dataset[Draw(1, seed=5)]
    torch.manual_seed(99)
    again, mask_again, _ = dataset[Draw(1, seed=5)]
    other, *_ = dataset[Draw(1, seed=6)]
    assert torch.equal(image, again) and torch.equal(mask, mask_again)
    assert not torch.equal(image, other)


def standardised(half: torch.Tensor) -> torch.Tensor:
    """Undo what the grey levels of the other half do to a film that is normalised as a whole."""
    return (half - half.mean()) / half.std()


def test_a_joined_film_shows_and_tells_of_both_halves(films):
    dataset = FilmDataset(films, PreprocessingConfig(64), augmented=False)
    alone = [dataset[Draw(row, 0)] for row in range(len(films.table))]
    pairs = [(left, right) for left in range(len(alone)) for right in range(len(alone))]
    labels = set()
    for left, right in pairs:
        image, mask, label = dataset[Draw(left, 0, right)]
        assert torch.equal(mask[..., :32], alone[left][1][..., :32])
        assert torch.equal(mask[..., 32:], alone[right][1][..., 32:])
        assert torch.allclose(standardised(image[..., :32]), standardised(alone[left][0][..., :32]), atol=1e-4)
        assert torch.allclose(standardised(image[..., 32:]), standardised(alone[right][0][..., 32:]), atol=1e-4)
        assert (label > 0.5) == mask.any(), "a half without a mark takes the label with it"
        labels.add((float(alone[left][2]) > 0.5, float(label) > 0.5))
    assert {(True, False), (False, True)} <= labels, "some films lose their pneumothorax, some gain one"


def test_halves_of_an_odd_width_make_a_whole():
    left, right = np.zeros((4, 5)), np.ones((4, 5))
    assert join_halves(left, right).tolist() == [[0, 0, 1, 1, 1]] * 4


def test_augmentation_moves_film_and_mask_alike():
    image = np.zeros((128, 128), dtype=np.float32)
    image[30:70, 40:90] = 1
    mask = image > 0
    transform = build_augmentation(128)
    for seed in range(20):
        torch.manual_seed(seed)
        moved, moved_mask = augment(image, mask, transform)
        bright = moved > 0.5 * moved.max()
        overlap = 2 * (bright & (moved_mask > 0)).sum() / (bright.sum() + moved_mask.sum())
        assert moved.dtype == np.float32 and 0 <= moved.min() and moved.max() <= 1
        assert overlap > 0.9, seed


def test_jpeg_compression_costs_more_at_lower_quality():
    from torchvision import tv_tensors

    film = tv_tensors.Image(torch.rand(1, 64, 64, generator=torch.Generator().manual_seed(0)))
    mask = tv_tensors.Mask(torch.ones(1, 64, 64, dtype=torch.uint8))
    losses = []
    for quality in (95, 30):
        compressed, same_mask = JpegCompression((quality, quality))(film, mask)
        losses.append(float((compressed - film).abs().mean()))
        assert torch.equal(same_mask, mask)
    assert 0 < losses[0] < losses[1]
