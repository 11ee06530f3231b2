"""Pictures that are none of a chest, as packages bring them along: what a network must not take for a film."""

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import numpy as np
import pydicom
from PIL import Image

PICTURE_FOLDERS = {"skimage": "data", "sklearn.datasets": "images"}
NOT_A_FILM = ("JPEG2000.dcm", "CT_small.dcm", "MR_small.dcm", "examples_jpeg2k.dcm", "liver_1frame.dcm", "693_J2KI.dcm")


def pictures_of_other_things() -> Iterator[np.ndarray]:
    """Photographs, textures, microscopy, CT and MR slices, a blank page: float32 (H, W) in [0, 1]."""
    for package, folder in PICTURE_FOLDERS.items():
        for path in sorted(Path(str(files(package) / folder)).iterdir()):
            if path.suffix in (".png", ".jpg"):
                yield np.asarray(Image.open(path).convert("L"), dtype=np.float32) / 255
    for name in NOT_A_FILM:
        pixels = pydicom.dcmread(Path(str(files("pydicom.data") / "test_files" / name))).pixel_array.astype(np.float32)
        grey = pixels if pixels.ndim == 2 else pixels.mean(axis=-1)
        yield (grey - grey.min()) / max(float(np.ptp(grey)), 1)
    yield np.ones((512, 512), dtype=np.float32)
