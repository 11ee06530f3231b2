"""The example films that the start page offers: one synthetic patient with and without a pneumothorax, and lying.

`python -m tests.support.examples static/examples` draws them anew.
"""

import argparse
import io
from pathlib import Path

import numpy as np
from PIL import Image

from app.segmentation.reading.geometry import Laterality
from training.releasing.phantom.drawing import draw_phantom

SEED, SIZE = 4, 1024
QUALITY = 88


def draw_examples() -> dict[str, np.ndarray]:
    """Draw every example, float32 (H, W) in [0, 1], by its name."""
    collapsed, normal = (draw_phantom(SEED, SIZE, side).image for side in (Laterality.LEFT, None))
    return {"pneumothorax": collapsed, "normal": normal, "turned": np.rot90(normal)}


def true_mask() -> np.ndarray:
    """Where the pneumothorax of "pneumothorax" lies: bool (H, W)."""
    return draw_phantom(SEED, SIZE, Laterality.LEFT).true_mask


def to_webp(image: np.ndarray) -> bytes:
    """Encode a film as a WebP file of moderate size."""
    buffer = io.BytesIO()
    Image.fromarray(np.round(255 * image).astype(np.uint8)).save(buffer, "WEBP", quality=QUALITY, method=6)
    return buffer.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw the example films of the start page.")
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for name, image in draw_examples().items():
        (folder / f"{name}.webp").write_bytes(to_webp(image))


if __name__ == "__main__":
    main()
