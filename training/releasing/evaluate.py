"""Measure a released checkpoint exactly as it is served: through `Predictor`, film by film."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from app.segmentation.predictor import Predictor
from app.segmentation.reading.radiograph import Radiograph
from training.data.films import PreparedFilms
from training.data.lineage import demand_both_classes
from training.measuring.figures import summarise
from training.measuring.metrics import bootstrap_intervals, overlap
from training.measuring.writing import markdown_table, with_interval, write_json

Change = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""What is done to a film, float32 (H, W) in [0, 1], and its mask, bool (H, W)."""


def predict_split(
    predictor: Predictor, films: PreparedFilms, split: str, change: Change | None = None, title: str = "evaluate"
) -> pd.DataFrame:
    """Answer every expert-labelled film of a split.

    Args:
        predictor: The model.
        films: Prepared films.
        split: "val" or "test".
        change: What is done to each film before; none: nothing.
        title: What the progress bar says.

    Returns:
        One row a film: what the table of films says, and probability, finding, called (the forced
        decision), intersection, predicted, true.

    Raises:
        TrainingDataError: If the split has no films with an expert's word, or of one class only.
    """
    rows = films.expert_rows(split)
    demand_both_classes(films.table, rows, f"Split {split} (label source expert_mask)")
    answers = []
    for row in tqdm(rows, desc=f"{title} {split}", unit="film"):
        image, true_mask = films.image(row), films.true_mask(row)
        if change is not None:
            image, true_mask = change(image, true_mask)
        prediction = predictor.predict(Radiograph(image, source_format="PNG"))
        answers.append(
            {
                "probability": prediction.probability,
                "finding": str(prediction.finding),
                "called": int(predictor.decision.operating_point.calls(prediction.probability)),
                **overlap(prediction.mask, true_mask),
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
    intervals = bootstrap_intervals(table, summarise)
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
    """Measure a released checkpoint on one split, and print the figures.

    Args:
        weights: Released checkpoint.
        data: Prepared folder.
        split: "val" or "test".
        out: JSON file to write, besides printing.

    Returns:
        What was written.

    Raises:
        TrainingDataError: If the split has no films with an expert's word, or of one class only.
    """
    films = PreparedFilms.open(data)
    predictor = Predictor.load(weights)
    report: dict = {"model": predictor.metadata.name, "sha256": predictor.sha256}
    report[split] = describe_split(predict_split(predictor, films, split))
    print(figures_table(report))
    if out is not None:
        write_json(report, out)
        print(f"written to {out}")
    print(f"next: python -m training report --weights {weights} --data {data} --split {split} --out runs/report")
    return report


def figures_table(report: dict) -> str:
    """Set the figures of a model's splits in a table.

    Args:
        report: "model", "sha256", and by split what `describe_split` says.
    """
    splits = {name: split for name, split in report.items() if isinstance(split, dict)}
    counts = "; ".join(
        f"{name}: {split['films']} films of {split['patients']} patients, {split['positive']} positive"
        for name, split in splits.items()
    )
    figures = dict.fromkeys(figure for split in splits.values() for figure in split["figures"])
    rows = [[name, *(with_interval(*_ends(split["figures"][name])) for split in splits.values())] for name in figures]
    heads = ["figure", *(f"{name} (95 % interval)" for name in splits)]
    return f"{report['model']}, {report['sha256'][:12]}. {counts}\n\n{markdown_table(heads, rows)}"


def _ends(figure: dict) -> tuple[float, float, float]:
    return (figure["value"], *figure["interval"])
