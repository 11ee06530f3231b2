"""A person who reads a film, and says something of its answer."""

import io
import re

import cv2
import numpy as np

from app.analysis.answer import to_answer
from app.segmentation.decision.calibration import Finding
from app.segmentation.reading.radiograph import Radiograph
from app.studies.answer import Answer
from app.studies.drawing import film_png, grey_png, mask_png
from app.web.services import services
from tests.support.answers import REGION, SIDE, make_prediction, region_mask
from tests.support.forms import token
from training.releasing.phantom.drawing import draw_phantom

PATIENT_KEY = "0f" * 32


class Reader:
    """A browser session with one film, whose answer the test chooses."""

    def __init__(
        self, app, finding: Finding = Finding.POSITIVE, marked: bool = True, side: int = SIDE, doubts: tuple = ()
    ) -> None:
        self.app = app
        self.client = app.test_client()
        with self.client.session_transaction() as session:
            session["owner"] = "ann"
        self.model_mask = region_mask(marked, side)
        self.answer = self._answer(finding, marked, doubts)
        services(app).studies.add(
            "ann",
            "Doe^Jane.dcm",
            self.answer,
            film_png=film_png(self.image),
            probability_png=grey_png(np.zeros((64, 64), np.float32)),
            disagreement_png=grey_png(np.zeros((64, 64), np.float32)),
            patient_key=PATIENT_KEY,
            taken_on="2031-05-07",
        )
        self.place = f"/studies/{self.answer.id}"

    def _answer(self, finding: Finding, marked: bool, doubts: tuple) -> Answer:
        self.image = draw_phantom(1, SIDE).image
        if len(self.model_mask) != SIDE:
            self.image = cv2.resize(self.image, self.model_mask.shape)
        prediction = make_prediction(finding, 0.87, self.model_mask, (REGION,) if marked else (), doubts)
        predictor = services(self.app).predictor
        return to_answer(Radiograph(self.image, "DICOM"), prediction, predictor, f"study-of-{finding}")

    def post(self, path: str, **form):
        return self.client.post(self.place + path, data={"csrf_token": token(self.client), **form})

    def draw(self, mask: np.ndarray):
        return self.post("/correct", mask=(io.BytesIO(mask_png(mask)), "mask.png"))

    @property
    def study(self):
        return services(self.app).studies.get(self.answer.id, "ann")

    def section(self) -> str:
        """The part of the result page that asks the reader."""
        page = self.client.get(self.place).text
        return re.search(r'<section class="feedback".*?</section>', page, re.DOTALL)[0]


def ring() -> np.ndarray:
    """A mask that no model would give."""
    return cv2.circle(np.zeros((SIDE, SIDE), np.uint8), (120, 150), 60, 1, 9).astype(bool)


def decoded(png: bytes) -> np.ndarray:
    """Decode a picture: (H, W)."""
    return cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
