"""What a training loop needs, made of its settings."""

from typing import Any, cast

import numpy as np
import torch
from lightning_fabric import Fabric
from lightning_fabric.loggers import CSVLogger, TensorBoardLogger
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader

from app.segmentation.network.preprocessing import PreprocessingConfig
from training.data.dataset import FilmDataset
from training.data.films import PreparedFilms, hard_negatives
from training.data.sampling import BalancedBatches
from training.errors import UserError
from training.learning.config import TrainingConfig
from training.learning.distillation import Teachers
from training.learning.epoch import Learner
from training.learning.findings import WithFindings, finding_targets
from training.learning.losses import SegmentationLoss
from training.learning.mining import FalseAlarms


def make_fabric(config: TrainingConfig) -> Fabric:
    """Choose where the run computes and logs, and start its other processes."""
    try:
        fabric = _fabric(config)
    except (ValueError, RuntimeError) as error:  # no such accelerator, strategy or precision, or none here
        raise UserError(f"This cannot be computed on: {' '.join(str(error).split())}") from error
    fabric.launch()
    return fabric


def _fabric(config: TrainingConfig) -> Fabric:
    return Fabric(
        accelerator=config.accelerator,
        devices=config.devices,
        num_nodes=config.num_nodes,
        strategy=config.strategy,
        precision=cast(Any, config.precision),
        loggers=[
            CSVLogger(config.run, name="csv", flush_logs_every_n_steps=1),
            TensorBoardLogger(config.run, name="tensorboard"),
        ],
    )


def make_loader(
    fabric: Fabric, config: TrainingConfig, films: PreparedFilms, rows: np.ndarray, weights: np.ndarray
) -> tuple[BalancedBatches, Any]:
    """Choose what every epoch shows of some films, drawn as often as their weights say, and load it."""
    batches = BalancedBatches(
        films.table["label"].to_numpy(),
        rows,
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
    dataset = FilmDataset(films, PreprocessingConfig(config.image_size), config.window)
    loader = DataLoader(dataset, batch_sampler=batches, num_workers=config.workers)
    return batches, fabric.setup_dataloaders(loader, use_distributed_sampler=False)


def make_learner(fabric: Fabric, config: TrainingConfig, films: PreparedFilms, network: torch.nn.Module) -> Learner:
    """Put a network, its averaged weights, its optimiser and its losses where the run computes."""
    network = let_learn(network, config.parts)
    network = network.to(fabric.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(config.ema_decay), use_buffers=True)
    with_findings = config.loss.findings > 0
    learning = WithFindings(network).to(fabric.device) if with_findings else network
    parameters = [parameter for parameter in learning.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=config.learning_rate, weight_decay=config.weight_decay)
    model, optimizer = fabric.setup(learning, optimizer)
    return Learner(
        fabric=fabric,
        config=config,
        model=model,
        network=network,
        average=average,
        optimizer=optimizer,
        loss_function=SegmentationLoss(config.loss),
        findings=finding_targets(films.table).to(fabric.device) if with_findings else None,
        alarms=FalseAlarms(films.table["label"].to_numpy()),
        teachers=Teachers(config.teachers, config.teacher_share, fabric.device),
    )


def let_learn(network: torch.nn.Module, parts: tuple[str, ...]) -> torch.nn.Module:
    """Fix all weights but those of some parts; no parts: none is fixed.

    Raises:
        UserError: If the network has no such part.
    """
    known = [name for name, _ in network.named_children()]
    if unknown := set(parts) - set(known):
        raise UserError(f"The network has no part {', '.join(sorted(unknown))}; it has {', '.join(known)}.")
    for name, child in network.named_children():
        child.requires_grad_(not parts or name in parts)
    return network
