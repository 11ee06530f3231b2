"""A film as its source has it, before it is prepared."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.data.films import FilmRecord


@dataclass(frozen=True)
class SourceFilm:
    """A film as a data set ships it: its record, its file, and its mask on demand."""

    record: FilmRecord
    path: Path
    read_mask: Callable[[], np.ndarray | None]
    """bool (H, W) in the film's own pixels, or None where nothing is marked."""
