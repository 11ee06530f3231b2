"""A prepared folder seen otherwise: the same films, dealt to other splits; no pixel is copied."""

from pathlib import Path

import numpy as np

from training.data.films import PreparedFilms
from training.errors import UserError

LEFT_OUT = "left_out"
"""Split of films that neither teach nor measure."""


def write_subset(data: Path, out: Path, **splits: np.ndarray) -> None:
    """Write a prepared folder whose arrays are another one's.

    Args:
        data: Prepared folder.
        out: Folder to write.
        splits: Row numbers by split ("train", "val"); all other films are left out.

    Raises:
        UserError: If the folder holds arrays of its own: they would be lost.
    """
    arrays = ("images.npy", "masks.npy")
    own = [name for name in arrays if (out / name).exists() and not (out / name).is_symlink()]
    if own or out.resolve() == data.resolve():
        raise UserError(f"{out} holds prepared films, which would be lost; name another folder.")
    table = PreparedFilms.open(data).table
    split = np.full(len(table), LEFT_OUT, dtype=object)
    for name, rows in splits.items():
        split[rows] = name
    out.mkdir(parents=True, exist_ok=True)
    for name in arrays:
        (out / name).unlink(missing_ok=True)
        (out / name).symlink_to((data / name).absolute())
    table.assign(split=split).to_csv(out / "films.csv", index=False)
