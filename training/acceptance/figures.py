"""What is measured of a model at a site: in all, and for each view, machine, age band and sex."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from app.segmentation.decision.calibration import Finding
from training.measuring.ages import by_age
from training.measuring.figures import FIGURES, figures_of
from training.measuring.metrics import PIXELS, bootstrap_intervals, mean_of_known

OF_ALL = "all"
FEW = 10
"""Films of a class below which an interval says too little to draw a conclusion from it."""
NEEDS = {
    "auroc": "both",
    "sensitivity": "positive",
    "specificity": "negative",
    **dict.fromkeys(("ppv", "npv"), "both"),
    **dict.fromkeys(("positives_found_positive", "positives_found_negative"), "positive"),
    "negatives_found_positive": "negative",
    **dict.fromkeys(("alerts_per_100", "doubtful_per_100", "withheld_per_100"), "any"),
    **dict.fromkeys(("calibration_error", "brier"), "both"),
    "dice_pos": "positive",
}
"""Figures, in the order of the report, and of which class `FEW` films are needed at least."""


def site_figures(table: pd.DataFrame) -> dict[str, float]:
    """Figures of films; NaN where a class, a call or a mask is missing.

    Predictive values are those at the films' own prevalence. Alerts are films that are called positive as the
    application says it.

    Args:
        table: From `answers.answer_films`.
    """
    return _figures(_numbers(table))


def _numbers(table: pd.DataFrame) -> pd.DataFrame:
    """Keep what figures are made of, without a text: a resample of it takes a tenth of the time."""
    return table[["label", "called", "probability", *PIXELS]].assign(
        finding=table["finding"].astype("category"),
        alerts=table["finding"] == Finding.POSITIVE,
        doubtful=table["doubts"] != "",
        withheld=table["withheld_for"] != "",
    )


def _figures(numbers: pd.DataFrame) -> dict[str, float]:
    figures = figures_of(numbers, [name for name in NEEDS if name in FIGURES])
    for name in ("alerts", "doubtful", "withheld"):
        figures[f"{name}_per_100"] = 100 * mean_of_known(numbers[name].to_numpy())
    return {name: figures[name] for name in NEEDS}


def groups(table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Split films by view, machine, age band and sex, as far as these are known."""
    yield OF_ALL, table
    for column in ("view", "sex"):
        for value in sorted(set(table[column]) - {""}):
            yield f"{column} {value}", table[table[column] == value]
    for maker in sorted(set(table["manufacturer"]) - {""}):
        own = table[table["manufacturer"] == maker]
        yield f"manufacturer {maker}", own
        for model in sorted(set(own["model"]) - {""}):
            yield f"machine {maker} {model}", own[own["model"] == model]
    yield from ((name, band) for name, band in by_age(table) if len(band))


def measure(table: pd.DataFrame, resamples: int) -> pd.DataFrame:
    """Measure all films and each group of them.

    Args:
        table: From `answers.answer_films`.
        resamples: Bootstrap draws of patients.

    Returns:
        A row a group and figure: group, films, positive, patients, figure, value, low, high; NaN where there is none.
    """
    rows = []
    for group, films in groups(table):
        numbers = _numbers(films).assign(patient_id=films["patient_id"])
        figures = _figures(numbers)
        intervals = bootstrap_intervals(numbers, _figures, resamples=resamples)
        counts = {"films": len(films), "positive": int(films["label"].sum()), "patients": films["patient_id"].nunique()}
        for name, value in figures.items():
            low, high = intervals[name] if len(films) > 1 else (np.nan, np.nan)
            rows.append({"group": group, **counts, "figure": name, "value": value, "low": low, "high": high})
    return pd.DataFrame(rows)


def are_too_few(row: pd.Series) -> bool:
    """Whether a figure rests on fewer films than `FEW` of the class that it is about."""
    positive, negative = row["positive"], row["films"] - row["positive"]
    enough = {"positive": positive, "negative": negative, "both": min(positive, negative), "any": row["films"]}
    return bool(np.isnan(row["value"]) or enough[NEEDS[row["figure"]]] < FEW)


def card_figures(metrics: dict) -> tuple[str, dict[str, float]]:
    """Take the figures that a model's card holds: of test where it was opened, else of val.

    Returns:
        The split's name, and values by figure; predictive values are not among them, for they go by prevalence.
    """
    split = next((name for name in ("test", "val", *metrics) if name in metrics), "")
    figures = {name: figure["value"] for name, figure in metrics.get(split, {}).get("figures", {}).items()}
    return split, {name: figures[name] for name in NEEDS if name in figures}
