"""Where windows lie, what they show, and how they are standardised."""

import numpy as np
import pandas as pd
import pytest

from app.segmentation.network.preprocessing import normalise
from training.data.sampling import BalancedBatches, patient_weights
from training.data.standardisation import film_statistics, standardise
from training.data.windows import WindowConfig, cut_window, soften_border, window_matrix

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
        assert window.shape == moved.shape == (96, 96) and window.dtype == moved.dtype == np.float32
        bright = window > (window.min() + window.max()) / 2
        assert (bright == (moved > 0)).mean() > 0.95


def test_a_window_is_standardised_as_its_film():
    film = np.random.default_rng(1).integers(0, 256, (SIDE, SIDE), dtype=np.uint8)
    curve = np.linspace(0, 1, 256) ** 1.3
    mean, spread = film_statistics(film, curve)
    assert mean == pytest.approx(curve[film].mean())
    assert spread == pytest.approx(curve[film].std())


def test_the_whole_film_is_standardised_as_serving_does():
    film = np.random.default_rng(1).integers(0, 256, (SIDE, SIDE), dtype=np.uint8)
    unchanged = np.linspace(0, 1, 256, dtype=np.float32)
    served = np.asarray(normalise(unchanged[film])).reshape(SIDE, SIDE)
    np.testing.assert_allclose(standardise(unchanged[film], *film_statistics(film, unchanged)), served, atol=1e-4)


def test_a_flat_film_is_not_amplified():
    flat = np.full((SIDE, SIDE), 128, dtype=np.uint8)
    window, _ = cut_window(flat, flat < 0, STILL, np.random.default_rng(0))
    assert np.isfinite(window).all()


def test_a_whole_film_stays_in_the_middle_unless_magnified():
    config = WindowConfig(film_magnification=(0.9, 0.9), degrees=0.0).of_film(SIDE)
    assert (config.size, config.near_share) == (SIDE, 0.0)
    for seed in range(10):
        x, y = place(window_matrix(marked(3, 3), config, np.random.default_rng(seed)), SIDE / 2, SIDE / 2)
        assert abs(x - SIDE / 2) < 1.01 and abs(y - SIDE / 2) < 1.01, "mirrored or not"
    assert WindowConfig(size=64).of_film(SIDE).magnification == (0.7, 1.4)


def test_films_are_stretched_and_slanted_no_further_than_asked():
    config = WindowConfig(64, magnification=(1.0, 1.0), degrees=0.0, stretch=1.2, shear=5.0)
    matrices = np.abs([window_matrix(marked(9, 9), config, np.random.default_rng(seed))[:, :2] for seed in range(200)])
    ratios, slants = matrices[:, 0, 0] / matrices[:, 1, 1], np.degrees(np.arctan2(matrices[:, 0, 1], 1))
    assert 1.15 < ratios.max() <= 1.2 and 1 / 1.2 <= ratios.min() < 0.87
    assert 4 < slants.max() < 5.6 and (matrices[:, 1, 0] == 0).all()


def test_softened_borders_keep_a_masks_area():
    mask = np.zeros((64, 64), dtype=np.float32)
    mask[20:40, 20:40] = 1
    soft = soften_border(mask, 2.0)
    assert soft.sum() == pytest.approx(mask.sum(), rel=1e-3)
    assert soft[30, 20] == pytest.approx(0.6, abs=0.1)
    assert soften_border(mask, 0.0) is mask


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
