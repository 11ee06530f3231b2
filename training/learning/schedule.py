"""What changes from step to step and from epoch to epoch: the learning rate, the share of positives."""

import math
from dataclasses import replace

import numpy as np

from training.learning.config import TrainingConfig


def learning_rate(config: TrainingConfig, step: int) -> float:
    """Linear warm-up, a plateau, then a cosine to zero."""
    total = steps_before(config, config.epochs)
    warmup = max(1, round(config.warmup_share * total))
    if step < warmup:
        return config.learning_rate * (step + 1) / warmup
    cooldown = max(1, min(total - warmup, round(config.cooldown_share * total)))
    cooled = max(0, step - (total - cooldown)) / cooldown
    return config.learning_rate * 0.5 * (1 + math.cos(math.pi * cooled))


def positive_share(config: TrainingConfig, epoch: int) -> float:
    """Go from the first epoch's share to the last one's in equal steps."""
    first, last = config.positive_share
    return first + (last - first) * epoch / max(config.epochs - 1, 1)


def with_steps(config: TrainingConfig, films: int) -> TrainingConfig:
    """Let an epoch be as long as its films are many, where no number of steps is asked for."""
    return config if config.steps_per_epoch else replace(config, steps_per_epoch=math.ceil(films / config.batch_size))


def steps_before(config: TrainingConfig, epoch: int) -> int:
    """Count the optimiser steps of all epochs before one, the first being 0."""
    return epoch * config.steps_per_epoch


def dropout_seed(seed: int, micro_batch: int) -> int:
    """Give every micro-batch of a run a seed of its own."""
    return int(np.random.SeedSequence([seed, micro_batch]).generate_state(1)[0])
