"""Where windows lie, what they show, and how they are standardised."""

import numpy as np
import pandas as pd
import pytest

from training.data.dataset import BalancedBatches, patient_weights
from training.data.windows import WindowConfig, cut_window, film_statistics, window_matrix

STILL = WindowConfig(size=64, near_share=1.0, distance=0, magnification=(1.0, 1.0), degrees=0.0)
SIDE = 256


def marked(row: int, column: int) -> np.ndarray:
    mask = np.zeros((SIDE, SIDE), dtype=bool)
    mask[row, column] = True
    return mask


def place(matrix: np.ndarray, column: int, row: int) -> np.ndarray:
    return matrix @ [column, row, 1]


def test_a_window_near_a_mark_is_centred_on_it():
    for seed in range(10):
        x, y = place(window_matrix(marked(100, 160), STILL, np.random.default_rng(seed)), 160, 100)
        assert abs(x - 31.5) <= 1 and abs(y - 32) <= 1, "mirrored or not"


def test_a_window_stays_within_the_film():
    for seed in range(10):
        x, y = place(window_matrix(marked(0, 255), STILL, np.random.default_rng(seed)), 255, 0)
        assert y == 0, "the film's corner is the window's"
        assert min(x, 63 - x) == pytest.approx(0, abs=1)


def test_windows_lie_anywhere_where_nothing_is_marked():
    nothing = np.zeros((SIDE, SIDE), dtype=bool)
    origins = [place(window_matrix(nothing, STILL, np.random.default_rng(seed)), 128, 128) for seed in range(200)]
    assert np.std(origins, axis=0).min() > 40


def test_film_and_mask_are_moved_alike():
    config = WindowConfig(size=96, near_share=1.0, distance=20)
    mask = np.zeros((SIDE, SIDE), dtype=bool)
    mask[80:140, 90:150] = True
    film = np.where(mask, 220, 30).astype(np.uint8)
    for seed in range(20):
        window, moved = cut_window(film, mask, config, np.random.default_rng(seed))
        assert window.shape == moved.shape == (1, 96, 96)
        bright = window > (window.min() + window.max()) / 2
        assert (bright == (moved > 0)).float().mean() > 0.95


def test_a_window_is_standardised_as_its_film():
    film = np.random.default_rng(1).integers(0, 256, (SIDE, SIDE), dtype=np.uint8)
    curve = np.linspace(0, 1, 256) ** 1.3
    mean, spread = film_statistics(film, curve)
    assert mean == pytest.approx(curve[film].mean())
    assert spread == pytest.approx(curve[film].std())


def test_the_same_seed_gives_the_same_window():
    film = np.random.default_rng(2).integers(0, 256, (SIDE, SIDE), dtype=np.uint8)
    first, again = (cut_window(film, marked(9, 9), STILL, np.random.default_rng(5)) for _ in range(2))
    assert all((one == other).all() for one, other in zip(first, again, strict=True))


def test_films_of_patients_with_many_are_drawn_less_often():
    patients = pd.Series(["one"] * 16 + [f"patient {number}" for number in range(16)])
    weights = patient_weights(patients, 0.5)
    assert weights[0] == pytest.approx(1 / 4) and weights[-1] == 1
    labels = np.tile([1, 0], 16)
    sampler = BalancedBatches(labels, np.arange(32), steps=50, batch_size=8, micro_batch=8, seed=0, weights=weights)
    rows = np.array([draw.row for batch in sampler for draw in batch])
    assert (rows < 16).mean() == pytest.approx(1 / 5, abs=0.01)
    assert (patient_weights(patients, 0.0) == 1).all()
