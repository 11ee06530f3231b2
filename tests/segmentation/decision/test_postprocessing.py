"""Probability map to mask and regions."""

from dataclasses import replace

import numpy as np
import pytest

from app.segmentation.decision.postprocessing import PostprocessingConfig, segment
from app.segmentation.reading.geometry import FilmGeometry, Laterality

CONFIG = PostprocessingConfig(mask_threshold=0.4, min_area_fraction=0.001, min_film_probability=0.1)
FILM = FilmGeometry((300, 400))


def two_marks() -> np.ndarray:
    """20 × 30 pixels at the picture's left, 40 × 10 at its right."""
    probability_map = np.zeros((300, 400), np.float32)
    probability_map[10:30, 50:80] = 0.8
    probability_map[100:140, 300:310] = 0.6
    return probability_map


def test_regions():
    mask, regions = segment(two_marks(), 0.9, FILM, CONFIG)
    assert np.array_equal(mask, two_marks() > 0)
    larger, smaller = regions
    assert larger.bbox == (50, 10, 30, 20)
    assert smaller.bbox == (300, 100, 10, 40)
    assert larger.area_fraction == pytest.approx(600 / 120_000)
    assert smaller.area_fraction == pytest.approx(400 / 120_000)
    assert larger.probability == pytest.approx(0.8)
    assert smaller.probability == pytest.approx(0.6)
    assert (larger.laterality, smaller.laterality) == (Laterality.RIGHT, Laterality.LEFT)
    assert larger.area_mm2 is None


def test_mirrored_film_swaps_the_sides():
    mirrored = replace(FILM, image_left=Laterality.LEFT)
    assert [region.laterality for region in segment(two_marks(), 0.9, mirrored, CONFIG)[1]] == ["left", "right"]


def test_area_on_the_detector():
    film = replace(FILM, pixel_spacing_mm=(1, 0.6))
    assert [region.area_mm2 for region in segment(two_marks(), 0.9, film, CONFIG)[1]] == pytest.approx([360, 240])


def test_no_area_on_a_film_stated_smaller_than_a_chest():
    film = replace(FILM, pixel_spacing_mm=(0.5, 0.2))
    assert [region.area_mm2 for region in segment(two_marks(), 0.9, film, CONFIG)[1]] == [None, None]


def test_probability_is_the_mean_inside():
    probability_map = two_marks()
    probability_map[10:30, 50:65] = 0.4
    assert segment(probability_map, 0.9, FILM, CONFIG)[1][0].probability == pytest.approx(0.6)


def test_threshold_itself_is_marked():
    probability_map = np.full((300, 400), np.nextafter(np.float32(0.5), np.float32(0)))
    probability_map[:150] = 0.5
    config = PostprocessingConfig(mask_threshold=0.5, min_area_fraction=0, min_film_probability=0)
    assert segment(probability_map, 0.9, FILM, config)[0].sum() == 150 * 400


def test_small_regions_are_dropped():
    config = PostprocessingConfig(mask_threshold=0.4, min_area_fraction=500 / 120_000, min_film_probability=0)
    mask, regions = segment(two_marks(), 0.9, FILM, config)
    assert [region.bbox for region in regions] == [(50, 10, 30, 20)]
    assert mask.sum() == 600


def test_film_that_is_probably_normal_is_not_marked():
    for film_probability, marked in ((0.0999, 0), (0.1, 1000)):
        mask, regions = segment(two_marks(), film_probability, FILM, CONFIG)
        assert mask.sum() == marked
        assert bool(regions) == bool(marked)


def test_nothing_above_the_threshold():
    mask, regions = segment(np.full((300, 400), 0.39, np.float32), 0.9, FILM, CONFIG)
    assert (mask.shape, mask.dtype, mask.any(), regions) == ((300, 400), bool, False, ())


def test_pixels_that_touch_at_a_corner_are_one_region():
    probability_map = np.zeros((300, 400), np.float32)
    probability_map[10:30, 50:70] = probability_map[30:50, 70:90] = 0.9
    assert [region.bbox for region in segment(probability_map, 0.9, FILM, CONFIG)[1]] == [(50, 10, 40, 40)]


def test_region_inside_the_box_of_another():
    probability_map = np.zeros((300, 400), np.float32)
    probability_map[50:150, 50:150] = 0.9
    probability_map[60:140, 60:140] = 0
    probability_map[80:120, 80:120] = 0.5
    mask, (ring, middle) = segment(probability_map, 0.9, FILM, CONFIG)
    assert np.array_equal(mask, probability_map > 0)
    assert (ring.probability, middle.probability) == (pytest.approx(0.9), pytest.approx(0.5))
