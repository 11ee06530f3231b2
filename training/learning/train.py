"""The training loop, readable from top to bottom.

The same command runs on one CPU, one GPU, or several processes and hosts: Lightning Fabric places
the tensors and averages the gradients. Every film's augmentation and every micro-batch's dropout
have seeds of their own, so the course of a run does not depend on how many processes share it.
"""

import hashlib
import subprocess
import time
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any, cast

import torch
from lightning_fabric import Fabric
from lightning_fabric.loggers import CSVLogger, TensorBoardLogger
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader

from app.segmentation.checkpoint import CheckpointMetadata, save_checkpoint
from app.segmentation.network.preprocessing import PreprocessingConfig
from training.data.dataset import FilmDataset
from training.data.films import PreparedFilms, hard_negatives
from training.data.lineage import describe_films
from training.data.sampling import BalancedBatches
from training.learning.config import TrainingConfig
from training.learning.distillation import Teachers
from training.learning.epoch import Learner, train_epoch
from training.learning.findings import WithFindings, finding_targets
from training.learning.initialisation import initial_model
from training.learning.losses import SegmentationLoss
from training.learning.mining import FalseAlarms
from training.learning.schedule import positive_share, steps_before
from training.learning.selection import choose_films, draw_weights
from training.learning.validation import ANSWERS_FILE, BATCH_SIZE, answer_films, summarise

STATE_FILE = "last.ckpt"
BEST_FILE = "best.safetensors"
EPOCHS_FOLDER = "epochs"
FREE_SETTINGS = (
    *("data", "run", "start", "model"),  # the last two stand in the checkpoint's provenance and header
    *("workers", "accelerator", "devices", "num_nodes", "strategy", "precision", "log_every", "minutes", "keep_epochs"),
)
"""What may change when a run goes on."""


def train(config: TrainingConfig) -> None:
    """Train a network, or go on with a training that was interrupted.

    Leaves in `config.run`: `last.ckpt` (state to resume from), `best.safetensors` (averaged weights
    of the best epoch on the validation split) and logs for CSV readers and TensorBoard; with
    `keep_epochs`, also `epochs/`, the averaged weights of every epoch.

    Args:
        config: Every choice of the run.
    """
    started = time.monotonic()
    loggers = [
        CSVLogger(config.run, name="csv", flush_logs_every_n_steps=1),
        TensorBoardLogger(config.run, name="tensorboard"),
    ]
    fabric = Fabric(
        accelerator=config.accelerator,
        devices=config.devices,
        num_nodes=config.num_nodes,
        strategy=config.strategy,
        precision=cast(Any, config.precision),
        loggers=loggers,
    )
    fabric.launch()

    films = PreparedFilms.open(config.data)
    learnt_from, held_out = choose_films(films, config)
    preprocessing = PreprocessingConfig(config.image_size)
    labels, weights = films.table["label"].to_numpy(), draw_weights(films, learnt_from, config)
    batches = BalancedBatches(
        labels,
        learnt_from,
        steps=config.steps_per_epoch,
        batch_size=config.batch_size,
        micro_batch=config.micro_batch,
        seed=config.seed,
        hard=hard_negatives(films.table),
        hard_share=config.hard_negative_share,
        weights=weights,
        process=fabric.global_rank,
        processes=fabric.world_size,
    )
    dataset = FilmDataset(films, preprocessing, config.window)
    loader = fabric.setup_dataloaders(
        DataLoader(dataset, batch_sampler=batches, num_workers=config.workers), use_distributed_sampler=False
    )

    torch.manual_seed(config.seed)
    network, model_config, origin = initial_model(config.start, config.model)
    network = let_learn(network, config.parts)
    network = network.to(fabric.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(config.ema_decay), use_buffers=True)
    with_findings = config.loss.findings > 0
    learning = WithFindings(network).to(fabric.device) if with_findings else network
    parameters = [parameter for parameter in learning.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=config.learning_rate, weight_decay=config.weight_decay)
    model, optimizer = fabric.setup(learning, optimizer)
    loss_function = SegmentationLoss(config.loss)
    findings = finding_targets(films.table).to(fabric.device) if with_findings else None
    alarms = FalseAlarms(labels)
    teachers = Teachers(config.teachers, config.teacher_share, fabric.device)
    learner = Learner(fabric, config, model, network, average, optimizer, loss_function, findings, alarms, teachers)
    settings = deciding_settings(config)
    made_by = {
        **{"date": date.today().isoformat(), "commit": commit(), "started_from": origin, "settings": settings},
        "data": describe_films(films.table, learnt_from),
    }

    state = {"model": model, "average": average, "optimizer": optimizer, "epoch": 0, "best": -1.0}
    state |= {"settings": settings, "alarms": alarms.scores}
    if (config.run / STATE_FILE).is_file():
        fabric.load(config.run / STATE_FILE, state)
        _demand_same(state["settings"], settings, config.run)
        alarms.scores = state["alarms"]
        fabric.print(f"Going on after epoch {state['epoch']} of {config.epochs}.")

    while state["epoch"] < config.epochs:
        epoch = state["epoch"]
        batches.epoch = epoch
        batches.positive_share = positive_share(config, epoch)
        batches.weights = weights * alarms.weights(config.mining)
        train_epoch(learner, epoch, loader)
        state |= {"epoch": epoch + 1, "alarms": alarms.scores}

        if fabric.is_global_zero:
            answers, measured = answer_films(
                average.module.eval(), films, preprocessing, loss_function, BATCH_SIZE, held_out
            )
            answers.to_csv(config.run / ANSWERS_FILE, index=False, float_format="%.5f")
            figures = summarise(answers, measured)
            fabric.log_dict(
                {f"val/{name}": value for name, value in figures.items()}, step=steps_before(config, epoch + 1)
            )
            print(
                f"epoch {epoch + 1}: " + "  ".join(f"{name} {value:.4f}" for name, value in figures.items()), flush=True
            )
            seen = steps_before(config, epoch + 1) * config.batch_size
            made = {
                **made_by,
                "epoch": epoch + 1,
                "films_seen": seen,
                "windows_seen": seen if config.window.size else 0,
            }
            metadata = CheckpointMetadata(config.run.name, model_config, preprocessing, provenance=made)
            if config.keep_epochs:
                (config.run / EPOCHS_FOLDER).mkdir(exist_ok=True)
                save_checkpoint(config.run / EPOCHS_FOLDER / f"{epoch + 1:03d}.safetensors", average.module, metadata)
            if figures["selection"] >= state["best"]:
                state["best"] = figures["selection"]
                save_checkpoint(config.run / BEST_FILE, average.module, metadata)
        fabric.barrier()
        fabric.save(config.run / f"{STATE_FILE}.new", state)
        fabric.barrier()
        if fabric.is_global_zero:  # a run that is killed while it writes keeps the state it had
            (config.run / f"{STATE_FILE}.new").replace(config.run / STATE_FILE)
        if config.minutes is not None and fabric.broadcast(time.monotonic() - started) > 60 * config.minutes:
            fabric.print(f"Stopped after epoch {state['epoch']} of {config.epochs}: {config.minutes} minutes are over.")
            break
    for logger in loggers:
        logger.finalize("success")


def let_learn(network: torch.nn.Module, parts: tuple[str, ...]) -> torch.nn.Module:
    """Fix all weights but those of some parts; no parts: none is fixed.

    Raises:
        ValueError: If the network has no such part.
    """
    known = [name for name, _ in network.named_children()]
    if unknown := set(parts) - set(known):
        raise ValueError(f"The network has no part {', '.join(sorted(unknown))}; it has {', '.join(known)}.")
    for name, child in network.named_children():
        child.requires_grad_(not parts or name in parts)
    return network


def deciding_settings(config: TrainingConfig) -> dict:
    """Every setting that decides what weights come out; not where data lie, nor what the run is shared between."""
    settings = {name: value for name, value in asdict(config).items() if name not in FREE_SETTINGS}
    return {**settings, "teachers": [hashlib.sha256(path.read_bytes()).hexdigest() for path in config.teachers]}


def commit() -> str:
    """Name the commit of the code, marked where it was changed since; "unknown" outside a checkout."""
    command = ["git", "describe", "--always", "--dirty"]
    return (
        subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parent).stdout.strip() or "unknown"
    )


def _demand_same(before: dict, now: dict, run: Path) -> None:
    changed = {name: (before.get(name), value) for name, value in now.items() if before.get(name) != value}
    if changed:
        raise ValueError(f"{run} was begun with other settings (before, now): {changed}. Take another folder.")
