"""Which films an epoch shows, how often, and in what order.

Every draw carries its own seed, so that a film's augmentation depends neither on the number of
processes nor on the loader's workers, and a resumed run goes on exactly as it would have.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from torch.utils.data import Sampler

from training.errors import UserError


@dataclass(frozen=True)
class Draw:
    """One showing of a film: its row in the table, and the seed of its window and augmentation."""

    row: int
    seed: int


class BalancedBatches(Sampler[list[Draw]]):
    """The micro-batches that one process sees in one epoch.

    An epoch is `steps` optimiser steps of `batch_size` films, of which a given share is positive.
    Films are dealt from shuffled decks, one of positives and one of negatives, each film as often as its weight asks,
    up to one showing more or less. Negatives that look like positives may have a deck of their own, with a given
    share of the negatives. The batch of a step is cut into micro-batches, which are dealt to the processes in turn:
    with the same batch and micro-batch size, one process and several see the same films in the same company.
    """

    def __init__(
        self,
        labels: np.ndarray,
        rows: np.ndarray,
        *,
        steps: int,
        batch_size: int,
        micro_batch: int,
        seed: int,
        hard: np.ndarray | None = None,
        hard_share: float | None = None,
        weights: np.ndarray | None = None,
        process: int = 0,
        processes: int = 1,
    ) -> None:
        if batch_size % (micro_batch * processes):
            raise UserError(
                f"A batch of {batch_size} cannot be dealt to {processes} processes in micro-batches of {micro_batch}."
            )
        apart = np.zeros(len(labels), dtype=bool) if hard is None or hard_share is None else hard
        self.positives = rows[labels[rows] == 1]
        self.hard = rows[(labels[rows] == 0) & apart[rows]]
        self.negatives = rows[(labels[rows] == 0) & ~apart[rows]]
        self.steps, self.batch_size, self.micro_batch = steps, batch_size, micro_batch
        self.seed, self.process, self.processes = seed, process, processes
        self.hard_share = hard_share or 0.0
        self.weights = np.ones(len(labels)) if weights is None else weights
        self.epoch, self.positive_share = 0, float(np.mean(labels[rows]))

    def __len__(self) -> int:
        return self.steps * self.batch_size // (self.micro_batch * self.processes)

    def __iter__(self) -> Iterator[list[Draw]]:
        rng = np.random.default_rng([self.seed, self.epoch])
        count = self.steps * self.batch_size
        positives = round(count * self.positive_share)
        hard = round((count - positives) * self.hard_share)
        rows = np.concatenate(
            [
                _deal(deck, share, self.weights, rng)
                for deck, share in (
                    (self.positives, positives),
                    (self.hard, hard),
                    (self.negatives, count - positives - hard),
                )
            ]
        )
        rows = rng.permutation(rows)
        seeds = rng.integers(2**31, size=count)
        draws = [Draw(int(row), int(seed)) for row, seed in zip(rows, seeds, strict=True)]
        micro_batches = range(0, count, self.micro_batch)
        for start in list(micro_batches)[self.process :: self.processes]:
            yield draws[start : start + self.micro_batch]


def patient_weights(patients: pd.Series, exponent: float) -> np.ndarray:
    """Weigh films by how many their patient has: n ** -exponent, so that 1 draws patients and 0 draws films."""
    return patients.groupby(patients).transform("size").to_numpy() ** -float(exponent)


def with_view_share(weights: np.ndarray, table: pd.DataFrame, rows: np.ndarray, share: float) -> np.ndarray:
    """Let AP films have a share of the positive draws, and the same of the negative ones: the view tells no label.

    Args:
        weights: How often each film is to be drawn, before.
        table: A prepared folder's films.
        rows: Row numbers of the films that are drawn from.
        share: Of AP films, 0 to 1.

    Returns:
        How often each film is to be drawn. Where a label has one view only, nothing changes.
    """
    drawn = np.isin(np.arange(len(table)), rows)
    changed = weights.copy()
    for label in (0, 1):
        own = drawn & (table["label"] == label).to_numpy()
        ap = own & (table["view"] == "AP").to_numpy()
        both = weights[ap].sum(), weights[own & ~ap].sum()
        if min(both) > 0:
            changed[ap] *= share * sum(both) / both[0]
            changed[own & ~ap] *= (1 - share) * sum(both) / both[1]
    return changed


def _deal(deck: np.ndarray, count: int, weights: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw `count` rows of a deck, each as often as its weight asks, rounded up or down (systematic sampling)."""
    if not count:
        return deck[:0]
    if not len(deck):
        raise UserError(
            "The training split needs films with a pneumothorax, films without, and hard ones if asked for."
        )
    shuffled = rng.permutation(deck)
    ends = np.cumsum(weights[shuffled])
    return shuffled[np.searchsorted(ends, (rng.random() + np.arange(count)) * ends[-1] / count, side="right")]
