"""A film that is decoded: looked at once."""

import numpy as np

from app.segmentation.decision.checks import doubts_about
from app.segmentation.decision.population import FIRST_RELEASES
from app.segmentation.reading import radiograph
from app.segmentation.reading.image_io import read_radiograph
from app.segmentation.reading.radiograph import Radiograph
from tests.support.film_files import to_png
from training.releasing.phantom.drawing import draw_phantom

IMAGE = draw_phantom(seed=2, size=512).image


def test_how_a_film_lies_is_found_out_once(monkeypatch):
    looks = []

    def look(image: np.ndarray):
        looks.append(image.shape)
        return found(image)

    found = radiograph.orientation_of
    monkeypatch.setattr(radiograph, "orientation_of", look)
    film = read_radiograph(to_png(IMAGE))
    assert doubts_about(film, FIRST_RELEASES) == ()
    assert len(looks) == 1


def test_a_film_made_of_another_is_looked_at_anew():
    film = Radiograph(IMAGE, "PNG")
    assert film.orientation.inverted < 0.1
    corrected = radiograph.with_bright_bone(Radiograph(1 - IMAGE, "PNG"))
    assert corrected.was_inverted
    assert np.abs(corrected.image - IMAGE).max() < 1e-6
    assert corrected.orientation.upright > 0.9


def test_geometry_is_that_of_the_picture():
    geometry = Radiograph(IMAGE[:500], "DICOM", pixel_spacing_mm=(0.7, 0.8)).geometry
    assert geometry.shape == (500, 512)
    assert geometry.size_mm == (500 * 0.7, 512 * 0.8)
