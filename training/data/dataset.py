"""Prepared films as batches; which films an epoch shows, and in what order.

Every draw carries its own seed, so that a film's augmentation depends neither on the number of
processes nor on the loader's workers, and a resumed run goes on exactly as it would have.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from app.segmentation.preprocessing import PreprocessingConfig, normalise, resize
from training.augmentation import augment, build_augmentation
from training.data.films import PreparedFilms, resize_mask


@dataclass(frozen=True)
class Draw:
    """One showing of a film: its row in the table, and the seed of its augmentation."""

    row: int
    seed: int


class FilmDataset(Dataset):
    """Tensors of prepared films: resize, augment where asked to, normalise."""

    def __init__(self, films: PreparedFilms, preprocessing: PreprocessingConfig, augmented: bool) -> None:
        self.films = films
        self.preprocessing = preprocessing
        self.augmentation = build_augmentation(preprocessing.image_size) if augmented else None

    def __getitem__(self, draw: Draw) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return the input, the reference mask and the label.

        A film whose label is disputed has a soft one: c where the mask shows something and 1 - c where it does
        not, c being `PreparedFilms.certainty`; its mask has the height c.

        Returns:
            Input float32 (1, S, S); mask float32 (1, S, S) in [0, 1]; label float32 (1,) in [0, 1], of what the
            augmentation has left of the mask.
        """
        image = resize(self.films.image(draw.row), self.preprocessing)
        mask = resize_mask(self.films.true_mask(draw.row), self.preprocessing)
        if self.augmentation is not None:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(draw.seed)
                image, mask = augment(image, mask, self.augmentation)
        certainty = self.films.certainty(draw.row)
        label = certainty if mask.any() else 1 - certainty
        return normalise(image), torch.from_numpy(certainty * mask.astype(np.float32))[None], torch.tensor([label])


class BalancedBatches(Sampler[list[Draw]]):
    """The micro-batches that one process sees in one epoch.

    An epoch is `steps` optimiser steps of `batch_size` films, of which a given share is positive.
    Films are dealt from shuffled decks, one of positives and one of negatives, each dealt out before
    it is shuffled anew. The batch of a step is cut into micro-batches, which are dealt to the
    processes in turn: with the same batch and micro-batch size, one process and several see the same
    films in the same company.
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
        process: int = 0,
        processes: int = 1,
    ) -> None:
        if batch_size % (micro_batch * processes):
            raise ValueError(
                f"A batch of {batch_size} cannot be dealt to {processes} processes in micro-batches of {micro_batch}."
            )
        self.positives, self.negatives = rows[labels[rows] == 1], rows[labels[rows] == 0]
        self.steps, self.batch_size, self.micro_batch = steps, batch_size, micro_batch
        self.seed, self.process, self.processes = seed, process, processes
        self.epoch, self.positive_share = 0, float(np.mean(labels[rows]))

    def __len__(self) -> int:
        return self.steps * self.batch_size // (self.micro_batch * self.processes)

    def __iter__(self) -> Iterator[list[Draw]]:
        rng = np.random.default_rng([self.seed, self.epoch])
        count = self.steps * self.batch_size
        positives = round(count * self.positive_share)
        rows = np.concatenate([_deal(self.positives, positives, rng), _deal(self.negatives, count - positives, rng)])
        rows = rng.permutation(rows)
        seeds = rng.integers(2**31, size=count)
        micro_batches = range(0, count, self.micro_batch)
        for start in list(micro_batches)[self.process :: self.processes]:
            stop = start + self.micro_batch
            yield [Draw(int(row), int(seed)) for row, seed in zip(rows[start:stop], seeds[start:stop], strict=True)]


def _deal(deck: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    if count and not len(deck):
        raise ValueError("The training split needs both films with and films without a pneumothorax.")
    rounds = -(-count // max(len(deck), 1))
    return np.concatenate([np.empty(0, dtype=deck.dtype), *(rng.permutation(deck) for _ in range(rounds))])[:count]


def evaluation_loader(
    films: PreparedFilms, rows: Sequence[int], preprocessing: PreprocessingConfig, batch_size: int
) -> DataLoader:
    """Every given film once, in order, without augmentation."""
    dataset = FilmDataset(films, preprocessing, augmented=False)
    batches = [[Draw(int(row), 0) for row in rows[at : at + batch_size]] for at in range(0, len(rows), batch_size)]
    return DataLoader(dataset, batch_sampler=batches)
