"""Predictions and answers of a test's choice: no network runs."""

import secrets
from dataclasses import replace

import numpy as np
import torch

from app.segmentation.decision.calibration import Calibration, Finding, OperatingPoint
from app.segmentation.decision.decision import Decision
from app.segmentation.decision.doubts import withheld_for
from app.segmentation.decision.postprocessing import PostprocessingConfig, Region, segment
from app.segmentation.network.engine import Evidence
from app.segmentation.predictor import Prediction
from app.segmentation.reading.geometry import Laterality
from app.segmentation.reading.radiograph import Radiograph
from app.studies.answer import Answer, Film, Model
from app.studies.drawing import MaskPicture

DECISION = Decision(
    mirror_size=64,
    postprocessing=PostprocessingConfig(mask_threshold=0.4, min_area_fraction=0.001, min_film_probability=0.1),
    calibration=Calibration(image_weight=0.5, map_weight=0.5, bias=0.0),
    operating_point=OperatingPoint("specificity 0.90", 0.5, 0.3, 0.6),
)
"""Of the tiny checkpoint."""

SIDE = 320
"""Pixels of the film that `REGION` is on."""

REGION = Region(Laterality.LEFT, (200, 40, 60, 40), 2400 / SIDE**2, 1234.4, 0.81)
MODEL = Model("tiny", "0123456789abcdef" * 4, "PyTorch 2.13.0", DECISION.operating_point, "one hospital")
MARK_ALL = PostprocessingConfig(mask_threshold=0.5, min_area_fraction=0.0, min_film_probability=0.0)


def region_mask(marked: bool = True, side: int = SIDE) -> np.ndarray:
    """Draw `REGION`, or nothing: bool (side, side)."""
    mask = np.zeros((side, side), dtype=bool)
    x, y, width, height = REGION.bbox
    mask[y : y + height, x : x + width] = marked
    return mask


def make_prediction(
    finding: Finding | str,
    probability: float,
    mask: np.ndarray,
    regions: tuple[Region, ...] = (),
    doubts: tuple = (),
    total_ms: float = 900.0,
    map_step: int = 5,
) -> Prediction:
    """Make a prediction; the network's maps are every `map_step`th pixel of the mask, weaker."""
    found = mask.astype(np.float32)
    small = found[::map_step, ::map_step]
    evidence = Evidence(0.8 * small, 0.1 * small, 0.0, 0.0, torch.zeros(4))
    finding = Finding(finding)
    withheld = withheld_for(doubts, finding is Finding.POSITIVE)
    timing_ms = {"total": total_ms}
    return Prediction(finding, probability, found, evidence, mask, regions, doubts, withheld, timing_ms=timing_ms)


def regions_of(mask: np.ndarray, radiograph: Radiograph) -> tuple[Region, ...]:
    """Describe every area of a mask on a film."""
    return segment(mask.astype(np.float32), 1.0, radiograph.geometry, MARK_ALL)[1]


def make_answer(finding: Finding | str = "negative", probability: float = 0.1, doubts: tuple = (), **said) -> Answer:
    """Make an answer; `said` replaces whatever else it says."""
    finding = Finding(finding)
    answer = Answer(
        id=secrets.token_urlsafe(24),
        film=Film("PNG", SIDE, SIDE, None, Laterality.RIGHT, states_side=False),
        finding=finding,
        probability=probability,
        regions=(),
        mask=MaskPicture.of(region_mask(False)),
        doubts=doubts,
        withheld_for=withheld_for(doubts, finding is Finding.POSITIVE),
        model=MODEL,
        timing_ms={"total": 900.0},
    )
    return replace(answer, **said)
