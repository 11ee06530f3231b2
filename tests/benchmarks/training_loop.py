"""Is data loading the limit of training? Films a second of the loader alone, of the network alone, and of both.

    python -m tests.benchmarks.training_loop --data films --image_size 512 --window 256

Compare the three figures of one run only: they depend on the machine and on what else it does. Set the environment as
`make train` does.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch.utils.data import DataLoader

from app.segmentation.network.model import ModelConfig, build_model
from app.segmentation.network.preprocessing import PreprocessingConfig
from training.data.dataset import FilmDataset
from training.data.films import PreparedFilms
from training.data.sampling import BalancedBatches
from training.data.windows import WindowConfig
from training.learning.losses import LossWeights, SegmentationLoss

WARM_UP = 2
"""Steps that do not count: the first ones allocate memory and start the loader."""


def main() -> None:
    """Parse the command line, and measure."""
    parser = argparse.ArgumentParser(description="Measure what limits a training step.")
    parser.add_argument("--data", type=Path, required=True, help="folder made by `python -m training prepare`")
    parser.add_argument("--image_size", type=int, default=512, help="side of a film, in pixels")
    parser.add_argument("--window", type=int, default=256, help="side of a window, in pixels; 0: whole films")
    parser.add_argument("--batch_size", type=int, default=12)
    parser.add_argument("--steps", type=int, default=12)
    options = parser.parse_args()
    films = PreparedFilms.open(options.data)
    batches = BalancedBatches(
        films.table["label"].to_numpy(),
        films.rows("train", ["expert_mask"]),
        steps=options.steps + WARM_UP,
        batch_size=options.batch_size,
        micro_batch=options.batch_size,
        seed=0,
    )
    dataset = FilmDataset(films, PreprocessingConfig(options.image_size), WindowConfig(options.window))
    loader = DataLoader(dataset, batch_sampler=batches, num_workers=1)
    step = training_step()
    kept = next(iter(loader))

    def repeat(batch: list[torch.Tensor]) -> Iterator[list[torch.Tensor]]:
        for _ in range(len(batches)):
            yield batch

    rates = {
        "loader alone": films_per_second(loader, lambda *batch: None),
        "forward and backward alone": films_per_second(repeat(kept), step),
        "both, as in training": films_per_second(loader, step),
    }
    for name, rate in rates.items():
        share = rate / rates["forward and backward alone"]
        print(f"{name:<28} {rate:>8.1f} films/s {share:>7.2f} × the network alone")
    share = rates["forward and backward alone"] / rates["loader alone"]
    print(f"The loader takes {share:.0%} of what the network takes; beside it, where a core is free for it.")


def training_step() -> Callable[..., None]:
    """Build a network, its loss and its optimiser, and return one step of its training."""
    network = build_model(ModelConfig()).to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-4)
    loss_function = SegmentationLoss(LossWeights())

    def step(image: torch.Tensor, true_mask: torch.Tensor, true_label: torch.Tensor, _: torch.Tensor) -> None:
        logits = network(image.contiguous(memory_format=torch.channels_last))
        loss_function(*logits, true_mask, true_label)["loss"].backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


def films_per_second(batches: DataLoader | Iterator[list[torch.Tensor]], work: Callable[..., None]) -> float:
    """Do some work on every batch, and return the films done in a second, the first batches aside."""
    films, started = 0, 0.0
    for index, batch in enumerate(batches):
        if index == WARM_UP:
            started = time.perf_counter()
        work(*batch)
        films += len(batch[0]) if index >= WARM_UP else 0
    return films / (time.perf_counter() - started)


if __name__ == "__main__":
    main()
