"""Search of settings by Optuna (optional: `pip install -r training/requirements-search.txt`)."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from training.data.films import PreparedFilms
from training.data.folds import split_fold
from training.data.subset import write_subset
from training.errors import UserError
from training.learning.config import TrainingConfig
from training.learning.train import train
from training.learning.validation import ANSWERS_FILE, summarise


def search(
    data: Path,
    run: Path,
    start: str = "lite0",
    trials: int = 20,
    fold: str = "1/5",
    epochs: int = 2,
    steps: int = 200,
    image_size: int = 512,
    window: int = 256,
    seed: int = 0,
) -> None:
    """Search learning rate, weight decay and share of positives by Optuna, on a fold of train: val and test stay shut.

    Args:
        data: Prepared folder.
        run: Folder of the search: its study, and a training for each trial. The same command goes on.
        start: As of `train`.
        trials: How many trainings there are to be in all.
        fold: Whose films judge a trial, "1/5"; the other folds teach.
        epochs: Of each training.
        steps: Of each epoch.
        image_size: Side of the network input, in pixels.
        window: Side of windows, in pixels; 0: whole films.
        seed: Of the search.
    """
    try:
        import optuna
    except ImportError as error:
        raise UserError("search needs Optuna: pip install -r training/requirements-search.txt.") from error
    films = PreparedFilms.open(data)
    learnt_from, judged_by = split_fold(films.table, films.rows("train"), fold)
    write_subset(data, run / "films", train=learnt_from, val=judged_by)  # no row of val or test is in the folder
    base = TrainingConfig(run / "films", run, start=start, image_size=image_size, epochs=epochs, seed=seed)
    base = replace(base, steps_per_epoch=steps, window=replace(base.window, size=window), patient_exponent=0.5)

    def merit(trial: Any) -> float:
        share = trial.suggest_float("positive_share", 0.3, 0.7)
        config = replace(
            base,
            run=run / f"trial-{trial.number:03d}",
            learning_rate=trial.suggest_float("learning_rate", 1e-4, 3e-3, log=True),
            weight_decay=trial.suggest_float("weight_decay", 1e-3, 0.1, log=True),
            positive_share=(share, share),
        )
        train(config)
        answers = pd.read_csv(config.run / ANSWERS_FILE, dtype={"image_id": str, "patient_id": str})
        return float(np.float64(summarise(answers, {})["selection"]))

    storage = f"sqlite:///{(run / 'search.sqlite').absolute()}"
    sampler = optuna.samplers.TPESampler(seed=seed)
    study = optuna.create_study(
        study_name="search", storage=storage, direction="maximize", load_if_exists=True, sampler=sampler
    )
    done = len([trial for trial in study.trials if trial.state.is_finished()])
    study.optimize(merit, n_trials=max(0, trials - done))
    flags = " ".join(f"--{name} {value:.4g}" for name, value in study.best_params.items() if name != "positive_share")
    share = study.best_params["positive_share"]
    print(f"best of {len(study.trials)}: selection {study.best_value:.4f}")
    print(f"next: python -m training train --data {data} {flags} --positive_share '[{share:.3f},{share:.3f}]' --run …")
