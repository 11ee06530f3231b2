"""Answers of a released model to a split, after a change of the films; kept, so that a measurement can go on."""

import hashlib
from pathlib import Path

import pandas as pd

from app.segmentation.checkpoint import Checkpoint
from app.segmentation.predictor import Predictor
from training.data.films import PreparedFilms
from training.evidence.changes import CHANGES
from training.releasing.evaluate import Change, predict_split

UNCHANGED = "unchanged"
ALL_CHANGES: dict[str, Change | None] = {UNCHANGED: None, **CHANGES}
KEPT = ("patient_id", "view", "label", "probability", "called", "intersection", "predicted", "true")


def kept_answers(
    predictor: Predictor, films: PreparedFilms, split: str, folder: Path, change: str = UNCHANGED
) -> pd.DataFrame:
    """Answer a split, as `answer_changed`, or read what was answered before.

    Args:
        predictor: The model.
        films: Prepared films.
        split: "val" or "test".
        folder: Where answers are kept.
        change: Key of `ALL_CHANGES`.
    """
    path = folder / f"{key_of(predictor, films, split, change)}.csv"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        answer_changed(predictor, films, split, change).to_csv(path, index=False)
    return pd.read_csv(path, keep_default_na=False)


def answer_changed(predictor: Predictor, films: PreparedFilms, split: str, change: str) -> pd.DataFrame:
    """Answer the expert-labelled films of a split after a change.

    Returns:
        One row a film with the columns `KEPT`, without what would name it: patient_id is a number, label what the
        change left of the mask.
    """
    answers = predict_split(predictor, films, split, ALL_CHANGES[change], f"{change},")
    patients, _ = pd.factorize(answers["patient_id"])
    return answers.assign(patient_id=patients, label=(answers["true"] > 0).astype(int))[list(KEPT)]


def key_of(model: Predictor | Checkpoint, films: PreparedFilms, split: str, *rest: object) -> str:
    """Name a measurement after everything it depends on: weights, films, and what else is given."""
    image_ids = ",".join(films.table["image_id"].iloc[films.expert_rows(split)])
    text = "/".join(map(str, (model.sha256, films.images.shape[1], image_ids, *rest)))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
