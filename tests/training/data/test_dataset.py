"""What the network is shown of a film."""

import numpy as np
import pytest
import torch

from app.segmentation.network.preprocessing import PreprocessingConfig
from training.data.dataset import FilmDataset
from training.data.sampling import Draw
from training.data.windows import WindowConfig

SIDE = PreprocessingConfig(64)


@pytest.mark.parametrize("size", [0, 32])
def test_a_draw_depends_on_its_seed_alone(films, size):
    dataset = FilmDataset(films, SIDE, WindowConfig(size))
    image, mask, _, row = dataset[Draw(1, seed=5)]
    again, mask_again, _, _ = dataset[Draw(1, seed=5)]
    other, *_ = dataset[Draw(1, seed=6)]
    assert image.shape == mask.shape == (1, size or 64, size or 64) and row == 1
    assert image.dtype == mask.dtype == torch.float32
    assert torch.equal(image, again) and torch.equal(mask, mask_again)
    assert not torch.equal(image, other)


def test_a_window_is_labelled_by_what_it_shows(films):
    positive = int(np.flatnonzero(films.table["label"])[0])
    dataset = FilmDataset(films, SIDE, WindowConfig(32, near_share=0.0))
    shown = [dataset[Draw(positive, seed)] for seed in range(40)]
    assert all(float(label) == mask.max() for _, mask, label, _ in shown)
    assert {float(label) for _, _, label, _ in shown} == {0.0, 1.0}


def test_borders_are_softened_only_where_asked_for_and_labels_never(films):
    positive = int(np.flatnonzero(films.table["label"])[0])
    sharp, soft = (
        FilmDataset(films, SIDE, WindowConfig(32, near_share=1.0, distance=0, soften=soften))[Draw(positive, 3)]
        for soften in (0.0, 1.5)
    )
    assert set(sharp[1].unique().tolist()) == {0.0, 1.0}
    assert ((soft[1] > 0.01) & (soft[1] < 0.99)).any()
    assert torch.equal(sharp[0], soft[0]) and sharp[2] == soft[2] == 1


def test_a_whole_film_is_a_window_that_loses_little_of_it(films):
    positive = int(np.flatnonzero(films.table["label"])[0])
    dataset = FilmDataset(films, SIDE, WindowConfig())
    area = FilmDataset(films, SIDE)[Draw(positive, 0)][1].mean()
    areas = torch.stack([dataset[Draw(positive, seed)][1].mean() for seed in range(60)])
    assert (areas > 0).float().mean() > 0.9
    assert 0.6 < float(areas.median() / area) < 1.5
