"""Films that are shown in other rows and columns than their file's: exports lie on the stored ones, and count alike."""

import io
import json

import highdicom
import numpy as np
import pydicom
import pytest
from pydicom.sr.codedict import codes

from app.exports.catalogue import answer_json
from app.exports.pictures import LARGEST_SIDE, MARK, draw_overlay
from app.studies.drawing import film_png
from tests.support.dicom_exports import IMAGE, MASK, REQUIRED, dicom_exports, marked
from tests.support.film_files import to_dicom, to_png
from tests.support.needs import command
from tests.support.tools import complaints

SHOWN = (600, 400)
OBLONG = to_dicom(IMAGE, **REQUIRED | {"ImagerPixelSpacing": [1.2, 0.6]})
"""Of 300 rows and 400 columns, shown as 600 × 400."""


def bare(data: bytes) -> bytes:
    """A film as an archive never has it: without the name of its instance."""
    dataset, buffer = pydicom.dcmread(io.BytesIO(data)), io.BytesIO()
    del dataset.SOPInstanceUID
    dataset.save_as(buffer, enforce_file_format=False)
    return buffer.getvalue()


def test_a_film_larger_than_any_shown_keeps_its_rows_and_columns(make_exported, monkeypatch):
    monkeypatch.setattr(film_png, "__defaults__", (200,))
    exported = make_exported(to_png(IMAGE), MASK)
    assert exported.film.shape == (150, 200)
    exports = dicom_exports(exported)
    film = exports["film.dcm"]
    assert (film.Rows, film.Columns) == (exports["segmentation.dcm"].Rows, exports["segmentation.dcm"].Columns)
    assert film.pixel_array.shape == IMAGE.shape
    assert np.abs(film.pixel_array / 255 - IMAGE).mean() < 0.02
    assert "PixelAspectRatio" not in film
    assert film.SeriesDescription == "Film as shown by Pleura, research use only"


def test_a_film_of_oblong_pixels_keeps_its_rows_and_columns_and_says_their_shape(make_exported, tmp_path):
    exports = dicom_exports(make_exported(bare(OBLONG), np.zeros(SHOWN, bool)))
    film = exports["film.dcm"]
    assert {(exports[name].Rows, exports[name].Columns) for name in ("film.dcm", "probability.dcm")} == {(300, 400)}
    assert film.PixelAspectRatio == [2, 1]
    assert np.abs(film.pixel_array / 255 - IMAGE).mean() < 0.02
    film.save_as(tmp_path / "film.dcm")
    assert complaints(command("dciodvfy", "dicom3tools"), tmp_path / "film.dcm") == []


@pytest.mark.parametrize("row", [200, 201])
def test_a_line_of_one_pixel_outlasts_every_export(make_exported, row):
    mask = np.zeros(SHOWN, dtype=bool)
    mask[row, 50:70] = True
    exports = dicom_exports(make_exported(OBLONG, mask & False, "negative", 0.1, corrected=mask))
    expected = np.zeros(IMAGE.shape, dtype=bool)
    expected[100, 50:70] = True
    np.testing.assert_array_equal(marked(exports["segmentation.dcm"]), expected[np.newaxis])
    assert areas_of(exports["report.dcm"]) == [pytest.approx(20 * 0.36, abs=0.05)]


def test_regions_are_counted_alike_everywhere(make_exported):
    mask = np.zeros(SHOWN, dtype=bool)
    mask[81:101, 50:70] = mask[102:120, 50:70] = True  # no stored row lies between
    exported = make_exported(OBLONG, mask & False, "negative", 0.1, corrected=mask)
    told = json.loads(answer_json(exported, False))["reader"]["corrected_regions"]
    whole, *each = areas_of(dicom_exports(exported)["report.dcm"])
    assert each == pytest.approx([region["area_mm2"] for region in told], abs=0.05)
    assert len(each) == 2 and whole == pytest.approx(sum(each), abs=0.1)
    first, second = outlines_of(dicom_exports(exported)["report.dcm"])
    np.testing.assert_allclose([first.min(axis=0), first.max(axis=0)], [(50, 40.5), (70, 50.5)], atol=0.25)
    np.testing.assert_allclose([second.min(axis=0), second.max(axis=0)], [(50, 51), (70, 60)], atol=0.25)


def test_an_area_without_known_size_is_in_pixels_of_the_file(make_exported):
    film = to_dicom(IMAGE, **REQUIRED | {"ImagerPixelSpacing": None, "PixelAspectRatio": [2, 1]})
    mask = np.zeros(SHOWN, dtype=bool)
    mask[100:200, 50:70] = True
    assert areas_of(dicom_exports(make_exported(film, mask))["report.dcm"]) == [1000]


def test_a_thin_line_outlasts_a_smaller_picture(make_exported):
    image = np.tile(IMAGE, (1, 11))[:, : 2 * LARGEST_SIDE + 200]
    for column in range(1000, 1004):
        mask = np.zeros(image.shape, dtype=bool)
        mask[50:250, column] = True
        assert (draw_overlay(make_exported(to_png(image), mask)) == MARK).all(axis=-1).any()


@pytest.mark.parametrize("name", ["segmentation.dcm", "probability.dcm"])
@pytest.mark.parametrize(("film", "shown"), [(OBLONG, SHOWN), (to_dicom(IMAGE, **REQUIRED), IMAGE.shape)])
def test_highdicom_reads_a_segmentation_with_its_film_s_spacing(make_exported, tmp_path, name, film, shown):
    mask = np.zeros(shown, dtype=bool)
    mask[40:60, 50:70] = True
    made = dicom_exports(make_exported(film, mask))[name]
    made.save_as(tmp_path / name)
    read = highdicom.seg.segread(tmp_path / name)
    stored = pydicom.dcmread(io.BytesIO(film))
    (measures,) = read.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence
    assert measures.PixelSpacing == stored.ImagerPixelSpacing
    assert (read.Rows, read.Columns) == (stored.Rows, stored.Columns)
    assert complaints(command("dciodvfy", "dicom3tools"), tmp_path / name) == []


@pytest.mark.parametrize("film", [to_png(IMAGE), to_dicom(IMAGE, **REQUIRED | {"ImagerPixelSpacing": [0.1, 0.1]})])
def test_no_size_of_pixels_is_made_up(make_exported, film):
    exports = dicom_exports(make_exported(film, MASK))
    for name in ("segmentation.dcm", "probability.dcm"):
        assert not [element for element in exports[name].iterall() if element.keyword == "PixelSpacing"]


def areas_of(report: pydicom.Dataset) -> list[float]:
    """Every area of a report, in its order."""
    groups = highdicom.sr.ComprehensiveSR.from_dataset(report).content.get_planar_roi_measurement_groups()
    measured = [found for group in groups for found in group.get_measurements()]
    return [float(found.value) for found in measured if found.name == codes.SCT.Area]


def outlines_of(report: pydicom.Dataset) -> list[np.ndarray]:
    """Outlines of regions, (N, 2), without the film's border."""
    groups = highdicom.sr.ComprehensiveSR.from_dataset(report).content.get_planar_roi_measurement_groups()
    return [group.roi.value for group in groups if group.roi is not None][1:]
