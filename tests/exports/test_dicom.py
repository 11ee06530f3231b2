"""The DICOM exports, as independent readers see them: pydicom, dciodvfy, dcentvfy, dcmtk, highdicom."""

import io
import itertools
import logging
import warnings
from dataclasses import replace
from pathlib import Path

import cv2
import highdicom
import numpy as np
import pydicom
import pytest
from matplotlib.path import Path as Path2D
from pydicom.sr.codedict import codes
from pydicom.uid import JPEG2000, JPEGBaseline8Bit

from app.analysis.wording import REASONS
from app.exports.catalogue import DICOM, exports_of
from app.exports.outlines import MAX_POINTS
from app.segmentation.decision.doubts import UNFAMILIAR, doubt
from tests.support.dicom_exports import (
    BOTH,
    FILMS,
    IMAGE,
    MASK,
    PATIENT,
    REQUIRED,
    dicom_exports,
    marked,
    referenced,
    said,
)
from tests.support.film_files import to_dicom, to_png
from tests.support.needs import command
from tests.support.tools import complaints


def test_a_segment_holds_the_mask_in_the_stored_rows_and_columns(make_exported):
    made = dicom_exports(make_exported(FILMS["dicom"], MASK))["segmentation.dcm"]
    assert (made.Rows, made.Columns) == (300, 400)
    assert (made.SegmentationType, made.BitsAllocated) == ("BINARY", 1)
    np.testing.assert_array_equal(marked(made), MASK[np.newaxis])
    assert marked(made)[0, 20, 310] == 1
    assert marked(made)[0, 310 % 300, 20] == 0
    assert [segment.SegmentLabel for segment in made.SegmentSequence] == ["Pneumothorax, patient’s left"]
    assert made.SegmentSequence[0].SegmentAlgorithmType == "AUTOMATIC"
    assert "FrameOfReferenceUID" not in made


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("orientation", [["L", "F"], ["R", "F"], ["R", "H"]])
def test_however_a_film_is_stored_its_mask_lies_on_its_stored_pixels(make_exported, photometric, orientation):
    film = to_dicom(IMAGE, photometric=photometric, PatientOrientation=orientation, **REQUIRED)
    made = dicom_exports(make_exported(film, MASK))["segmentation.dcm"]
    np.testing.assert_array_equal(marked(made)[0], MASK)
    side = "left" if orientation[0] == "L" else "right"
    assert made.SegmentSequence[0].SegmentLabel == f"Pneumothorax, patient’s {side}"


def test_a_side_that_the_file_does_not_state_is_the_picture_s(make_exported):
    exports = dicom_exports(make_exported(FILMS["png"], MASK))
    (segment,) = exports["segmentation.dcm"].SegmentSequence
    assert segment.SegmentLabel == "Pneumothorax, picture’s right"
    assert "Left" not in segment.AnatomicRegionSequence[0].CodeMeaning
    assert "Left Pleura" not in said(exports["report.dcm"])
    assert "Pneumothorax picture’s right" in said(exports["report.dcm"])


def test_each_side_is_a_segment(make_exported):
    made = dicom_exports(make_exported(FILMS["dicom"], BOTH))["segmentation.dcm"]
    assert [segment.SegmentLabel[-5:].strip() for segment in made.SegmentSequence] == ["right", "left"]
    np.testing.assert_array_equal(marked(made), [BOTH & ~MASK, MASK])


def test_where_nothing_is_marked_the_segment_is_empty(make_exported):
    exports = dicom_exports(make_exported(FILMS["dicom"], MASK & False, "negative", 0.04))
    assert not marked(exports["segmentation.dcm"]).any()
    assert marked(exports["segmentation.dcm"]).shape == (1, 300, 400)
    assert exports["segmentation.dcm"].SOPInstanceUID not in referenced(exports["report.dcm"])


def test_a_finding_is_tracked_under_one_name_in_every_object_and_apart_from_the_map(make_exported):
    exports = dicom_exports(make_exported(FILMS["dicom"], BOTH))
    groups = highdicom.sr.ComprehensiveSR.from_dataset(exports["report.dcm"]).content
    tracked = {group.tracking_uid for group in groups.get_planar_roi_measurement_groups() if not is_film(group)}
    assert {segment.TrackingUID for segment in exports["segmentation.dcm"].SegmentSequence} == tracked
    empty = dicom_exports(make_exported(FILMS["dicom"], BOTH & False, "negative", 0.04))
    (segment,), (whole,) = empty["segmentation.dcm"].SegmentSequence, empty["probability.dcm"].SegmentSequence
    assert (segment.TrackingID, whole.TrackingID) == ("Pneumothorax", "Pneumothorax map")
    assert segment.TrackingUID != whole.TrackingUID


def test_the_probability_map_keeps_its_fractions(make_exported):
    exported = make_exported(FILMS["dicom"], MASK)
    made = dicom_exports(exported)["probability.dcm"]
    assert (made.SegmentationType, made.SegmentationFractionalType) == ("FRACTIONAL", "PROBABILITY")
    assert made.MaximumFractionalValue == 255
    np.testing.assert_allclose(made.pixel_array / 255, 0.8 * MASK, atol=1 / 255)


def test_the_reader_s_mask_replaces_the_model_s_and_says_so(make_exported):
    corrected = np.roll(MASK, (100, -250), axis=(0, 1))
    first, second = make_exported(FILMS["dicom"], MASK), make_exported(FILMS["dicom"], MASK, corrected=corrected)
    second.study.id = first.study.id
    by_model, by_reader = dicom_exports(first), dicom_exports(second)
    made = by_reader["segmentation.dcm"]
    np.testing.assert_array_equal(marked(made), corrected[np.newaxis])
    assert made.SegmentSequence[0].SegmentAlgorithmType == "SEMIAUTOMATIC"
    assert made.ContentDescription == "Mask by the reader. Research use only."
    assert made.SegmentSequence[0].SegmentLabel == "Pneumothorax, patient’s right"
    assert made.SOPInstanceUID != by_model["segmentation.dcm"].SOPInstanceUID
    assert made.SOPInstanceUID in referenced(by_reader["report.dcm"])
    assert "Marked by the reader" in said(by_reader["report.dcm"])


def test_a_mask_corrected_on_a_shrunken_picture_covers_the_stored_film(make_exported):
    small = np.zeros((150, 200), dtype=bool)
    small[10:20, 150:160] = True
    made = dicom_exports(make_exported(FILMS["dicom"], MASK, corrected=small))["segmentation.dcm"]
    np.testing.assert_array_equal(marked(made)[0], small.repeat(2, axis=0).repeat(2, axis=1))


def test_the_capture_shows_the_film_above_a_legend(make_exported):
    exported = make_exported(FILMS["dicom"], MASK)
    made = dicom_exports(exported)["capture.dcm"]
    assert made.PhotometricInterpretation == "RGB"
    assert made.Columns == 400
    assert made.Rows > 300
    picture = made.pixel_array[:300].astype(int)
    outside = ~np.isin(np.arange(300), range(10, 70))
    assert (picture[outside] == exported.film[outside][..., np.newaxis]).all()
    red, _, blue = picture[30, 320]
    assert red > blue + 20  # amber
    assert made.pixel_array[300:].max() > 200  # there is writing


def test_exports_carry_the_study_and_refer_to_the_film(make_exported):
    source = pydicom.dcmread(io.BytesIO(FILMS["dicom"]))
    series = set()
    for made in dicom_exports(make_exported(FILMS["dicom"], BOTH)).values():
        for keyword in PATIENT.keys() - {"SpecificCharacterSet"}:
            assert made[keyword].value == source[keyword].value, keyword
        assert made.StudyInstanceUID == source.StudyInstanceUID
        assert made.SOPInstanceUID != source.SOPInstanceUID
        assert source.SOPInstanceUID in referenced(made)
        series.add(made.SeriesInstanceUID)
    assert len(series - {source.SeriesInstanceUID}) == 4


def test_what_was_compressed_with_loss_says_so_ever_after(make_exported, tmp_path):
    lossy = {"LossyImageCompression": "01", "LossyImageCompressionRatio": "12.5"}
    film = to_dicom(IMAGE, **lossy, LossyImageCompressionMethod="ISO_10918_1")
    exports = dicom_exports(make_exported(film, MASK))
    for name in ("segmentation.dcm", "probability.dcm", "capture.dcm"):
        made = exports[name]
        assert (made.LossyImageCompression, made.LossyImageCompressionRatio) == ("01", 12.5)
        made.save_as(tmp_path / name)
        assert errors(command("dciodvfy", "dicom3tools"), tmp_path / name) == []


@pytest.mark.parametrize(
    ("film", "method"),
    [
        (FILMS["jpeg"], "ISO_10918_1"),
        (cv2.imencode(".webp", np.round(255 * IMAGE), (cv2.IMWRITE_WEBP_QUALITY, 80))[1].tobytes(), "RFC_9649"),
        (to_dicom(IMAGE, bits_stored=8, transfer_syntax=JPEGBaseline8Bit, **REQUIRED), "ISO_10918_1"),
        (to_dicom(IMAGE, transfer_syntax=JPEG2000, **REQUIRED), "ISO_15444_1"),
    ],
    ids=["JPEG", "WebP", "DICOM, JPEG", "DICOM, JPEG 2000"],
)
def test_a_film_that_came_with_loss_says_so_in_every_picture(make_exported, film, method, tmp_path):
    exported = make_exported(film, MASK)
    exports = dicom_exports(exported)
    del exports["report.dcm"]  # no picture
    assert len(exports) >= 3
    for name, made in exports.items():
        assert (made.LossyImageCompression, made.LossyImageCompressionMethod) == ("01", method), name
        assert f"{made.LossyImageCompressionRatio:.2f}" == exported.header["LossyImageCompressionRatio"]
        made.save_as(tmp_path / name)
        assert errors(command("dciodvfy", "dicom3tools"), tmp_path / name) == []


def test_a_png_gets_names_of_its_own_and_its_film_can_be_filed(make_exported):
    exported, other = make_exported(FILMS["png"], MASK), make_exported(to_png(IMAGE[::-1]), MASK)
    exports = dicom_exports(exported)
    film = exports.pop("film.dcm")
    np.testing.assert_array_equal(film.pixel_array, exported.film)
    assert {made.StudyInstanceUID for made in exports.values()} == {film.StudyInstanceUID}
    for made in exports.values():
        assert film.SOPInstanceUID in referenced(made)
        assert made.PatientName == ""
    assert dicom_exports(other)["film.dcm"].StudyInstanceUID != film.StudyInstanceUID


def names_of(exported) -> dict[str, str]:
    return {name: made.SOPInstanceUID for name, made in dicom_exports(exported).items()}


@pytest.mark.parametrize("film", ["dicom", "png"])
def test_a_film_sent_twice_gets_the_same_names(make_exported, film):
    first, again = (make_exported(FILMS[film], MASK, created_at=when) for when in (1_700_000_000.0, 1_700_500_000.0))
    assert first.study.id != again.study.id
    assert names_of(first) == names_of(again)
    assert len(set(names_of(first).values())) == len(names_of(first))


def test_another_film_other_weights_another_version_and_a_reader_s_mask_get_other_names(make_exported, monkeypatch):
    exported = make_exported(FILMS["dicom"], MASK)
    names = names_of(exported)
    others = [
        make_exported(to_dicom(IMAGE[::-1], **REQUIRED), MASK),
        make_exported(FILMS["dicom"], MASK, corrected=BOTH),
        make_exported(FILMS["dicom"], MASK),
    ]
    model = others[-1].study.answer.model
    others[-1].study.answer = replace(others[-1].study.answer, model=replace(model, sha256=model.sha256[::-1]))
    for other in others:
        assert not set(names_of(other).values()) & set(names.values())
    monkeypatch.setattr("app.exports.exported_study.VERSION", "999.0")
    assert not set(names_of(exported).values()) & set(names.values())


def test_a_download_is_the_same_object_again(make_exported):
    exported = make_exported(FILMS["dicom"], MASK)
    for export in exports_of(exported.study):
        if export.media_type == DICOM:
            assert export.make(exported, False) == export.make(exported, False)


def test_every_object_names_the_model_and_its_purpose(make_exported):
    for anonymous in (False, True):
        for name, made in dicom_exports(make_exported(FILMS["dicom"], MASK), anonymous).items():
            text = said(made)
            assert "Not a medical device; not for diagnosis or treatment." in text, name
            assert "0123456789ab" in text, name
            assert made.ManufacturerModelName == "tiny"
            assert "research use only" in made.SeriesDescription


def test_the_report_measures_what_the_answer_says(make_exported, tmp_path):
    exported = make_exported(FILMS["dicom"], BOTH, "positive", 0.873)
    path = tmp_path / "report.dcm"
    dicom_exports(exported)["report.dcm"].save_as(path)
    content = highdicom.sr.srread(path).content
    film = film_group(content)
    assert film.get_measurements()[0].name == codes.DCM.Probability
    assert film.get_measurements()[0].value == 87.3
    assert film.get_qualitative_evaluations()[0].value == codes.SCT.Suspected
    groups = content.get_planar_roi_measurement_groups()
    areas = {
        group.finding_sites[0].value.meaning: group
        for group in groups
        if group.reference_type == codes.DCM.ReferencedSegmentationFrame
    }
    pixel_mm2 = 1.2**2
    measured = {site: group.get_measurements()[0].value for site, group in areas.items()}
    assert measured == {
        "Left Pleura": pytest.approx(1000 * pixel_mm2, abs=0.1),
        "Right Pleura": pytest.approx(600 * pixel_mm2, abs=0.1),
    }
    segmentation = dicom_exports(exported)["segmentation.dcm"]
    frames = {site: group.referenced_segmentation_frame for site, group in areas.items()}
    assert {frame[0].referenced_sop_instance_uid for frame in frames.values()} == {segmentation.SOPInstanceUID}


@pytest.mark.parametrize(
    ("finding", "name", "value"),
    [
        ("positive", codes.SCT.Pneumothorax, codes.SCT.Suspected),
        ("negative", codes.DCM.CADProcessingAndFindingsSummary, codes.DCM.AllAlgorithmsSucceededWithoutFindings),
        ("indeterminate", codes.SCT.Pneumothorax, codes.SCT.Indeterminate),
    ],
)
def test_the_report_s_codes_say_no_more_than_the_page(make_exported, finding, name, value):
    report = dicom_exports(make_exported(FILMS["dicom"], BOTH, finding, 0.5))["report.dcm"]
    groups = highdicom.sr.ComprehensiveSR.from_dataset(report).content.get_planar_roi_measurement_groups()
    assert len(groups) > 2
    for group in groups:
        (evaluation,) = group.get_qualitative_evaluations()
        assert (evaluation.name, evaluation.value) == (name, value)
    assert not {"Present", "Absent"} & {
        element.value for element in report.iterall() if element.keyword == "CodeMeaning"
    }


def test_of_a_reader_s_mask_the_model_evaluates_nothing(make_exported):
    report = dicom_exports(make_exported(FILMS["dicom"], MASK, "negative", 0.04, corrected=BOTH))["report.dcm"]
    groups = highdicom.sr.ComprehensiveSR.from_dataset(report).content.get_planar_roi_measurement_groups()
    assert [is_film(group) for group in groups if group.get_qualitative_evaluations()] == [True]


def test_the_report_counts_the_warnings(make_exported):
    warned = make_exported(FILMS["dicom"], MASK, doubts=(doubt("tilted", "It is."), doubt("clipped", "It is.")))
    assert "Pneumothorax suspected. 2 warnings." in said(dicom_exports(warned)["report.dcm"])


def test_the_report_says_what_the_reader_says_under_a_name_of_its_own(make_exported):
    silent, agreed, denied = (
        dicom_exports(make_exported(FILMS["dicom"], BOTH, verdict=verdict)) for verdict in (None, "right", "wrong")
    )
    assert "The reader says that the model is right." in said(agreed["report.dcm"])
    assert "The reader says that the model is wrong." in said(denied["report.dcm"])
    assert "The reader says" not in said(silent["report.dcm"])
    assert len({made["report.dcm"].SOPInstanceUID for made in (silent, agreed, denied)}) == 3
    assert silent["segmentation.dcm"] == denied["segmentation.dcm"]


def film_group(content: highdicom.sr.MeasurementReport) -> highdicom.sr.PlanarROIMeasurementsAndQualitativeEvaluations:
    """What a report says of the film as a whole, whose region is the film's border."""
    (film,) = (group for group in content.get_planar_roi_measurement_groups() if is_film(group))
    np.testing.assert_array_equal(film.roi.value, [(0, 0), (400, 0), (400, 300), (0, 300), (0, 0)])
    return film


def is_film(group: highdicom.sr.PlanarROIMeasurementsAndQualitativeEvaluations) -> bool:
    return group.tracking_identifier == "Film as a whole"


def outlined(report: pydicom.Dataset) -> list[np.ndarray]:
    """Every outline of a report, (N, 2)."""
    content = highdicom.sr.ComprehensiveSR.from_dataset(report).content
    groups = content.get_planar_roi_measurement_groups()
    return [group.roi.value for group in groups if group.reference_type == codes.DCM.ImageRegion and not is_film(group)]


def drawn(outlines: list[np.ndarray], shape: tuple[int, int]) -> np.ndarray:
    """Fill outlines, as a viewer would: a pixel is inside where its centre, (0.5, 0.5) of the first, is."""
    rows, columns = np.indices(shape) + 0.5
    inside = np.zeros(shape, dtype=bool)
    for points in outlines:
        assert (points[0] == points[-1]).all()
        path = Path2D(points)
        inside |= path.contains_points(np.stack([columns.ravel(), rows.ravel()], axis=1)).reshape(shape)
    return inside


SPECKS = np.zeros(IMAGE.shape, dtype=bool)
SPECKS[10:300:50, 5:395:80] = True  # 30 regions of one pixel
EDGE = np.zeros(IMAGE.shape, dtype=bool)
EDGE[:40, 360:] = EDGE[280:, :20] = True


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize(("mask", "count"), [(BOTH, 2), (SPECKS, 30), (EDGE, 2), (BOTH & False, 0)])
def test_each_region_is_outlined_on_the_film(make_exported, mask, count, photometric):
    film = to_dicom(IMAGE, photometric=photometric, **REQUIRED)
    report = dicom_exports(make_exported(film, mask, "positive" if count else "negative"))["report.dcm"]
    outlines = outlined(report)
    assert len(outlines) == count
    np.testing.assert_array_equal(drawn(outlines, mask.shape), mask)


def test_several_regions_of_a_side_have_an_area_each_and_one_together(make_exported):
    report = dicom_exports(make_exported(FILMS["dicom"], SPECKS))["report.dcm"]
    groups = highdicom.sr.ComprehensiveSR.from_dataset(report).content.get_planar_roi_measurement_groups()
    areas = [float(group.get_measurements()[0].value) for group in groups if not is_film(group)]
    assert sorted(areas) == pytest.approx([1.44] * 30 + [12 * 1.44, 18 * 1.44], abs=0.1)


def test_no_group_is_without_coordinates_even_where_viewers_merge_those_of_one_finding(make_exported):
    """OHIF reads nothing of a report with such a group."""
    for mask in (BOTH, SPECKS, BOTH & False):
        report = dicom_exports(make_exported(FILMS["dicom"], mask, "positive" if mask.any() else "negative"))[
            "report.dcm"
        ]
        groups = highdicom.sr.ComprehensiveSR.from_dataset(report).content.get_planar_roi_measurement_groups()
        with_coordinates = {group.tracking_uid for group in groups if group.reference_type == codes.DCM.ImageRegion}
        assert {group.tracking_uid for group in groups} == with_coordinates


def test_a_ragged_region_s_outline_stays_within_a_pixel_and_within_what_one_element_holds(make_exported):
    random = np.random.default_rng(0)
    ragged = cv2.GaussianBlur(random.normal(size=IMAGE.shape), (0, 0), 2) > 0
    _, regions, boxes, _ = cv2.connectedComponentsWithStats(ragged.astype(np.uint8))
    mask = regions == 1 + boxes[1:, cv2.CC_STAT_AREA].argmax()  # not all of them are outlined
    outlines = outlined(dicom_exports(make_exported(FILMS["dicom"], mask))["report.dcm"])
    assert max(len(points) for points in outlines) <= MAX_POINTS + 1
    filled = np.zeros(mask.shape, np.uint8)  # of an outline holes are inside
    borders, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(filled, borders, -1, 1, cv2.FILLED)
    different = drawn(outlines, mask.shape) != filled.astype(bool)
    assert different.mean() < 0.02
    assert not cv2.erode(different.astype(np.uint8), np.ones((3, 3), np.uint8)).any()


@pytest.mark.parametrize("film", FILMS)
def test_the_report_s_image_library_names_the_film(make_exported, film):
    exports = dicom_exports(make_exported(FILMS[film], MASK))
    (library,) = [item for item in exports["report.dcm"].ContentSequence if said_name(item) == "Image Library"]
    (group,) = library.ContentSequence
    (entry,) = [item for item in group.ContentSequence if item.ValueType == "IMAGE"]
    regions = {
        place.ReferencedSOPSequence[0].ReferencedSOPInstanceUID
        for item in exports["report.dcm"].iterall()
        if item.VR == "SQ"
        for part in item.value
        if part.get("ValueType") == "SCOORD"
        for place in part.ContentSequence
    }
    assert regions == {entry.ReferencedSOPSequence[0].ReferencedSOPInstanceUID}
    assert entry.ReferencedSOPSequence[0].ReferencedSOPInstanceUID in referenced(exports["segmentation.dcm"])


def said_name(item: pydicom.Dataset) -> str:
    return item.ConceptNameCodeSequence[0].CodeMeaning


def test_an_unfamiliar_film_has_no_probability_in_its_report(make_exported, tmp_path):
    exported = make_exported(FILMS["png"], MASK & False, "indeterminate", 0.6, doubts=(UNFAMILIAR,))
    path = tmp_path / "report.dcm"
    dicom_exports(exported)["report.dcm"].save_as(path)
    report = highdicom.sr.srread(path)
    film = film_group(report.content)
    assert film.get_measurements() == []
    assert film.get_qualitative_evaluations()[0].value == codes.SCT.Indeterminate
    assert f"No answer: {REASONS[UNFAMILIAR.code]}." in said(report)


def test_of_a_withheld_answer_no_mask_leaves_but_the_reader_s(make_exported):
    withheld = {"finding": "indeterminate", "doubts": (UNFAMILIAR,)}
    nobodys = {export.file for export in exports_of(make_exported(FILMS["png"], MASK & False, **withheld).study)}
    drawn = make_exported(FILMS["png"], MASK & False, **withheld, corrected=MASK)
    assert not nobodys & {"mask.png", "segmentation.dcm", "probability.dcm"}
    assert {export.file for export in exports_of(drawn.study)} - nobodys == {"mask.png", "segmentation.dcm"}
    assert dicom_exports(drawn)["segmentation.dcm"].ContentDescription.startswith("Mask by the reader")


def test_the_report_gives_each_doubt_with_what_to_do(make_exported):
    doubts = doubt("under_18", "The patient is 12 years old."), doubt("burned_in_text", "There is text.")
    exported = make_exported(FILMS["dicom"], MASK, doubts=doubts)
    told = said(dicom_exports(exported)["report.dcm"])
    assert f"Warning: The patient is 12 years old. {doubts[0].advice}" in told
    assert f"Note: There is text. {doubts[1].advice}" in told
    nameless = said(dicom_exports(exported, anonymous=True)["report.dcm"])
    assert f"Warning: Under 18. {doubts[0].advice}" in nameless
    assert "12 years" not in nameless


CASES = list(itertools.product(FILMS, [False, True], ["both", "none"]))


@pytest.mark.parametrize(("film", "anonymous", "marks"), CASES)
def test_validators_and_dcmtk_find_no_error(make_exported, tmp_path, film, anonymous, marks):
    dciodvfy, dcmdump = command("dciodvfy", "dicom3tools"), command("dcmdump", "dcmtk")
    dsrdump, dcentvfy = command("dsrdump", "dcmtk"), command("dcentvfy", "dicom3tools")
    exported = make_exported(FILMS[film], BOTH if marks == "both" else BOTH & False)
    paths = []
    for name, made in dicom_exports(exported, anonymous).items():
        paths.append(tmp_path / name)
        made.save_as(paths[-1])
        assert errors(dciodvfy, paths[-1], also="Warning") == [], name
        assert errors(dcmdump, "-q", "+E", paths[-1]) == [], name
    assert errors(dsrdump, tmp_path / "report.dcm") == []
    if film == "dicom" and not anonymous:
        paths.append(tmp_path / "source.dcm")
        paths[-1].write_bytes(FILMS[film])
    assert errors(dcentvfy, *paths) == []


def errors(*command: str | Path, also: str = "Error") -> list[str]:
    """What a tool complains of, but the name of the bare film, which is its own affair."""
    return [line for line in complaints(*command, also=also) if "<Solo>" not in line]


def test_the_validator_would_see_an_error(make_exported, tmp_path):
    made = dicom_exports(make_exported(FILMS["dicom"], MASK))["segmentation.dcm"]
    del made.SegmentSequence
    made.save_as(tmp_path / "broken.dcm")
    assert errors(command("dciodvfy", "dicom3tools"), tmp_path / "broken.dcm")


def test_deidentified_objects_name_nobody_and_still_refer_to_each_other(make_exported):
    source = pydicom.dcmread(io.BytesIO(FILMS["dicom"]))
    exported = make_exported(FILMS["dicom"], BOTH)
    exports = dicom_exports(exported, anonymous=True)
    secrets = [*PATIENT.values(), source.SOPInstanceUID, source.StudyInstanceUID, source.SeriesInstanceUID, "2023111"]
    secrets = [secret for secret in secrets if secret not in ("ISO_IR 192", "O")]
    for name, made in exports.items():
        for secret in secrets:
            assert secret not in said(made), (name, secret)
        assert made.PatientIdentityRemoved == "YES"
        assert made.DeidentificationMethodCodeSequence[0].CodeValue == "113100"
        assert (made.PatientName, made.PatientBirthDate, made.PatientSex, made.StudyDate) == ("", "", "", "")
        assert made.file_meta.MediaStorageSOPInstanceUID == made.SOPInstanceUID
    assert len({made.StudyInstanceUID for made in exports.values()}) == 1
    assert len({made.PatientID for made in exports.values()}) == 1
    films = [referenced(made) for made in exports.values()]
    assert len(set.intersection(*films)) == 1  # the film, under its new name
    assert exports["segmentation.dcm"].SOPInstanceUID in referenced(exports["report.dcm"])
    np.testing.assert_array_equal(marked(exports["segmentation.dcm"])[1], MASK)


def test_two_deidentified_patients_remain_two(make_exported):
    one, other = make_exported(FILMS["dicom"], MASK), make_exported(FILMS["png"], MASK)
    numbers = {dicom_exports(exported, True)["report.dcm"].PatientID for exported in (one, other)}
    assert len(numbers) == 2


def test_no_name_reaches_the_log(make_exported, caplog):
    caplog.set_level(logging.DEBUG)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        dicom_exports(make_exported(FILMS["bare dicom"], MASK))
    assert "Solo" not in caplog.text + "".join(str(warning.message) for warning in caught)
