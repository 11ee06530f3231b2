"""What a checkpoint says of its making."""

import hashlib
import subprocess
from dataclasses import asdict
from datetime import date
from pathlib import Path

import numpy as np

from training.data.films import PreparedFilms
from training.data.lineage import describe_films
from training.learning.config import TrainingConfig
from training.learning.schedule import steps_before

FREE_SETTINGS = (
    *("data", "run", "start", "model"),  # the last two stand in the checkpoint's provenance and header
    *("workers", "accelerator", "devices", "num_nodes", "strategy", "precision", "log_every", "minutes", "keep_epochs"),
)
"""What may change when a run goes on."""


def deciding_settings(config: TrainingConfig) -> dict:
    """Every setting that decides what weights come out; not where data lie, nor what the run is shared between."""
    settings = {name: value for name, value in asdict(config).items() if name not in FREE_SETTINGS}
    return {**settings, "teachers": [hashlib.sha256(path.read_bytes()).hexdigest() for path in config.teachers]}


def made_by(config: TrainingConfig, origin: dict | str, films: PreparedFilms, rows: np.ndarray) -> dict:
    """Say when, by what code, from which weights, with which settings and films a network is made."""
    return {
        "date": date.today().isoformat(),
        "commit": commit(),
        "started_from": origin,
        "settings": deciding_settings(config),
        "data": describe_films(films.table, rows),
    }


def seen_after(config: TrainingConfig, epochs: int, origin: dict | str) -> dict[str, int]:
    """Count what a network has seen after some epochs.

    Returns:
        "epoch", "films_seen" (films or windows shown in this run), "windows_seen" (those of them that were windows)
        and "windows_in_all", those of the runs whose weights it started from included.
    """
    seen = steps_before(config, epochs) * config.batch_size
    windows = seen if config.window.size else 0
    return {
        **{"epoch": epochs, "films_seen": seen, "windows_seen": windows},
        "windows_in_all": windows + windows_of_lineage(origin),
    }


def windows_of_lineage(origin: dict | str) -> int:
    """Count the windows that a network had seen before, from its provenance; a package's weights saw none."""
    if isinstance(origin, str):
        return 0
    if "windows_in_all" in origin:
        return origin["windows_in_all"]
    on_windows = origin.get("settings", {}).get("window", {}).get("size", 0) > 0
    own = origin.get("windows_seen", origin.get("films_seen", 0) if on_windows else 0)
    return own + windows_of_lineage(origin.get("started_from", ""))


def commit() -> str:
    """Name the commit of the code, marked where it was changed since; "unknown" outside a checkout."""
    command = ["git", "describe", "--always", "--dirty"]
    return (
        subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parent).stdout.strip() or "unknown"
    )
