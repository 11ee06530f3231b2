"""Whose films a network learns from: none of a patient whom it is tested on.

A network that has seen a patient on another day is measured too kindly: of 200 films of unknown patients that were
recognised later, 53 belonged to patients of val, test or a third set, and the figures rose by some 0.02.
"""

import hashlib

import numpy as np
import pandas as pd

from training.data.tables import some
from training.errors import TrainingDataError

UNKNOWN = "unknown: "
"""What a patient id begins with where the source gives none; the film's own id follows."""
NOBODY = frozenset(
    "anon anonym anonymous anonymized anonymised unknown none null nan na n/a nn xxx test patient ? - 0".split()
)
"""What is written in place of a patient's id, in small letters."""


def patient_or_unknown(patient_id: str | None, image_id: str) -> str:
    """Take a patient's id, or mark a film whose patient is unknown."""
    return patient_id or f"{UNKNOWN}{image_id}"


def demand_clean_lineage(table: pd.DataFrame, rows: np.ndarray, unknown_patients: bool = False) -> None:
    """Refuse to learn from patients of the validation or test split.

    Args:
        table: A prepared folder's films.
        rows: Row numbers of the films to learn from.
        unknown_patients: Whether films of unknown patients may be among them; they may be anybody's.

    Raises:
        TrainingDataError: If a patient is on both sides, or may be.
    """
    held_out = table.loc[table["split"].isin(["val", "test"]), "patient_id"]
    learnt = table.iloc[rows]
    shared = sorted(set(learnt["patient_id"]) & set(held_out))
    if shared:
        raise TrainingDataError(
            f"{len(shared)} patient(s) of train are in val or test, too: {some(shared)}. Put all films of a patient "
            "into one split, and prepare again."
        )
    val, test = (set(table.loc[table["split"] == split, "patient_id"]) for split in ("val", "test"))
    if both := sorted(val & test):
        raise TrainingDataError(
            f"{len(both)} patient(s) are in val and in test: {some(both)}. Put all films of a patient into one split, "
            "and prepare again."
        )
    strangers = learnt.loc[learnt["patient_id"].str.startswith(UNKNOWN), "image_id"]
    known = ~held_out.str.startswith(UNKNOWN)
    if len(strangers) and known.any() and not unknown_patients:
        raise TrainingDataError(
            f"{len(strangers)} film(s) of train have no patient_id, and may be of patients in val or test: "
            f"{some(list(strangers))}. Find their patients, leave them out, or say --unknown_patients true."
        )


def demand_both_classes(table: pd.DataFrame, rows: np.ndarray, what: str) -> None:
    """Refuse a set of films that has no positive or no negative one.

    Raises:
        TrainingDataError: If it has not both.
    """
    labels = table["label"].to_numpy()[rows]
    positive, negative = int((labels == 1).sum()), int((labels == 0).sum())
    if not positive or not negative:
        raise TrainingDataError(
            f"{what} needs films with a pneumothorax and films without; it has {positive} and {negative}."
        )


def describe_films(table: pd.DataFrame, rows: np.ndarray) -> dict:
    """Say which films a network learns from, for its provenance.

    Returns:
        "films", "positive", "patients", "positive_patients", "unknown_patients" (films), "by_source" (films and
        positives of each label source) and "sha256" of the sorted image ids: the same films have the same.
    """
    learnt = table.iloc[rows]
    positive = learnt[learnt["label"] == 1]
    by_source = learnt.groupby("label_source")["label"].agg(["size", "sum"])
    return {
        "films": len(learnt),
        "positive": len(positive),
        "patients": int(learnt["patient_id"].nunique()),
        "positive_patients": int(positive["patient_id"].nunique()),
        "unknown_patients": int(learnt["patient_id"].str.startswith(UNKNOWN).sum()),
        "by_source": {source: [int(row["size"]), int(row["sum"])] for source, row in by_source.iterrows()},
        "sha256": hashlib.sha256("\n".join(sorted(learnt["image_id"])).encode()).hexdigest(),
    }
