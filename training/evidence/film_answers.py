"""Answers of a released model to a split, after a change of the films; kept, so that a measurement can go on."""

import hashlib
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from app.segmentation.checkpoint import Checkpoint
from app.segmentation.predictor import Predictor
from app.segmentation.reading.radiograph import Radiograph
from training.data.films import PreparedFilms
from training.evidence.changes import CHANGES
from training.measuring.metrics import overlap

UNCHANGED = "unchanged"
ALL_CHANGES = {UNCHANGED: lambda image, mask: (image, mask), **CHANGES}


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
        One row a film, without what would name it: patient_id is a number, label what the change left of the mask;
        and view, probability, called, intersection, predicted, true.
    """
    rows = films.rows(split, ["expert_mask"])
    chosen = films.table.iloc[rows]
    answers = []
    for row in tqdm(rows, desc=change, unit="film"):
        image, true_mask = ALL_CHANGES[change](films.image(row), films.true_mask(row))
        prediction = predictor.predict(Radiograph(image, "PNG"))
        called = predictor.decision.operating_point.calls(prediction.probability)
        answers.append(
            {"label": int(true_mask.any()), "probability": prediction.probability, "called": int(called)}
            | overlap(prediction.mask, true_mask)
        )
    known = {"patient_id": pd.factorize(chosen["patient_id"])[0], "view": chosen["view"].to_numpy()}
    return pd.DataFrame({**known, **pd.DataFrame(answers)})


def key_of(model: Predictor | Checkpoint, films: PreparedFilms, split: str, *rest: object) -> str:
    """Name a measurement after everything it depends on: weights, films, and what else is given."""
    image_ids = ",".join(films.table["image_id"].iloc[films.rows(split, ["expert_mask"])])
    text = "/".join(map(str, (model.sha256, films.images.shape[1], image_ids, *rest)))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
