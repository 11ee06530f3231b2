"""Prepared films as one small file, to travel to a machine that has a GPU and nothing else.

Only Pillow is needed to unpack it. The archive shows patients' films: it is no more to be published than they are.
"""

import io
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.lib.format import open_memmap
from PIL import Image
from tqdm import tqdm

from app.segmentation.network.preprocessing import PreprocessingConfig, resize
from training.data import description
from training.data.films import PreparedFilms, resize_mask
from training.errors import TrainingDataError

QUALITIES = (90, 80, 70, 60, 50, 40, 30)
"""Of WebP, best first. At 512 pixels 50 keeps a film within 40 dB of itself, in 6 kB."""
SAMPLE = 200
"""Films by whose size the quality is chosen."""
SLACK = 0.97
"""Share of the room that the films may be expected to take, since a sample is no promise."""
BESIDE = 300
"""Bytes that a film takes beside its picture: its row, its entry, and of a few a mask."""
SPLITS = ("train", "val")


def pack(data: Path, out: Path, size: int = 512, limit_mib: float = 60.0, splits: tuple[str, ...] = SPLITS) -> None:
    """Pack prepared films into one archive that is no larger than asked.

    Args:
        data: Prepared folder.
        out: Archive to write, .zip.
        size: Side at which films are packed, in pixels.
        limit_mib: Largest size of the archive; the best quality with which it fits is taken.
        splits: Which films; test is not needed for training, and better not there.

    Raises:
        TrainingDataError: If the films do not fit at the lowest quality.
    """
    films = PreparedFilms.open(data)
    rows = np.flatnonzero(films.table["split"].isin(splits))
    if not len(rows):
        raise TrainingDataError(f"{data} has no film of {', '.join(splits)}.")
    quality = _fitting_quality(films, rows, size, limit_mib)
    out.parent.mkdir(parents=True, exist_ok=True)
    unfinished = out.with_name(f"{out.name}.part")
    with zipfile.ZipFile(unfinished, "w") as archive:
        table = films.table.iloc[rows].to_csv(index=False)
        archive.writestr("films.csv", table, zipfile.ZIP_DEFLATED)
        if (data / description.FILE).is_file():
            archive.write(data / description.FILE, description.FILE)
        for number, row in enumerate(tqdm(rows, desc="pack", unit="film")):
            archive.writestr(f"{number}.webp", _film_bytes(films, row, size, quality))
            if films.masks[row].any():
                mask = resize_mask(films.true_mask(row), PreprocessingConfig(size))
                archive.writestr(f"{number}.png", _encoded(Image.fromarray(mask), "PNG", optimize=True))
    mib = unfinished.stat().st_size / 2**20
    if mib > limit_mib:
        unfinished.unlink()
        raise TrainingDataError(f"The films took {mib:.1f} MiB at quality {quality}, not {limit_mib}; ask for less.")
    unfinished.rename(out)
    print(f"{out}: {len(rows)} films of {size} pixels, WebP quality {quality}, {mib:.1f} MiB")


def unpack(archive: Path, out: Path) -> None:
    """Unpack what `pack` wrote into a prepared folder; one that is complete is left as it is.

    Args:
        archive: From `pack`.
        out: Folder to write.

    Raises:
        TrainingDataError: If it is no such archive, or damaged.
    """
    if (out / "films.csv").is_file():
        return
    try:
        _unpack(archive, out)
    except (zipfile.BadZipFile, zlib.error, KeyError, ValueError, IndexError, EOFError) as error:
        raise TrainingDataError(f"{archive} is no archive of `pack`, or damaged: {error}.") from error


def _unpack(archive: Path, out: Path) -> None:
    with zipfile.ZipFile(archive) as packed:
        described = packed.read("films.csv")
        films = len(pd.read_csv(io.BytesIO(described)))
        side = _picture(packed, "0.webp").shape[0]
        out.mkdir(parents=True, exist_ok=True)
        images, masks = (
            open_memmap(out / name, mode="w+", dtype=np.uint8, shape=(films, side, side))
            for name in ("images.npy", "masks.npy")
        )
        for name in tqdm(packed.namelist(), desc="unpack", unit="file"):
            number, _, kind = name.partition(".")
            if kind == "webp":
                images[int(number)] = _picture(packed, name)
            elif kind == "png":
                masks[int(number)] = _picture(packed, name) > 0
        if description.FILE in packed.namelist():
            (out / description.FILE).write_bytes(packed.read(description.FILE))
    images.flush()
    masks.flush()
    (out / "films.csv").write_bytes(described)  # last: its presence says that the folder is complete


def _fitting_quality(films: PreparedFilms, rows: np.ndarray, size: int, limit_mib: float) -> int:
    sample = np.random.default_rng(0).permutation(rows)[:SAMPLE]
    room = SLACK * limit_mib * 2**20 / len(rows) - BESIDE
    for quality in QUALITIES:
        mean = np.mean([len(_film_bytes(films, row, size, quality)) for row in sample])
        if mean < room:
            return quality
    raise TrainingDataError(
        f"{len(rows)} films of {size} pixels do not fit into {limit_mib} MiB: one takes {mean:.0f} bytes at quality "
        f"{quality}. Pack smaller films, or fewer."
    )


def _film_bytes(films: PreparedFilms, row: int, size: int, quality: int) -> bytes:
    film = resize(np.ascontiguousarray(films.images[row]), PreprocessingConfig(size))
    return _encoded(Image.fromarray(film), "WEBP", quality=quality, method=4)


def _encoded(picture: Image.Image, kind: str, **settings: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **settings)
    return buffer.getvalue()


def _picture(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(archive.read(name))).convert("L"))
