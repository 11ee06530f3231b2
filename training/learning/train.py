"""The training loop, readable from top to bottom.

The same command runs on one CPU, one GPU, or several processes and hosts: Lightning Fabric places
the tensors and averages the gradients. Every film's augmentation and every micro-batch's dropout
have seeds of their own, so the course of a run does not depend on how many processes share it.
"""

import math
import subprocess
from dataclasses import asdict
from datetime import date
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric
from lightning_fabric.loggers import CSVLogger, TensorBoardLogger
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader
from tqdm import tqdm

from app.segmentation.checkpoint import CheckpointMetadata, save_checkpoint
from app.segmentation.network.preprocessing import PreprocessingConfig
from training.data.dataset import FilmDataset
from training.data.films import PreparedFilms, hard_negatives
from training.data.folds import split_fold
from training.data.lineage import demand_both_classes, demand_clean_lineage, describe_films
from training.data.sampling import BalancedBatches, patient_weights
from training.learning.config import TrainingConfig
from training.learning.initialisation import initial_model
from training.learning.losses import SegmentationLoss
from training.learning.progress import EpochFigures
from training.learning.schedule import dropout_seed, learning_rate, positive_share, steps_before
from training.learning.validation import ANSWERS_FILE, BATCH_SIZE, answer_films, summarise

STATE_FILE = "last.ckpt"
BEST_FILE = "best.safetensors"
EPOCHS_FOLDER = "epochs"
FREE_SETTINGS = (
    *("data", "run", "start", "model"),  # the last two stand in the checkpoint's provenance and header
    *("workers", "accelerator", "devices", "num_nodes", "strategy", "precision", "log_every", "keep_epochs"),
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
    loggers = [
        CSVLogger(config.run, name="csv", flush_logs_every_n_steps=1),
        TensorBoardLogger(config.run, name="tensorboard"),
    ]
    fabric = Fabric(
        accelerator=config.accelerator,
        devices=config.devices,
        num_nodes=config.num_nodes,
        strategy=config.strategy,
        precision=config.precision,
        loggers=loggers,
    )
    fabric.launch()

    films = PreparedFilms.open(config.data)
    learnt_from, held_out = choose_films(films, config)
    preprocessing = PreprocessingConfig(config.image_size)
    batches = BalancedBatches(
        films.table["label"].to_numpy(),
        learnt_from,
        steps=config.steps_per_epoch,
        batch_size=config.batch_size,
        micro_batch=config.micro_batch,
        seed=config.seed,
        hard=hard_negatives(films.table),
        hard_share=config.hard_negative_share,
        weights=patient_weights(films.table["patient_id"], config.patient_exponent),
        process=fabric.global_rank,
        processes=fabric.world_size,
    )
    dataset = FilmDataset(films, preprocessing, config.window)
    loader = fabric.setup_dataloaders(
        DataLoader(dataset, batch_sampler=batches, num_workers=config.workers), use_distributed_sampler=False
    )

    torch.manual_seed(config.seed)
    network, model_config, origin = initial_model(config.start, config.model)
    network = network.to(fabric.device, memory_format=torch.channels_last)
    average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(config.ema_decay), use_buffers=True)
    optimizer = torch.optim.AdamW(network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)
    model, optimizer = fabric.setup(network, optimizer)
    loss_function = SegmentationLoss(config.loss)
    settings = deciding_settings(config)
    made_by = {
        **{"date": date.today().isoformat(), "commit": commit(), "started_from": origin, "settings": settings},
        "data": describe_films(films.table, learnt_from),
    }

    state = {"model": model, "average": average, "optimizer": optimizer, "epoch": 0, "best": -1.0, "settings": settings}
    if (config.run / STATE_FILE).is_file():
        fabric.load(config.run / STATE_FILE, state)
        _demand_same(state["settings"], settings, config.run)
        fabric.print(f"Going on after epoch {state['epoch']} of {config.epochs}.")

    while state["epoch"] < config.epochs:
        epoch = state["epoch"]
        batches.epoch = epoch
        batches.positive_share = positive_share(config, epoch)
        model.train()
        _train_epoch(fabric, config, epoch, loader, model, average, optimizer, loss_function)
        state["epoch"] = epoch + 1

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
    for logger in loggers:
        logger.finalize("success")


def choose_films(films: PreparedFilms, config: TrainingConfig) -> tuple[np.ndarray, np.ndarray]:
    """Name the films to learn from and those to validate on, or say what is wrong with them.

    Returns:
        Row numbers of both.

    Raises:
        TrainingDataError: If one of them lacks a class, or a patient is on both sides or may be.
    """
    learnt_from, held_out = films.rows("train", config.label_sources), films.rows("val", ["expert_mask"])
    demand_clean_lineage(films.table, learnt_from, config.unknown_patients)
    what = "Val (of the label source expert_mask)"
    if config.fold:
        learnt_from, held_out = split_fold(films.table, learnt_from, config.fold)
        what = f"Fold {config.fold}"
    demand_both_classes(films.table, learnt_from, "Train (of the label sources that are asked for)")
    demand_both_classes(films.table, held_out, what)
    return learnt_from, held_out


def _train_epoch(fabric, config, epoch, loader, model, average, optimizer, loss_function) -> None:
    micro_batches = config.batch_size // (config.micro_batch * fabric.world_size)
    arriving = iter(loader)
    seen = EpochFigures()
    steps = range(config.steps_per_epoch)
    for step in tqdm(steps, desc=f"epoch {epoch + 1}/{config.epochs}", unit="step", disable=not fabric.is_global_zero):
        rate = learning_rate(config, steps_before(config, epoch) + step)
        for group in optimizer.param_groups:
            group["lr"] = rate
        sums: dict[str, torch.Tensor] = {}
        for part in range(micro_batches):
            image, true_mask, true_label, _ = next(arriving)
            position = (steps_before(config, epoch) + step) * micro_batches + part
            torch.manual_seed(dropout_seed(config.seed, position * fabric.world_size + fabric.global_rank))
            with fabric.no_backward_sync(model, enabled=part + 1 < micro_batches):
                mask_logits, image_logits = model(image.contiguous(memory_format=torch.channels_last))
                terms = loss_function(mask_logits, image_logits, true_mask, true_label)
                fabric.backward(terms["loss"] / micro_batches)
            seen.add(mask_logits, image_logits, true_mask, true_label, terms["loss"])
            for name, term in terms.items():
                sums[name] = sums.get(name, 0) + term.detach() / micro_batches
        optimizer.step()
        optimizer.zero_grad()
        average.update_parameters(model.module)
        if (step + 1) % config.log_every == 0:
            losses = fabric.all_reduce(sums, reduce_op="mean")
            figures = {f"train/{name}": value.item() for name, value in losses.items()}
            fabric.log_dict({**figures, "learning_rate": rate}, step=steps_before(config, epoch) + step + 1)
            if not math.isfinite(figures["train/loss"]):
                raise FloatingPointError(f"The loss became {figures['train/loss']}; lower the learning rate.")
    whole = {f"train_epoch/{name}": value for name, value in seen.figures(fabric.all_gather).items()}
    fabric.log_dict(whole, step=steps_before(config, epoch + 1))


def deciding_settings(config: TrainingConfig) -> dict:
    """Every setting that decides what weights come out; not where data lie, nor what the run is shared between."""
    return {name: value for name, value in asdict(config).items() if name not in FREE_SETTINGS}


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
