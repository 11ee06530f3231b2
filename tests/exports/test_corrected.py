"""A reader draws another mask on the page: every export is of that mask from then on, and says so."""

import base64
import io
import json
from collections.abc import Iterator

import numpy as np
import pydicom
import pytest
from PIL import Image
from pypdf import PdfReader

from tests.support.dicom_exports import marked, said
from tests.support.reader import Reader, decoded, ring


@pytest.fixture
def exported(app):
    """Makes an export of a study on which the reader has drawn."""
    reader = Reader(app)
    reader.draw(ring())
    return lambda file: reader.client.get(f"{reader.place}/exports/{file}").data


def test_mask_and_overlay(exported):
    np.testing.assert_array_equal(decoded(exported("mask.png")), ring() * 255)
    overlay = np.asarray(Image.open(io.BytesIO(exported("overlay.png")))).astype(int)[: len(ring())]
    amber = overlay[..., 0] > overlay[..., 2] + 10
    assert amber[ring()].mean() > 0.95
    assert not amber[180:, 180:].any()
    for file in ("mask.png", "overlay.png"):
        assert "Marked by the reader" in Image.open(io.BytesIO(exported(file))).text["Description"]


def areas(content: pydicom.Dataset) -> Iterator[float]:
    """Every area, in pixels, of a structured report."""
    for item in content.get("ContentSequence", []):
        if item.ValueType == "NUM" and item.ConceptNameCodeSequence[0].CodeMeaning == "Area":
            yield float(item.MeasuredValueSequence[0].NumericValue)
        yield from areas(item)


def test_dicom_objects(exported):
    made = {
        file: pydicom.dcmread(io.BytesIO(exported(f"{file}.dcm"))) for file in ("segmentation", "report", "capture")
    }
    np.testing.assert_array_equal(marked(made["segmentation"]).max(axis=0), ring())
    assert made["segmentation"].ContentDescription.startswith("Mask by the reader")
    assert sum(areas(made["report"])) == ring().sum()
    for file in ("report", "capture"):
        assert "Marked by the reader" in said(made[file])
        assert "Marked by the model" not in said(made[file])
    assert "Map of the model" in said(pydicom.dcmread(io.BytesIO(exported("probability.dcm"))))


def test_report(exported):
    text = " ".join(PdfReader(io.BytesIO(exported("report.pdf"))).pages[0].extract_text().split())
    assert "Areas marked by the reader 1." in text
    assert f"{100 * ring().mean():.2f}" in text
    assert "by the model" not in text
    assert "The reader says that the model is wrong." in text


def test_answer(exported):
    answer = json.loads(exported("answer.json"))
    (region,) = answer["reader"]["corrected_regions"]
    assert region["area_fraction"] == pytest.approx(ring().mean())
    rows, columns = np.nonzero(ring())
    assert region["bbox"][:2] == [columns.min(), rows.min()]
    np.testing.assert_array_equal(decoded(base64.b64decode(answer["reader"]["corrected_mask"]["data"])), ring() * 255)
    assert decoded(base64.b64decode(answer["mask"]["data"])).any()  # the model's own stays
    assert answer["regions"][0]["bbox"] != region["bbox"]
