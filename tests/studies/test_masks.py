"""Drawn masks: what is taken for one, and what would take minutes to draw."""

import time
from types import SimpleNamespace

import numpy as np
import pytest

from app.studies.answer import MaskPicture
from app.studies.drawing import contour_path, film_png, mask_png
from app.studies.masks import LONGEST_OUTLINE, MOST_REGIONS, InvalidMaskError, model_mask, read_mask


def pattern(name: str, side: int) -> np.ndarray:
    mask = np.zeros((side, side), bool)
    if name == "dots":
        mask[::2, ::2] = True
    elif name == "holes":
        mask[:] = True
        mask[1::2, 1::2] = False
    elif name == "comb":
        mask[::2] = True
        mask[:, 0] = True
    else:
        mask[:] = np.random.default_rng(1).random((side, side)) < 0.5
    return mask


@pytest.mark.parametrize("name", ["dots", "holes", "comb", "noise"])
def test_dust_is_refused(name):
    with pytest.raises(InvalidMaskError, match="Draw areas, not dots"):
        read_mask(mask_png(pattern(name, 1024)), (1024, 1024))


def dots(a_row: int) -> np.ndarray:
    """A square of isolated dots on a film of 4096²."""
    places = np.linspace(1, 4094, a_row).astype(int)
    mask = np.zeros((4096, 4096), bool)
    mask[np.ix_(places, places)] = True
    return mask


def test_isolated_dots_are_refused_by_their_number():
    assert read_mask(mask_png(dots(22)), (4096, 4096)).sum() == 484 < MOST_REGIONS
    with pytest.raises(InvalidMaskError, match="529 separate areas; 500 is the limit"):
        read_mask(mask_png(dots(23)), (4096, 4096))


@pytest.mark.parametrize("name", ["holes", "comb"])
def test_as_much_dust_as_is_taken_is_drawn_in_few_bytes(name):
    mask = np.zeros((4096, 4096), bool)
    side = int((LONGEST_OUTLINE / 2.1) ** 0.5)
    mask[:side, :side] = pattern(name, side)
    started = time.process_time()
    path = contour_path(read_mask(mask_png(mask), (4096, 4096)))
    assert len(path) < 5 * 10**6
    assert time.process_time() - started < 10


def test_large_areas_are_taken():
    mask = np.zeros((4096, 4096), bool)
    mask[100:4000, 100:4000] = True
    np.testing.assert_array_equal(read_mask(mask_png(mask), (4096, 4096)), mask)


def test_a_line_of_one_pixel_is_drawn_on_a_film_that_is_shown_smaller():
    stored = np.zeros((500, 500), bool)
    stored[201, 50:450] = True
    film = film_png(np.zeros((200, 200), np.float32))
    study = SimpleNamespace(film_png=film, answer=SimpleNamespace(mask=MaskPicture.of(stored)))
    assert np.flatnonzero(model_mask(study).any(axis=1)).tolist() == [80]
