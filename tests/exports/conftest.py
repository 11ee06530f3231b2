"""A study as the pages keep it, with an answer of the test's choice: no network runs."""

import secrets
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from flask import Flask

from app.analysis.answer import mask_png, to_answer
from app.config import ROOT
from app.exports.reading import Reading
from app.segmentation.decision.calibration import Finding
from app.segmentation.decision.postprocessing import PostprocessingConfig, segment
from app.segmentation.network.engine import Evidence
from app.segmentation.predictor import Prediction
from app.segmentation.reading.image_io import read_radiograph
from app.studies.drawing import film_png, grey_png
from app.studies.header import kept_of
from app.studies.store import Study
from tests.conftest import DECISION

SECRET = "a secret of the tests, long enough to be one"
MODEL = SimpleNamespace(metadata=SimpleNamespace(name="tiny"), sha256="0123456789abcdef" * 4, decision=DECISION)
MARK_ALL = PostprocessingConfig(mask_threshold=0.5, min_area_fraction=0.0, min_film_probability=0.0)


def answered(data: bytes, mask: np.ndarray, finding: str, probability: float, quality: tuple = ()) -> tuple:
    """Read a film and have it answered as the test chooses."""
    radiograph = read_radiograph(data)
    probability_map = mask.astype(np.float32)
    regions = segment(probability_map, 1.0, radiograph, MARK_ALL)[1]
    evidence = Evidence(probability_map * 0.8, probability_map * 0.1, 0.0, 0.0, torch.zeros(4))
    prediction = Prediction(
        Finding(finding), probability, probability_map, evidence, mask, regions, quality, {"total": 900.0}
    )
    return radiograph, prediction


@pytest.fixture
def make_reading() -> Callable[..., Reading]:
    """Make a reading of a film; a Flask application is at hand for as long, for the pages' words."""

    def make(
        data: bytes,
        mask: np.ndarray,
        finding: str = "positive",
        probability: float = 0.87,
        quality: tuple = (),
        corrected: np.ndarray | None = None,
        **columns: object,
    ) -> Reading:
        radiograph, prediction = answered(data, mask, finding, probability, quality)
        study = Study(
            **{
                "id": secrets.token_urlsafe(24),
                "owner": "owner",
                "file_name": "chest.dcm",
                "created_at": 1_700_000_000.0,
                "expires_at": 1_700_003_600.0,
                "film_png": film_png(radiograph.image),
                "probability_png": grey_png(prediction.evidence.probability_map),
                "disagreement_png": grey_png(prediction.evidence.disagreement_map),
                "dicom_header": kept_of(radiograph.header),
                "corrected_png": None if corrected is None else mask_png(corrected),
                **columns,
            }
        )
        study.answer = to_answer(radiograph, prediction, MODEL, study.id)
        return Reading(study, SECRET)

    with Flask("pages", template_folder=str(ROOT / "templates")).test_request_context():
        yield make
