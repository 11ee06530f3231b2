"""One epoch of optimiser steps."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from lightning_fabric import Fabric
from torch.optim.swa_utils import AveragedModel
from tqdm import tqdm

from training.errors import UserError
from training.learning.config import TrainingConfig
from training.learning.distillation import Teachers
from training.learning.findings import findings_loss
from training.learning.losses import SegmentationLoss
from training.learning.mining import FalseAlarms
from training.learning.progress import EpochFigures
from training.learning.schedule import dropout_seed, learning_rate, steps_before


@dataclass(frozen=True)
class Learner:
    """Everything that a step changes or needs.

    Attributes:
        fabric: Places tensors, and joins processes.
        config: Every choice of the run.
        model: The network as Fabric set it up, with the head for findings around it where one learns.
        network: The network alone.
        average: Its averaged weights.
        optimizer: As Fabric set it up.
        loss_function: What is minimised.
        findings: float (films, findings) with NaN where no report is known; None: no head for them.
        alarms: How often each negative film was taken for a positive one.
        teachers: Networks that are learnt from, too.
    """

    fabric: Fabric
    config: TrainingConfig
    model: Any
    network: torch.nn.Module
    average: AveragedModel
    optimizer: torch.optim.Optimizer
    loss_function: SegmentationLoss
    findings: torch.Tensor | None
    alarms: FalseAlarms
    teachers: Teachers


def train_epoch(learner: Learner, epoch: int, loader: Iterable) -> None:
    """Take the steps of one epoch, the first being 0, and log them."""
    fabric, config = learner.fabric, learner.config
    micro_batches = config.batch_size // (config.micro_batch * fabric.world_size)
    arriving = iter(loader)
    seen = EpochFigures()
    learner.model.train()
    steps = range(config.steps_per_epoch)
    for step in tqdm(steps, desc=f"epoch {epoch + 1}/{config.epochs}", unit="step", disable=not fabric.is_global_zero):
        rate = learning_rate(config, steps_before(config, epoch) + step)
        for group in learner.optimizer.param_groups:
            group["lr"] = rate
        sums: dict[str, torch.Tensor] = {}
        for part in range(micro_batches):
            batch = next(arriving)  # before the seed: the first one draws from it
            position = (steps_before(config, epoch) + step) * micro_batches + part
            torch.manual_seed(dropout_seed(config.seed, position * fabric.world_size + fabric.global_rank))
            with fabric.no_backward_sync(learner.model, enabled=part + 1 < micro_batches):
                terms = _terms(learner, batch, seen)
                fabric.backward(terms["loss"] / micro_batches)
            for name, term in terms.items():
                sums[name] = sums.get(name, 0) + term.detach() / micro_batches
        learner.optimizer.step()
        learner.optimizer.zero_grad()
        learner.average.update_parameters(learner.network)
        if (step + 1) % config.log_every == 0:
            losses: Any = fabric.all_reduce(sums, reduce_op="mean")
            figures = {f"train/{name}": value.item() for name, value in losses.items()}
            fabric.log_dict({**figures, "learning_rate": rate}, step=steps_before(config, epoch) + step + 1)
            if not math.isfinite(figures["train/loss"]):
                raise UserError(f"The loss became {figures['train/loss']}; lower the learning rate.")
    gather: Any = fabric.all_gather  # it takes more than tensors
    learner.alarms.end_epoch(gather)
    whole = {f"train_epoch/{name}": value for name, value in seen.figures(gather).items()}
    fabric.log_dict(whole, step=steps_before(config, epoch + 1))


def _terms(learner: Learner, batch: tuple[torch.Tensor, ...], seen: EpochFigures) -> dict[str, torch.Tensor]:
    """Show a micro-batch to the network, and return the terms of its loss."""
    image, true_mask, true_label, rows = batch
    mask_logits, image_logits, *finding_logits = learner.model(image.contiguous(memory_format=torch.channels_last))
    terms = learner.loss_function(mask_logits, image_logits, *learner.teachers.blend(image, true_mask, true_label))
    if learner.findings is not None:
        terms["findings"] = findings_loss(finding_logits[0], learner.findings[rows])
        terms["loss"] = terms["loss"] + learner.config.loss.findings * terms["findings"]
    learner.alarms.add(rows, image_logits)
    seen.add(mask_logits, image_logits, true_mask, true_label, terms["loss"])
    return terms
