"""A film and its mask in the forms a browser draws."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import cv2
import numpy as np

DISPLAY_SIDE = 4096
"""Longest side of a displayed film, in pixels; larger films are shrunk to it, so that any WebGL 2 holds one texture."""

THUMBNAIL_SIDE = 96
"""Longest side of a thumbnail, in pixels: twice what the list gives it, for screens of fine pixels."""

CONTOUR_TOLERANCE = 1 / 2000
"""How far a contour may stray from the mask, as a share of the film's longest side; a map pixel is five times that."""


@dataclass(frozen=True)
class MaskPicture:
    """A mask in the film's pixels as stored: a greyscale PNG of 0 and 255."""

    width: int
    height: int
    png: bytes

    @classmethod
    def of(cls, mask: np.ndarray) -> Self:
        """Encode a mask, bool (H, W)."""
        height, width = mask.shape
        return cls(width, height, mask_png(mask))

    def to_json(self) -> dict[str, Any]:
        """Describe it in plain JSON types."""
        data = base64.b64encode(self.png).decode("ascii")
        return {"width": self.width, "height": self.height, "encoding": "png;base64", "data": data}

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        return cls(said["width"], said["height"], base64.b64decode(said["data"]))


def film_png(image: np.ndarray, longest_side: int = DISPLAY_SIDE) -> bytes:
    """Encode a film for display.

    Args:
        image: float32 (H, W) in [0, 1], bone bright.
        longest_side: Pixels; a larger film is shrunk to it.

    Returns:
        PNG, 8 bits, greyscale.
    """
    scale = longest_side / max(image.shape)
    if scale < 1:
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return grey_png(image)


def grey_png(image: np.ndarray) -> bytes:
    """Encode greys, float32 (H, W) in [0, 1], as a PNG of 8 bits."""
    _, encoded = cv2.imencode(".png", np.round(image * 255).astype(np.uint8))
    return encoded.tobytes()


def greys_of(png: bytes) -> np.ndarray:
    """Decode a PNG of ours: uint8 (H, W).

    Raises:
        ValueError: If it is damaged.
    """
    greys = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE)
    if greys is None:
        raise ValueError("A picture that was kept is no PNG any more")
    return greys


def mask_png(mask: np.ndarray) -> bytes:
    """Encode a mask, bool (H, W), as a greyscale PNG of 0 and 255."""
    _, encoded = cv2.imencode(".png", mask.astype(np.uint8) * 255)
    return encoded.tobytes()


def contour_path(mask: np.ndarray) -> str:
    """Trace the outlines of a mask, holes included.

    Args:
        mask: bool (H, W).

    Returns:
        Data of an SVG path in its pixels, through the centres of the outermost marked ones; empty where none is.
    """
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    tolerance = CONTOUR_TOLERANCE * max(mask.shape)
    outlines = (cv2.approxPolyDP(contour, tolerance, closed=True)[:, 0] for contour in contours)
    return "".join(f"M{'L'.join(f'{x + 0.5} {y + 0.5}' for x, y in outline)}Z" for outline in outlines)
