"""What a network costs: parameters, bytes, arithmetic and time."""

import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch.utils.flop_counter import FlopCounterMode
from tqdm import tqdm

from app.segmentation.checkpoint import Checkpoint
from app.segmentation.network.torch_engine import TorchEngine

COSTS = ["parameters", "file_mb", "gflop", "ms", "ms_ratio"]


def measure_costs(checkpoints: dict[Path, Checkpoint], rounds: int) -> pd.DataFrame:
    """Describe networks and what they cost, one row each; times are relative to the first's."""
    engines = [
        (TorchEngine(checkpoint.model, checkpoint.metadata.mirror_size), checkpoint.metadata.preprocessing.image_size)
        for checkpoint in checkpoints.values()
    ]
    times = time_engines(engines, rounds)
    rows = []
    for (path, checkpoint), engine, milliseconds in zip(checkpoints.items(), engines, times, strict=True):
        model, provenance = checkpoint.metadata.model, checkpoint.metadata.provenance
        rows.append(
            {
                "name": checkpoint.metadata.name,
                "network": f"{model.architecture}, {model.encoder}, depth {model.encoder_depth}",
                "image_size": checkpoint.metadata.preprocessing.image_size,
                "started_from": lineage(provenance.get("started_from", "unknown")),
                "films_seen": films_seen(provenance),
                "parameters": count_parameters(checkpoint.model),
                "file_mb": path.stat().st_size / 1e6,
                "gflop": count_operations(*engine) / 1e9,
                "ms": milliseconds,
                "ms_ratio": milliseconds / times[0],
            }
        )
    return pd.DataFrame(rows)


def ensemble_costs(name: str, costs: pd.DataFrame, weights: dict[str, float]) -> pd.DataFrame:
    """Add up what the members of an ensemble cost, but for those whose weight is zero."""
    used = costs[costs["name"].isin([member for member, weight in weights.items() if weight > 0])]
    network = " + ".join(f"{weight:.1f} {member}" for member, weight in weights.items())
    return pd.DataFrame([{"name": name, "network": network, **used[COSTS].sum()}]).astype({"parameters": int})


def lineage(origin: str | dict) -> str:
    """Name where a network's weights come from, back to the first: "checkpoint 1a2b3c4d, from lite0"."""
    if isinstance(origin, str):
        return origin
    return f"checkpoint {origin['sha256'][:8]}, from {lineage(origin.get('started_from', 'unknown'))}"


def films_seen(provenance: dict) -> int:
    """Count the films shown to a network, in this training and in those it started from."""
    origin = provenance.get("started_from")
    return provenance.get("films_seen", 0) + (films_seen(origin) if isinstance(origin, dict) else 0)


def count_parameters(model: torch.nn.Module) -> int:
    """Count the trained numbers of a network; a batch norm's running statistics are none."""
    return sum(parameter.numel() for parameter in model.parameters())


def count_operations(engine: TorchEngine, image_size: int) -> float:
    """Count the floating-point operations for one film as served, mirror image included.

    Torch counts convolutions and matrix products, a multiplication with its addition as two; what is left out is small.
    """
    with FlopCounterMode(display=False) as counter:
        engine.run(np.zeros((1, 1, image_size, image_size), np.float32))
    return counter.get_total_flops()


def time_engines(engines: list[tuple[TorchEngine, int]], rounds: int) -> list[float]:
    """Time networks side by side: in one process, in turns, so that a busy moment hits all of them alike.

    Args:
        engines: Each network and the side of its input, in pixels.
        rounds: How often each answers a film, after one round to warm up.

    Returns:
        Median milliseconds of each for one film, from tensor to evidence.
    """
    times = np.empty((rounds + 1, len(engines)))
    for turn in tqdm(range(rounds + 1), desc="time", unit="round"):
        for index, (engine, image_size) in enumerate(engines):
            film = np.random.default_rng(turn).standard_normal((1, 1, image_size, image_size), dtype=np.float32)
            started = time.perf_counter()
            engine.run(film)
            times[turn, index] = 1e3 * (time.perf_counter() - started)
    return np.median(times[1:], axis=0).tolist()
