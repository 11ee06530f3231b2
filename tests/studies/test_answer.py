"""An answer is the same after a trip through JSON, and says what is asked of it most."""

import json
from dataclasses import replace

import pytest

from app.segmentation.decision.doubts import doubt
from app.segmentation.reading.geometry import Laterality
from app.studies.answer import Answer, Film
from app.studies.drawing import MaskPicture
from tests.support.answers import REGION, make_answer, region_mask

TURNED, CLIPPED, SMALL = (doubt(code, "…") for code in ("turned", "clipped", "doubtful_pixel_spacing"))
FULL = make_answer(
    "positive",
    0.8712,
    (SMALL, CLIPPED),
    film=Film("DICOM", 320, 240, (0.5, 0.25), Laterality.LEFT, states_side=True),
    regions=(REGION, replace(REGION, area_mm2=None)),
    mask=MaskPicture.of(region_mask()),
)
WITHHELD = make_answer("indeterminate", 0.4, (CLIPPED, TURNED))


@pytest.mark.parametrize("answer", [FULL, WITHHELD])
def test_json_there_and_back(answer):
    assert Answer.from_json(json.loads(json.dumps(answer.to_json()))) == answer


def test_json_holds_what_the_api_sends():
    said = FULL.to_json()
    assert list(said) == [
        *("id", "film", "finding", "probability", "regions", "mask", "quality", "withheld_for", "model", "timing_ms"),
        "notice",
    ]
    assert said["film"]["pixel_spacing_mm"] == [0.5, 0.25]
    assert said["regions"][0]["laterality"] == "left" and said["regions"][0]["bbox"] == [200, 40, 60, 40]
    assert [doubt["code"] for doubt in said["quality"]] == ["doubtful_pixel_spacing", "clipped"]


def test_an_answer_is_withheld_for_a_reason():
    assert not FULL.is_withheld and FULL.reason_withheld is None
    assert WITHHELD.is_withheld and WITHHELD.reason_withheld == TURNED


def test_warnings_are_the_doubts_that_weigh_most():
    assert FULL.warnings == (CLIPPED,)
    assert WITHHELD.warnings == (CLIPPED, TURNED)


def test_sides_in_the_order_of_their_largest_region():
    right = replace(REGION, laterality=Laterality.RIGHT)
    assert replace(FULL, regions=(right, REGION, right)).sides == (Laterality.RIGHT, Laterality.LEFT)
    assert WITHHELD.sides == ()
