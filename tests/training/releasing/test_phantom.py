"""The synthetic film looks like what it claims to be."""

from functools import cache

import numpy as np
import pytest

from app.segmentation.decision.checks import doubts_about
from app.segmentation.decision.population import FIRST_RELEASES
from app.segmentation.reading.geometry import Laterality
from app.segmentation.reading.image_io import read_radiograph
from tests.support.film_files import to_dicom, to_png
from training.__main__ import main
from training.releasing.phantom.drawing import draw_phantom

drawn = cache(draw_phantom)


def mean(image: np.ndarray, top: float, bottom: float, left: float, right: float) -> float:
    height, width = image.shape
    return float(image[int(top * height) : int(bottom * height), int(left * width) : int(right * width)].mean())


def test_seed_decides_the_film():
    first, again, other = draw_phantom(3, 256), draw_phantom(3, 256), draw_phantom(4, 256)
    assert np.array_equal(first.image, again.image)
    assert np.array_equal(first.true_mask, again.true_mask)
    assert not np.array_equal(first.image, other.image)


@pytest.mark.parametrize("size", [256, 400])
def test_form(size):
    phantom = draw_phantom(0, size)
    assert (phantom.image.shape, phantom.image.dtype) == ((size, size), np.float32)
    assert (phantom.true_mask.shape, phantom.true_mask.dtype) == ((size, size), bool)
    assert 0 <= phantom.image.min() < 0.1
    assert 0.85 < phantom.image.max() <= 1


@pytest.mark.parametrize("seed", range(4))
class TestAnatomy:
    def test_lungs_are_dark_and_the_spine_bright(self, seed):
        image = drawn(seed, 256, pneumothorax=None).image
        lungs = (mean(image, 0.3, 0.6, 0.22, 0.38) + mean(image, 0.3, 0.6, 0.62, 0.78)) / 2
        assert lungs + 0.2 < mean(image, 0.35, 0.6, 0.46, 0.54)
        assert lungs + 0.2 < mean(image, 0.88, 0.97, 0.3, 0.7)
        assert mean(image, 0, 0.05, 0, 0.1) < 0.08 < lungs

    def test_heart_lies_to_the_patients_left(self, seed):
        image = drawn(seed, 256, pneumothorax=None).image
        assert mean(image, 0.56, 0.66, 0.6, 0.66) > mean(image, 0.56, 0.66, 0.34, 0.4) + 0.1

    @pytest.mark.parametrize("side", list(Laterality))
    def test_pneumothorax_is_on_the_side_asked_for(self, seed, side):
        mask = drawn(seed, 256, pneumothorax=side).true_mask
        right_half, left_half = mask[:, :128], mask[:, 128:]  # of the patient
        assert (left_half if side is Laterality.LEFT else right_half).any()
        assert not (right_half if side is Laterality.LEFT else left_half).any()
        assert 0.01 < mask.mean() < 0.08

    def test_pneumothorax_is_blacker_than_the_lung_it_replaces(self, seed):
        normal, collapsed = drawn(seed, 256, pneumothorax=None), drawn(seed, 256)
        assert not normal.true_mask.any()
        inside = collapsed.true_mask
        assert collapsed.image[inside].mean() < normal.image[inside].mean() - 0.02

    def test_nothing_else_differs_from_the_twin(self, seed):
        normal, collapsed = drawn(seed, 256, pneumothorax=None), drawn(seed, 256)
        right = np.abs(normal.image - collapsed.image)[:, :100]  # the patient's right; far from the pneumothorax
        assert right.mean() < 0.005

    def test_pleural_line_is_brighter_than_what_lies_on_either_side(self, seed):
        size = 768
        phantom = draw_phantom(seed, size)
        edges = np.diff(phantom.true_mask.astype(int), axis=1) == 1
        profiles = []  # from the mediastinum outwards: lung, line, air
        top = np.flatnonzero(phantom.true_mask.any(axis=1))[0]
        for y in range(top + 112, top + 150):
            line = int(np.flatnonzero(edges[y])[-1])
            profiles.append(phantom.image[y, line - 12 : line + 13])
        aligned = np.mean(profiles, axis=0)
        assert aligned[9:16].max() > max(aligned[:6].mean(), aligned[-6:].mean()) + 0.015

    def test_no_check_finds_a_fault(self, seed):
        assert doubts_about(read_radiograph(to_png(drawn(seed, 512).image)), FIRST_RELEASES) == ()


def test_files_show_the_same_film():
    image = draw_phantom(0, 256).image
    for data in (to_png(image), to_png(image, bits=12), to_dicom(image), to_dicom(image, photometric="MONOCHROME1")):
        assert np.abs(read_radiograph(data).image - image).max() < 0.6 / 255


@pytest.mark.parametrize(("said", "side"), [([], Laterality.LEFT), (["--pneumothorax", "false"], None)])
def test_command_line(tmp_path, said, side):
    main(["phantom", "--out", str(tmp_path / "film.png"), "--seed", "7", "--size", "256", *said])
    drawn = draw_phantom(7, 256, side).image
    assert np.abs(read_radiograph((tmp_path / "film.png").read_bytes()).image - drawn).max() < 0.6 / 255
