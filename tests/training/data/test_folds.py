"""Folds by patient: each film in one, positives balanced, the same everywhere."""

import numpy as np
import pandas as pd
import pytest

from training.data.folds import fold_numbers, split_fold
from training.data.lineage import patient_or_unknown
from training.errors import TrainingDataError


def some_films() -> pd.DataFrame:
    """Films of 60 patients, the first 20 with 1 to 20 positive ones; one film is of an unknown patient."""
    rng = np.random.default_rng(0)
    rows = []
    for patient in range(60):
        for _ in range(patient + 1 if patient < 20 else int(rng.integers(1, 6))):
            rows.append({"patient_id": f"p{patient}", "label": int(patient < 20)})
    rows.append({"patient_id": patient_or_unknown("", "stray"), "label": 1})
    sources = np.where(np.arange(len(rows)) % 2, "expert_mask", "nih_report_text")
    return pd.DataFrame(rows).assign(label_source=sources)


TABLE = some_films()
ROWS = np.arange(len(TABLE))


def test_a_patient_is_in_one_fold_and_positives_are_balanced():
    folds = fold_numbers(TABLE, ROWS, 5)
    assert folds[-1] == 0 and set(folds[:-1]) == {1, 2, 3, 4, 5}
    assert (TABLE[:-1].assign(fold=folds[:-1]).groupby("patient_id")["fold"].nunique() == 1).all()
    positives = np.bincount(folds, weights=TABLE["label"])[1:]
    assert positives.max() - positives.min() <= 2
    films = np.bincount(folds)[1:]
    assert films.max() - films.min() <= 5


def test_folds_depend_on_patients_not_on_the_order_of_films():
    order = np.random.default_rng(1).permutation(ROWS)
    np.testing.assert_array_equal(fold_numbers(TABLE, order, 5), fold_numbers(TABLE, ROWS, 5)[order])


def test_every_read_film_is_held_out_once_and_never_learnt_from_then():
    held_out = []
    for number in range(1, 5):
        learnt, held = split_fold(TABLE, ROWS, f"{number}/4")
        patients = TABLE["patient_id"].to_numpy()
        assert not set(patients[learnt]) & set(patients[held])
        assert ROWS[-1] in learnt, "a film of an unknown patient is learnt from always"
        held_out += held.tolist()
    assert sorted(held_out) == [row for row in ROWS[:-1] if TABLE["label_source"][row] == "expert_mask"]


@pytest.mark.parametrize("fold", ["0/5", "6/5", "1/1", "2", "a/b"])
def test_what_is_no_fold_is_refused(fold):
    with pytest.raises(TrainingDataError, match="2/5"):
        split_fold(TABLE, ROWS, fold)


def test_too_few_patients_are_refused():
    with pytest.raises(
        TrainingDataError, match="21 folds need as many patients with a positive film at least; there are 20"
    ):
        split_fold(TABLE, ROWS, "1/21")
