"""Which films a run learns from, which it is validated on, and how often each is drawn."""

import numpy as np

from training.data.films import PreparedFilms, hard_negatives
from training.data.folds import split_fold
from training.data.lineage import demand_both_classes, demand_clean_lineage
from training.data.sampling import patient_weights, with_view_share
from training.errors import TrainingDataError
from training.learning.config import TrainingConfig


def choose_films(films: PreparedFilms, config: TrainingConfig) -> tuple[np.ndarray, np.ndarray]:
    """Name the films to learn from and those to validate on, or say what is wrong with them.

    Returns:
        Row numbers of both.

    Raises:
        TrainingDataError: If one of them lacks a class, or a patient is on both sides or may be.
    """
    learnt_from, held_out = films.rows("train", config.label_sources), films.expert_rows("val")
    demand_clean_lineage(films.table, learnt_from, config.unknown_patients)
    what = "Val (of the label source expert_mask)"
    if config.fold:
        learnt_from, held_out = split_fold(films.table, learnt_from, config.fold)
        what = f"Fold {config.fold}"
    demand_both_classes(films.table, learnt_from, "Train (of the label sources that are asked for)")
    demand_both_classes(films.table, held_out, what)
    if config.hard_negative_share and not hard_negatives(films.table)[learnt_from].any():
        raise TrainingDataError(
            f"No film of train is a hard negative, whose report names a pneumothorax that nobody marked; leave out "
            f"--hard_negative_share {config.hard_negative_share}."
        )
    return learnt_from, held_out


def draw_weights(films: PreparedFilms, rows: np.ndarray, config: TrainingConfig) -> np.ndarray:
    """Say how often each film is to be drawn, by its patient and its view."""
    weights = patient_weights(films.table["patient_id"], config.patient_exponent)
    return weights if config.ap_share is None else with_view_share(weights, films.table, rows, config.ap_share)
