"""Studies that a test keeps, and a clock that it sets."""

from dataclasses import replace

from app.segmentation.decision.doubts import UNFAMILIAR
from app.studies.drawing import MaskPicture
from app.studies.store import StudyStore
from app.studies.study import Study
from tests.support.answers import REGION, make_answer, region_mask

RETENTION = 3600.0

ANSWER = make_answer("positive", 0.87, (UNFAMILIAR,), regions=(REGION,), mask=MaskPicture.of(region_mask()))


class Clock:
    """A clock that stands still until told."""

    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def add(store: StudyStore, study_id: str = "one", owner: str = "ann", film_png: bytes = b"film") -> Study:
    """Keep a study whose pictures are none."""
    answer = replace(ANSWER, id=study_id)
    pictures = {"film_png": film_png, "probability_png": b"map", "disagreement_png": b"doubt"}
    return store.add(owner, f"{study_id}.dcm", answer, **pictures)
