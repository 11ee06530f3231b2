"""The training loop, readable from top to bottom.

The same command runs on one CPU, one GPU, or several processes and hosts: Lightning Fabric places
the tensors and averages the gradients. Every film's augmentation and every micro-batch's dropout
have seeds of their own, so the course of a run does not depend on how many processes share it.
"""

import time
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric

from app.segmentation.checkpoint import CheckpointMetadata, save_checkpoint
from app.segmentation.network.preprocessing import PreprocessingConfig
from training.data.films import PreparedFilms
from training.errors import UserError
from training.learning.config import TrainingConfig
from training.learning.epoch import Learner, train_epoch
from training.learning.initialisation import initial_model
from training.learning.provenance import made_by, seen_after
from training.learning.schedule import positive_share, steps_before, with_steps
from training.learning.selection import choose_films, draw_weights
from training.learning.setup import make_fabric, make_learner, make_loader
from training.learning.validation import ANSWERS_FILE, BATCH_SIZE, answer_films, summarise

STATE_FILE = "last.ckpt"
BEST_FILE = "best.safetensors"
EPOCHS_FOLDER = "epochs"


def train(config: TrainingConfig) -> None:
    """Train a network, or go on with a training that was interrupted.

    Leaves in `config.run`: `last.ckpt` (state to resume from), `best.safetensors` (averaged weights
    of the best epoch on the validation films), `answers.csv` (to these films, at the last epoch) and logs for
    CSV readers and TensorBoard; with `keep_epochs`, also `epochs/`, the averaged weights of every epoch.

    Args:
        config: Every choice of the run.
    """
    started = time.monotonic()
    films = PreparedFilms.open(config.data)
    learnt_from, held_out = choose_films(films, config)  # before the first step, and before a run's folder is made
    config = with_steps(config, len(learnt_from))
    fabric = make_fabric(config)
    weights = draw_weights(films, learnt_from, config)
    batches, loader = make_loader(fabric, config, films, learnt_from, weights)

    torch.manual_seed(config.seed)
    network, model_config, origin = initial_model(config.start, config.model)
    learner = make_learner(fabric, config, films, network)
    made = made_by(config, origin, films, learnt_from)
    state: dict[str, Any] = {"model": learner.model, "average": learner.average, "optimizer": learner.optimizer}
    state |= {"epoch": 0, "best": -1.0, "settings": made["settings"], "alarms": learner.alarms.scores}
    if (config.run / STATE_FILE).is_file():
        _load_state(fabric, state, config.run / STATE_FILE)
        _demand_same(state["settings"], made["settings"], config.run)
        learner.alarms.scores = state["alarms"]
        fabric.print(f"Going on after epoch {state['epoch']} of {config.epochs}.")

    while state["epoch"] < config.epochs:
        epoch = state["epoch"]
        batches.epoch, batches.positive_share = epoch, positive_share(config, epoch)
        batches.weights = weights * learner.alarms.weights(config.mining)
        train_epoch(learner, epoch, loader)
        state |= {"epoch": epoch + 1, "alarms": learner.alarms.scores}
        if fabric.is_global_zero:
            figures = _measure(learner, films, held_out, epoch + 1)
            provenance = {**made, **seen_after(config, epoch + 1, origin)}
            preprocessing = PreprocessingConfig(config.image_size)
            metadata = CheckpointMetadata(config.run.name, model_config, preprocessing, provenance=provenance)
            _keep(learner, metadata, epoch + 1, best=figures["selection"] >= state["best"])
            state["best"] = max(state["best"], figures["selection"])
        _save_state(fabric, state, config.run)
        if config.minutes is not None and fabric.broadcast(time.monotonic() - started) > 60 * config.minutes:
            fabric.print(f"Stopped after epoch {state['epoch']} of {config.epochs}: {config.minutes} minutes are over.")
            break
    for logger in fabric.loggers:
        logger.finalize("success")


def _measure(learner: Learner, films: PreparedFilms, rows: np.ndarray, epochs: int) -> dict[str, float]:
    """Answer the validation films by the averaged weights, and log and print how well they do."""
    config, network = learner.config, learner.average.module.eval()
    preprocessing = PreprocessingConfig(config.image_size)
    answers, seen = answer_films(network, films, preprocessing, learner.loss_function, BATCH_SIZE, rows)
    answers.to_csv(config.run / ANSWERS_FILE, index=False, float_format="%.5f")
    figures = summarise(answers, seen)
    named = {f"val/{name}": value for name, value in figures.items()}
    learner.fabric.log_dict(named, step=steps_before(config, epochs))
    print(f"epoch {epochs}: " + "  ".join(f"{name} {value:.4f}" for name, value in figures.items()), flush=True)
    return figures


def _keep(learner: Learner, metadata: CheckpointMetadata, epochs: int, best: bool) -> None:
    """Write the averaged weights where they are to be kept."""
    run, network = learner.config.run, learner.average.module
    if learner.config.keep_epochs:
        (run / EPOCHS_FOLDER).mkdir(exist_ok=True)
        save_checkpoint(run / EPOCHS_FOLDER / f"{epochs:03d}.safetensors", network, metadata)
    if best:
        save_checkpoint(run / BEST_FILE, network, metadata)


def _save_state(fabric: Fabric, state: dict, run: Path) -> None:
    """Write what a run goes on from; one that is killed while it writes keeps the state it had."""
    fabric.barrier()
    fabric.save(run / f"{STATE_FILE}.new", state)
    fabric.barrier()
    if fabric.is_global_zero:
        (run / f"{STATE_FILE}.new").replace(run / STATE_FILE)


def _load_state(fabric: Fabric, state: dict, path: Path) -> None:
    try:
        fabric.load(path, state)
    except (UnpicklingError, EOFError, KeyError, RuntimeError, ValueError) as error:
        raise UserError(
            f"{path} is no state of this training, or damaged; remove it, or take another folder."
        ) from error


def _demand_same(before: dict, now: dict, run: Path) -> None:
    changed = {name: (before.get(name), value) for name, value in now.items() if before.get(name) != value}
    if changed:
        raise UserError(f"{run} was begun with other settings (before, now): {changed}. Take another folder.")
