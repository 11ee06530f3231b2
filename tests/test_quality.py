"""Reasons to doubt an answer: each is given where it should be, and nowhere else."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from app.segmentation.image_io import read_radiograph
from app.segmentation.quality import assess
from app.segmentation.radiograph import Radiograph
from tests.phantom import draw_phantom

FILM = Radiograph(draw_phantom(seed=2, size=512).image, "PNG")


def codes(radiograph: Radiograph) -> list[str]:
    return [flag.code for flag in assess(radiograph)]


def test_ordinary_film_is_not_doubted():
    assert codes(FILM) == []
    assert codes(replace(FILM, view_position="PA", body_part="CHEST", pixel_spacing_mm=(0.7, 0.7))) == []


def test_messages_are_sentences_with_the_value():
    flags = assess(replace(FILM, view_position="LL", body_part="HAND", pixel_spacing_mm=(0.1, 0.1), is_colour=True))
    assert {flag.severity for flag in flags} == {"info", "warning"}
    for flag in flags:
        assert flag.message[0].isupper()
        assert flag.message.endswith(".")
    text = " ".join(flag.message for flag in flags)
    assert "LL view" in text
    assert "HAND" in text
    assert "51 × 51 mm" in text


@pytest.mark.parametrize("view", ["LL", "RL", "Lateral", "LEFT LATERAL", "RLD", "LLO", "CHEST LAT"])
def test_not_frontal(view):
    assert codes(replace(FILM, view_position=view)) == ["not_frontal"]


@pytest.mark.parametrize("view", ["PA", "AP", "", "POSTERO_ANTERIOR", "AP SUPINE", "PLATE"])
def test_frontal_or_unknown(view):
    assert codes(replace(FILM, view_position=view)) == []


@pytest.mark.parametrize(("part", "expected"), [("HAND", ["not_chest"]), ("ABDOMEN", ["not_chest"]), ("THORAX", [])])
def test_body_part(part, expected):
    assert codes(replace(FILM, body_part=part)) == expected
    assert codes(replace(FILM, body_part=f"port {part.lower()}")) == expected


@pytest.mark.parametrize(("spacing", "expected"), [(0.38, ["doubtful_pixel_spacing"]), (0.4, []), (0.7, [])])
def test_pixel_spacing_too_fine_for_a_chest(spacing, expected):
    assert codes(replace(FILM, pixel_spacing_mm=(spacing, spacing))) == expected
    assert codes(replace(FILM, pixel_spacing_mm=(0.7, spacing))) == expected


@pytest.mark.parametrize(("size", "expected"), [((511, 600), ["low_resolution"]), ((512, 600), [])])
def test_low_resolution(size, expected):
    assert codes(replace(FILM, image=cv2.resize(FILM.image, size))) == expected
    assert codes(replace(FILM, image=cv2.resize(FILM.image, size[::-1]))) == expected


@pytest.mark.parametrize(("size", "expected"), [((600, 901), ["unusual_aspect_ratio"]), ((600, 900), [])])
def test_aspect_ratio(size, expected):
    assert codes(replace(FILM, image=cv2.resize(FILM.image, size))) == expected
    assert codes(replace(FILM, image=cv2.resize(FILM.image, size[::-1]))) == expected


def test_colour():
    assert codes(replace(FILM, is_colour=True)) == ["colour_image"]


@pytest.mark.parametrize("grey", [0.0, 0.4, 1.0])
def test_blank(grey):
    assert codes(replace(FILM, image=np.full((512, 512), grey, np.float32))) == ["low_contrast"]


def test_flat():
    assert codes(replace(FILM, image=0.4 + 0.2 * FILM.image)) == ["low_contrast"]
    assert codes(replace(FILM, image=0.2 + 0.5 * FILM.image)) == []


def test_clipped():
    assert codes(replace(FILM, image=np.clip(1.6 * FILM.image, 0, 1))) == ["clipped"]
    assert codes(replace(FILM, image=np.clip(4 * FILM.image - 3, 0, 1))) == ["clipped"]
    assert codes(replace(FILM, image=np.clip(1.02 * FILM.image, 0, 1))) == []


class TestInverted:
    def test_dark_bone(self):
        assert "inverted_suspected" in codes(replace(FILM, image=1 - FILM.image))

    def test_mirrored_or_stretched_is_not_inverted(self):
        assert codes(replace(FILM, image=FILM.image[:, ::-1])) == []
        assert codes(replace(FILM, image=cv2.resize(FILM.image, (512, 700)))) == []

    def test_black_frame_does_not_mislead(self):
        framed = np.zeros((700, 600), np.float32)
        framed[20:532, 40:552] = FILM.image
        assert codes(replace(FILM, image=framed)) == []


def test_real_films_are_hardly_ever_doubted(data_folder):
    """100 films of the train split, taken evenly from the manifest's order."""
    rows = (data_folder / "manifest.csv").read_text().splitlines()[1:]
    train = [row.split(",")[0] for row in rows if row.split(",")[1] == "train"]
    taken = train[:: len(train) // 100][:100]
    films = [read_radiograph((data_folder / "images" / f"{name}.webp").read_bytes()) for name in taken]
    assert sum(bool(assess(film)) for film in films) <= 1
    inverted = [replace(film, image=1 - film.image) for film in films]
    assert sum("inverted_suspected" in codes(film) for film in inverted) >= 97
