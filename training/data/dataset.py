"""Prepared films as batches; which films an epoch shows, and in what order.

Every draw carries its own seed, so that a film's augmentation depends neither on the number of
processes nor on the loader's workers, and a resumed run goes on exactly as it would have.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from app.segmentation.network.preprocessing import PreprocessingConfig, normalise, resize
from training.data.augmentation import augment, build_augmentation, join_halves
from training.data.films import PreparedFilms, resize_mask
from training.data.windows import WindowConfig, cut_window


@dataclass(frozen=True)
class Draw:
    """One showing of a film: its row in the table, the seed of its augmentation, and the row of its right half."""

    row: int
    seed: int
    right_half: int | None = None


class FilmDataset(Dataset):
    """Tensors of prepared films: resize, augment where asked to, normalise."""

    def __init__(
        self,
        films: PreparedFilms,
        preprocessing: PreprocessingConfig,
        augmented: bool,
        window: WindowConfig | None = None,
    ) -> None:
        self.films = films
        self.preprocessing = preprocessing
        self.window = window if window and window.size else None
        self.augmentation = build_augmentation(preprocessing.image_size) if augmented else None

    def __getitem__(self, draw: Draw) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return the input, the reference mask and the label.

        A film whose label is disputed has a soft one: c where the mask shows something and 1 - c where it does
        not, c being `PreparedFilms.certainty`; its mask has the height c. Of two films in one, the less certain counts
        where neither shows anything.

        Returns:
            Input float32 (1, S, S); mask float32 (1, S, S) in [0, 1]; label float32 (1,) in [0, 1], of what the
            augmentation has left of the mask. S is the side of the window where windows are asked for.
        """
        image, mask, certainty = self._film(draw.row)
        if self.window is not None:
            film = np.rint(image * 255).astype(np.uint8)
            window, marked = cut_window(film, mask > 0, self.window, np.random.default_rng(draw.seed))
            return window, marked * certainty, torch.tensor([float(marked.max()) * certainty or 1 - certainty])
        if draw.right_half is not None:
            right_image, right_mask, right_certainty = self._film(draw.right_half)
            image, mask = join_halves(image, right_image), join_halves(mask, right_mask)
            certainty = min(certainty, right_certainty)
        if self.augmentation is not None:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(draw.seed)
                image, mask = augment(image, mask, self.augmentation)
        label = float(mask.max()) or 1 - certainty
        return normalise(image), torch.from_numpy(mask)[None], torch.tensor([label])

    def _film(self, row: int) -> tuple[np.ndarray, np.ndarray, float]:
        """Return a film and its mask, both float32 (S, S), and how certain they are."""
        certainty = self.films.certainty(row)
        mask = resize_mask(self.films.true_mask(row), self.preprocessing)
        return resize(self.films.image(row), self.preprocessing), np.float32(certainty) * mask, certainty


class BalancedBatches(Sampler[list[Draw]]):
    """The micro-batches that one process sees in one epoch.

    An epoch is `steps` optimiser steps of `batch_size` films, of which a given share is positive.
    Films are dealt from shuffled decks, one of positives and one of negatives, each film as often as its weight asks,
    up to one showing more or less. Of a given share of them the right half is another film's, drawn from both decks:
    whether such a pair shows a pneumothorax is left to chance. Negatives that look like positives may have a deck of
    their own, with a given share of the negatives. The batch of a step is cut into
    micro-batches, which are dealt to the processes in turn: with the same batch and micro-batch size, one
    process and several see the same films in the same company.
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
        joined_share: float = 0.0,
        hard: np.ndarray | None = None,
        hard_share: float | None = None,
        weights: np.ndarray | None = None,
        process: int = 0,
        processes: int = 1,
    ) -> None:
        if batch_size % (micro_batch * processes):
            raise ValueError(
                f"A batch of {batch_size} cannot be dealt to {processes} processes in micro-batches of {micro_batch}."
            )
        apart = np.zeros(len(labels), dtype=bool) if hard_share is None else hard
        self.positives = rows[labels[rows] == 1]
        self.hard = rows[(labels[rows] == 0) & apart[rows]]
        self.negatives = rows[(labels[rows] == 0) & ~apart[rows]]
        self.steps, self.batch_size, self.micro_batch = steps, batch_size, micro_batch
        self.seed, self.process, self.processes = seed, process, processes
        self.rows, self.joined_share, self.hard_share = rows, joined_share, hard_share or 0.0
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
        joined = rng.random(count) < self.joined_share
        others = rng.choice(self.rows, size=count)
        draws = [
            Draw(int(row), int(seed), int(other) if join else None)
            for row, seed, join, other in zip(rows, seeds, joined, others, strict=True)
        ]
        micro_batches = range(0, count, self.micro_batch)
        for start in list(micro_batches)[self.process :: self.processes]:
            yield draws[start : start + self.micro_batch]


def patient_weights(patients: pd.Series, exponent: float) -> np.ndarray:
    """Weigh films by how many their patient has: n ** -exponent, so that 1 draws patients and 0 draws films."""
    return patients.groupby(patients).transform("size").to_numpy() ** -float(exponent)


def _deal(deck: np.ndarray, count: int, weights: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw `count` rows of a deck, each as often as its weight asks, rounded up or down (systematic sampling)."""
    if not count:
        return deck[:0]
    if not len(deck):
        raise ValueError(
            "The training split needs films with a pneumothorax, films without, and hard ones if asked for."
        )
    shuffled = rng.permutation(deck)
    ends = np.cumsum(weights[shuffled])
    return shuffled[np.searchsorted(ends, (rng.random() + np.arange(count)) * ends[-1] / count, side="right")]


def evaluation_loader(
    films: PreparedFilms, rows: Sequence[int], preprocessing: PreprocessingConfig, batch_size: int
) -> DataLoader:
    """Every given film once, in order, without augmentation."""
    dataset = FilmDataset(films, preprocessing, augmented=False)
    batches = [[Draw(int(row), 0) for row in rows[at : at + batch_size]] for at in range(0, len(rows), batch_size)]
    return DataLoader(dataset, batch_sampler=batches)
