"""A film and its mask as a browser draws them."""

import re

import cv2
import numpy as np

from app.studies.drawing import DISPLAY_SIDE, contour_path, film_png


def decode(png: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)


def test_a_small_film_is_shown_as_it_is():
    image = np.linspace(0, 1, 256 * 300, dtype=np.float32).reshape(256, 300)
    shown = decode(film_png(image))
    assert shown.dtype == np.uint8
    assert np.array_equal(shown, np.round(image * 255))


def test_a_large_film_is_shrunk_in_proportion():
    image = np.zeros((2000, 2 * DISPLAY_SIDE), dtype=np.float32)
    image[:1000] = 1
    shown = decode(film_png(image))
    assert shown.shape == (1000, DISPLAY_SIDE)
    assert (shown[:499] == 255).all()
    assert (shown[501:] == 0).all()


def test_the_film_of_a_usual_detector_keeps_its_pixels():
    image = np.zeros((3480, 4096), dtype=np.float32)
    image[1000, 2000] = 1
    assert np.argwhere(decode(film_png(image))).tolist() == [[1000, 2000]]


def test_a_contour_follows_the_outermost_marked_pixels_and_the_holes():
    mask = np.zeros((40, 60), dtype=bool)
    mask[10:30, 20:50] = True
    mask[15:20, 30:40] = False
    path = contour_path(mask)
    outlines = [np.array(re.findall(r"([\d.]+) ([\d.]+)", part), dtype=float) for part in path.split("Z") if part]
    outer = max(outlines, key=lambda outline: np.ptp(outline))
    assert len(outlines) == 2
    assert (outer.min(axis=0) == [20.5, 10.5]).all()
    assert (outer.max(axis=0) == [49.5, 29.5]).all()


def test_the_contour_of_a_large_mask_is_short_and_true():
    mask = np.zeros((3000, 4000), dtype=np.uint8)
    cv2.ellipse(mask, (2000, 1500), (900, 400), 20, 0, 360, 1, -1)
    path = contour_path(mask > 0)
    drawn = np.zeros_like(mask)
    points = np.array(re.findall(r"([\d.]+) ([\d.]+)", path), dtype=float)
    cv2.fillPoly(drawn, [points.astype(np.int32)], 1)
    assert len(path) < 2000
    assert (drawn != mask).sum() < 0.005 * mask.sum()


def test_an_empty_mask_has_no_contour():
    assert contour_path(np.zeros((40, 60), dtype=bool)) == ""
