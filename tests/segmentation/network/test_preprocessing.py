"""A film to the network's input, and a map back."""

import numpy as np
import pytest

from app.segmentation.errors import InvalidImageError
from app.segmentation.network.preprocessing import PreprocessingConfig, normalise, preprocess, resize, restore
from app.segmentation.reading.image_io import read_radiograph
from tests.support.film_files import to_dicom, to_png
from training.releasing.phantom.drawing import draw_phantom

CONFIG = PreprocessingConfig(image_size=64)
FILM = draw_phantom(seed=0, size=256).image


class TestPreprocess:
    @pytest.mark.parametrize("shape", [(256, 256), (256, 300), (700, 256), (64, 64), (40, 40)])
    def test_form(self, shape):
        batch = preprocess(np.random.default_rng(0).random(shape, dtype=np.float32), CONFIG)
        assert (batch.shape, batch.dtype) == ((1, 1, 64, 64), np.float32)
        assert float(batch.mean()) == pytest.approx(0, abs=1e-5)
        assert float(batch.std()) == pytest.approx(1, abs=1e-4)

    def test_is_normalise_after_resize(self):
        """Training augments between the two; what is not augmented must be what is served."""
        assert np.array_equal(preprocess(FILM, CONFIG)[0], normalise(resize(FILM, CONFIG)))

    def test_shrinking_averages_blocks(self):
        assert np.abs(resize(FILM, CONFIG) - FILM.reshape(64, 4, 64, 4).mean(axis=(1, 3))).max() < 1e-6

    def test_own_size_is_left_alone(self):
        small = FILM[:64, :64]
        assert np.array_equal(resize(small, CONFIG), small)

    def test_exposure_does_not_matter(self):
        assert np.allclose(preprocess(0.3 + 0.5 * FILM, CONFIG), preprocess(FILM, CONFIG), atol=1e-4)

    def test_flat_film_is_not_amplified(self):
        flat = np.full((256, 256), 0.5, np.float32)
        flat[0, 0] += 1e-4
        assert float(np.abs(preprocess(flat, CONFIG)).max()) < 0.1

    def test_png_and_dicom_of_a_film_give_the_same_input(self):
        """One grey level of 255, in the input's own units."""
        inputs = [
            preprocess(read_radiograph(data).image, CONFIG)
            for data in (
                to_png(FILM),
                to_png(FILM, bits=12),
                to_dicom(FILM, bits_stored=8),
                to_dicom(FILM, signed=True),
                to_dicom(FILM, photometric="MONOCHROME1"),
            )
        ]
        one_level = 1 / 255 / FILM.std()
        for one in inputs[1:]:
            assert float(np.abs(one - inputs[0]).max()) < one_level

    @pytest.mark.parametrize(
        "image",
        [
            np.zeros((256, 256, 3), np.float32),
            np.zeros(256, np.float32),
            np.full((256, 256), np.nan, np.float32),
            np.full((256, 256), 1.01, np.float32),
            np.full((256, 256), -0.01, np.float32),
            np.full((256, 256), 128, np.uint8),
        ],
    )
    def test_other_arrays_are_refused(self, image):
        with pytest.raises(InvalidImageError):
            preprocess(image, CONFIG)


@pytest.mark.parametrize("image_size", [0, -32, 31, 33, 100])
def test_impossible_sizes(image_size):
    with pytest.raises(ValueError, match=f"not {image_size}"):
        PreprocessingConfig(image_size)


class TestRestore:
    def test_geometry_of_the_film(self):
        restored = restore(np.zeros((64, 64), np.float32), (300, 200))
        assert (restored.shape, restored.dtype) == ((300, 200), np.float32)

    def test_marks_stay_where_they_were(self):
        film = np.zeros((512, 384), np.float32)
        film[128:256, 96:192] = 1
        restored = restore(resize(film, CONFIG), film.shape)
        assert (restored >= 0.5).sum() == pytest.approx(film.sum(), rel=0.02)
        assert np.abs(restored - film).mean() < 0.02

    def test_stays_a_probability(self):
        probabilities = np.random.default_rng(0).random((64, 64), dtype=np.float32)
        restored = restore(probabilities, (777, 555))
        assert probabilities.min() <= restored.min() <= restored.max() <= probabilities.max()
