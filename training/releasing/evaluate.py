"""Measure a released checkpoint exactly as it is served: through `Predictor`, film by film."""

import json
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from app.segmentation.predictor import Predictor
from app.segmentation.reading.radiograph import Radiograph
from training.data.films import PreparedFilms
from training.releasing.metrics import bootstrap_intervals, overlap, summarise


def predict_split(predictor: Predictor, films: PreparedFilms, split: str) -> pd.DataFrame:
    """Answer every expert-labelled film of a split.

    Returns:
        One row a film: what the table of films says, and probability, finding, called (the forced
        decision), intersection, predicted, true.
    """
    rows = films.rows(split, ["expert_mask"])
    answers = []
    for row in tqdm(rows, desc=f"evaluate {split}", unit="film"):
        prediction = predictor.predict(Radiograph(films.image(row), source_format="PNG"))
        answers.append(
            {
                "probability": prediction.probability,
                "finding": str(prediction.finding),
                "called": int(predictor.decision.operating_point.calls(prediction.probability)),
                **overlap(prediction.mask, films.true_mask(row)),
            }
        )
    return pd.concat([films.table.iloc[rows].reset_index(drop=True), pd.DataFrame(answers)], axis=1)


def describe_split(table: pd.DataFrame) -> dict:
    """Sum up the answers to a split, with intervals.

    Args:
        table: From `predict_split`.

    Returns:
        "films", "positive", "patients", and by figure its "value" and 95 % "interval".
    """
    intervals = bootstrap_intervals(table)
    return {
        "films": len(table),
        "positive": int(table["label"].sum()),
        "patients": int(table["patient_id"].nunique()),
        "figures": {
            name: {"value": round(value, 4), "interval": [round(end, 4) for end in intervals[name]]}
            for name, value in summarise(table).items()
        },
    }


def evaluate(weights: Path, data: Path, split: str = "val", out: Path | None = None) -> dict:
    """Print and write the figures of a released checkpoint on one split.

    Args:
        weights: Released checkpoint.
        data: Prepared folder.
        split: "val" or "test".
        out: JSON file to write, besides printing.

    Returns:
        What was written.
    """
    predictor = Predictor.load(weights)
    table = predict_split(predictor, PreparedFilms.open(data), split)
    report = {"model": predictor.metadata.name, "sha256": predictor.sha256, split: describe_split(table)}
    publish(report, out)
    return report


def publish(figures: dict, out: Path | None) -> None:
    """Print figures as JSON and, if there is a file for them, write them there."""
    text = json.dumps(figures, indent=2)
    print(text)
    if out is not None:
        out.write_text(text + "\n")
