"""Parts of the training split, patient by patient: recipes are chosen where there are positives enough to choose by."""

import hashlib
import re

import numpy as np
import pandas as pd

from training.data.lineage import NOBODY, UNKNOWN
from training.errors import TrainingDataError

VALIDATED = ("expert", "reader")
"""What the label sources begin with whose films a fold is validated on; of others the label is not sure enough."""


def split_fold(table: pd.DataFrame, rows: np.ndarray, fold: str) -> tuple[np.ndarray, np.ndarray]:
    """Split films into those to learn from and those of one fold.

    Args:
        table: A prepared folder's films.
        rows: Row numbers of the films to split.
        fold: "k/K": the k-th of K folds, counted from 1.

    Returns:
        Row numbers of all other folds, and of the fold's films that a person has read.

    Raises:
        TrainingDataError: If `fold` is none, or fewer patients than folds have a positive film, or a negative one.
    """
    number, count = _parsed(fold)
    folds = fold_numbers(table, rows, count)
    read = table["label_source"].str.startswith(VALIDATED).to_numpy()[rows]
    return rows[folds != number], rows[(folds == number) & read]


def fold_numbers(table: pd.DataFrame, rows: np.ndarray, count: int) -> np.ndarray:
    """Give every film the fold of its patient, 1 to `count`.

    Patients with a positive film are dealt first, those with most before the others, each to the fold that has the
    fewest positive films; then the other patients, each to the fold that has the fewest films. Among equals the hash
    of the patient's id decides, so that the same films have the same folds everywhere. Films of unknown patients are
    in no fold (0): all learn from them.

    Args:
        table: A prepared folder's films.
        rows: Row numbers of the films.
        count: Number of folds.

    Returns:
        int (N,), in the order of `rows`.

    Raises:
        TrainingDataError: If fewer patients than folds have a positive film, or a negative one, or an id names nobody.
    """
    films = table.iloc[rows]
    known = films[~films["patient_id"].str.startswith(UNKNOWN)]
    nobody = known[known["patient_id"].str.lower().isin(NOBODY)]
    if len(nobody):
        raise TrainingDataError(
            f"{len(nobody)} film(s) have the patient_id {nobody.iloc[0]['patient_id']!r}, which names nobody: folds "
            "are made by patient. Leave it empty where the patient is unknown, and prepare again."
        )
    patients = known.groupby("patient_id")["label"].agg(["sum", "size"])
    patients["hash"] = [hashlib.sha256(str(patient).encode()).hexdigest() for patient in patients.index]
    patients = patients.sort_values(["sum", "size", "hash"], ascending=[False, False, True])
    for name, with_one in {"a positive": patients["sum"] > 0, "a negative": patients["size"] > patients["sum"]}.items():
        if with_one.sum() < count:
            raise TrainingDataError(
                f"{count} folds need as many patients with {name} film at least; there are {with_one.sum()}."
            )
    loads = np.zeros((count, 2), dtype=int)
    chosen = {}
    for patient, positive, size in zip(patients.index, patients["sum"], patients["size"], strict=True):
        own = min(range(count), key=lambda fold: (loads[fold, 0] if positive else 0, loads[fold, 1], fold))
        loads[own] += (positive, size)
        chosen[patient] = own + 1
    return films["patient_id"].map(chosen).fillna(0).astype(int).to_numpy()


def _parsed(fold: str) -> tuple[int, int]:
    parts = re.fullmatch(r"(\d+)/(\d+)", fold)
    number, count = map(int, parts.groups()) if parts else (0, 0)
    if not 1 <= number <= count or count < 2:
        raise TrainingDataError(f"A fold is written as 2/5, the second of five, not {fold!r}.")
    return number, count
