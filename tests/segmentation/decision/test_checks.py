"""Reasons to doubt an answer: each is given where it should be, and nowhere else."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from app.segmentation.decision.checks import doubts_about
from app.segmentation.decision.doubts import DOUBTS, UNFAMILIAR
from app.segmentation.decision.population import FIRST_RELEASES, Population
from app.segmentation.reading.image_io import read_radiograph
from app.segmentation.reading.radiograph import Radiograph, with_bright_bone
from tests.support.doubted import DOUBTED, FILM, IMAGE, turned_by


def codes(radiograph: Radiograph, learnt_from: Population = FIRST_RELEASES) -> list[str]:
    return [doubt.code for doubt in doubts_about(radiograph, learnt_from)]


def test_ordinary_film_is_not_doubted():
    assert codes(FILM) == []
    assert codes(replace(FILM, view_position="PA", body_part="CHEST", pixel_spacing_mm=(0.7, 0.7))) == []


def test_every_doubt_has_its_film():
    assert set(DOUBTED) | {UNFAMILIAR.code} == set(DOUBTS)


@pytest.mark.parametrize("code", DOUBTED)
def test_doubt_is_given_alone_and_says_what_was_found_and_what_to_do(code):
    (doubt,) = doubts_about(replace(FILM, **DOUBTED[code]), FIRST_RELEASES)
    assert (doubt.code, doubt.severity) == (code, DOUBTS[code][0])
    assert doubt.severity in ("info", "warning")
    for sentence in (doubt.message, doubt.advice):
        assert sentence[0].isupper() or sentence[0].isdigit()
        assert sentence.endswith(".")


@pytest.mark.parametrize(
    ("code", "value", "limit"),
    [
        ("under_18", "17 years", "18"),
        ("age_outside_training", "88 years", "87"),
        ("doubtful_pixel_spacing", "51 × 51 mm", "200 mm"),
        ("low_resolution", "500 × 500", "512"),
        ("unusual_aspect_ratio", "1.7 times", "1.5"),
        ("low_contrast", "16 %", "30 %"),
        ("clipped", " % of the film is pure white", "5 %"),
        ("unusual_exposure", "9 % of its range", "28 %"),
        ("inverted_corrected", "certainty 99 %", "90 %"),
        ("inverted_suspected", "certainty 99 %", "50 %"),
        ("turned", "certainty 99 %", "70 %"),
        ("tilted", "°, more than", "18°"),
    ],
)
def test_message_names_value_and_limit(code, value, limit):
    (doubt,) = doubts_about(replace(FILM, **DOUBTED[code]), FIRST_RELEASES)
    assert value in doubt.message
    assert limit in doubt.message


@pytest.mark.parametrize(
    ("film", "expected"),
    [({"image": np.rot90(IMAGE)}, "turned"), ({"image": IMAGE, "was_inverted": True}, "inverted_corrected")],
)
def test_little_contrast_hides_no_doubt_of_how_a_film_lies(film, expected):
    faint = {**film, "image": 0.4 + 0.2 * film["image"]}
    assert codes(replace(FILM, **faint)) == ["low_contrast", expected]


@pytest.mark.parametrize(
    "view", ["LL", "RL", "Lateral", "LEFT LATERAL", "RLD", "LLO", "CHEST LAT", "THORAX SEITL.", "PROF.", "OBLQ"]
)
def test_not_frontal(view):
    assert codes(replace(FILM, view_position=view)) == ["not_frontal"]


@pytest.mark.parametrize("view", ["PA", "AP", "", "POSTERO_ANTERIOR", "AP SUPINE", "PLATE"])
def test_frontal_or_unknown(view):
    assert codes(replace(FILM, view_position=view)) == []


@pytest.mark.parametrize(("part", "expected"), [("HAND", ["not_chest"]), ("ABDOMEN", ["not_chest"]), ("THORAX", [])])
def test_body_part(part, expected):
    assert codes(replace(FILM, body_part=part)) == expected
    assert codes(replace(FILM, body_part=f"port {part.lower()}")) == expected


@pytest.mark.parametrize(
    ("film", "expected"),
    [
        ({"modality": "CR"}, []),
        ({"modality": "DX"}, []),
        ({"modality": "RG"}, []),
        ({"modality": "OT"}, ["unknown_modality"]),
        ({"modality": "RF"}, ["unknown_modality"]),
        ({"modality": ""}, ["unknown_modality"]),
        ({"modality": "", "source_format": "PNG"}, []),
    ],
)
def test_modality(film, expected):
    assert codes(replace(FILM, **{"source_format": "DICOM", **film})) == expected


@pytest.mark.parametrize(
    ("years", "expected"), [(0.5, ["under_18"]), (18.0, []), (87.9, []), (88, ["age_outside_training"]), (None, [])]
)
def test_age(years, expected):
    assert codes(replace(FILM, age_years=years)) == expected


def test_age_of_an_infant_is_told_in_months():
    (doubt,) = doubts_about(replace(FILM, age_years=0.5), FIRST_RELEASES)
    assert "6 months old" in doubt.message


@pytest.mark.parametrize(("spacing", "expected"), [(0.98, ["doubtful_pixel_spacing"]), (0.97, [])])
def test_pixel_spacing_too_coarse_for_a_detector(spacing, expected):
    assert codes(replace(FILM, pixel_spacing_mm=(spacing, spacing))) == expected


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
    assert "clipped" in codes(replace(FILM, image=np.clip(4 * FILM.image - 3, 0, 1)))
    assert codes(replace(FILM, image=np.clip(1.02 * FILM.image, 0, 1))) == []


def test_display_curves_of_ordinary_films_are_not_doubted():
    for power in (0.7, 1.4):
        assert codes(replace(FILM, image=FILM.image**power)) == []


class TestOrientation:
    def test_mirrored_or_stretched_film_is_upright(self):
        assert codes(replace(FILM, image=FILM.image[:, ::-1])) == []
        assert codes(replace(FILM, image=cv2.resize(FILM.image, (512, 700)))) == []

    def test_black_frame_does_not_mislead(self):
        framed = np.zeros((700, 600), np.float32)
        framed[20:532, 40:552] = FILM.image
        assert codes(replace(FILM, image=framed)) == []

    @pytest.mark.parametrize("quarter_turns", [1, 2, 3])
    def test_turned_film_is_not_called_inverted(self, quarter_turns):
        assert codes(replace(FILM, image=np.rot90(FILM.image, quarter_turns))) == ["turned"]
        assert codes(replace(FILM, image=0.95 * (1 - np.rot90(FILM.image, quarter_turns)))) == ["inverted_suspected"]

    @pytest.mark.parametrize(("degrees", "expected"), [(8, []), (-8, []), (26, ["tilted"]), (-26, ["tilted"])])
    def test_slant(self, degrees, expected):
        assert codes(replace(FILM, image=turned_by(FILM.image, degrees))) == expected


class TestAnotherPopulation:
    """A model that somebody trained on own films speaks of these, not of those of the first releases."""

    CHILDREN = replace(FIRST_RELEASES, ages_known=50, children=50, ages=(2, 16))

    @pytest.mark.parametrize(
        ("years", "expected"),
        [(1.0, ["age_outside_training"]), (2.0, []), (16.9, []), (40.0, ["age_outside_training"])],
    )
    def test_of_children(self, years, expected):
        assert codes(replace(FILM, age_years=years), self.CHILDREN) == expected

    @pytest.mark.parametrize(
        ("years", "told"), [(40.0, "go up to 16."), (1.5, "18 months old by the file; the training films begin at 2.")]
    )
    def test_of_children_names_its_own_ages(self, years, told):
        (doubt,) = doubts_about(replace(FILM, age_years=years), self.CHILDREN)
        assert told in doubt.message

    def test_of_unknown_ages(self):
        unknown = replace(FIRST_RELEASES, ages_known=0, children=0, ages=None)
        (doubt,) = doubts_about(replace(FILM, age_years=9.0), unknown)
        assert doubt.code == "under_18"
        assert doubt.message.endswith("nobody knows how many of the training films are children’s.")
        assert codes(replace(FILM, age_years=95.0), unknown) == []

    def test_of_larger_films(self):
        larger = replace(FIRST_RELEASES, side=1024)
        (doubt,) = doubts_about(FILM, larger)
        assert doubt.code == "low_resolution" and "fewer than 1024 a side" in doubt.message

    def test_of_other_exposures(self):
        darker = replace(FIRST_RELEASES, median_greys=(0.1, 0.3))
        (doubt,) = doubts_about(FILM, darker)
        assert doubt.code == "unusual_exposure" and "between 10 % and 30 %" in doubt.message

    @pytest.mark.parametrize(
        ("degrees", "told"),
        [(None, "hardly any training film does."), (6.0, "the training films were turned by at most 6°.")],
    )
    def test_of_films_that_lie_straighter(self, degrees, told):
        straighter = replace(FIRST_RELEASES, tilt_degrees=5, turn_degrees=degrees)
        film = replace(FILM, image=turned_by(IMAGE, 14))
        assert codes(film) == []
        (doubt,) = doubts_about(film, straighter)
        assert doubt.code == "tilted" and "more than 5°" in doubt.message and doubt.message.endswith(told)


def test_real_films_are_hardly_ever_doubted(data_folder):
    """100 films of the train split, taken evenly from the manifest's order."""
    rows = (data_folder / "manifest.csv").read_text().splitlines()[1:]
    train = [row.split(",")[0] for row in rows if row.split(",")[1] == "train"]
    taken = train[:: len(train) // 100][:100]
    films = [read_radiograph((data_folder / "images" / f"{name}.webp").read_bytes()) for name in taken]
    assert sum(bool(codes(film)) for film in films) <= 1
    assert not any(film.was_inverted for film in films)
    inverted = [with_bright_bone(replace(film, image=1 - film.image)) for film in films]
    assert sum(film.was_inverted for film in inverted) >= 95
    assert sum("turned" in codes(replace(film, image=np.rot90(film.image, 2))) for film in films) >= 97
