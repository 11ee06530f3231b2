"""What a film may look like on another day, on another machine, through another archive.

Crop, flip, scale, contrast and noise follow the paper; blur and JPEG compression hide which archive
a film came from, so that the network cannot learn the source instead of the disease. Joining the halves of two
films (after CutMix, Yun et al., 2019) shows it lungs in ever new company, so that it cannot learn films by heart.
"""

import cv2
import numpy as np
import torch

from app.segmentation.network import torchvision_compat  # noqa: F401  before torchvision

from torchvision import tv_tensors  # isort: skip
from torchvision.transforms import v2  # isort: skip


def jpeg_round_trip(image: np.ndarray, quality: int) -> np.ndarray:
    """Compress a film, float32 (H, W) in [0, 1], as JPEG of a quality from 0 to 100, and decode it again."""
    _, encoded = cv2.imencode(".jpg", np.rint(image * 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, quality])
    return cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE).astype(np.float32) / 255


class JpegCompression(v2.Transform):
    """Compress and decompress a float image (1, S, S) in [0, 1]; masks pass untouched.

    torchvision's own `v2.JPEG` needs its compiled operators, which are absent beside CPU torch.
    """

    _transformed_types = (tv_tensors.Image,)

    def __init__(self, quality: tuple[int, int]) -> None:
        super().__init__()
        self.quality = quality

    def make_params(self, flat_inputs: list) -> dict:
        low, high = self.quality
        return {"quality": int(torch.randint(low, high + 1, ()))}

    def transform(self, inpt: tv_tensors.Image, params: dict) -> tv_tensors.Image:
        compressed = jpeg_round_trip(inpt[0].numpy(), params["quality"])
        return tv_tensors.wrap(torch.from_numpy(compressed)[None], like=inpt)


class Gamma(v2.Transform):
    """Raise grey levels to a random power: another display curve. Masks pass untouched."""

    _transformed_types = (tv_tensors.Image,)

    def __init__(self, spread: float) -> None:
        super().__init__()
        self.spread = spread

    def make_params(self, flat_inputs: list) -> dict:
        return {"gamma": float(torch.empty(()).uniform_(-self.spread, self.spread).exp())}

    def transform(self, inpt: tv_tensors.Image, params: dict) -> tv_tensors.Image:
        return tv_tensors.wrap(inpt.pow(params["gamma"]), like=inpt)


def build_augmentation(image_size: int) -> v2.Transform:
    """Compose the training augmentation for films that are already resized.

    Args:
        image_size: Side S of the square, in pixels; it stays as it is.

    Returns:
        Transform of `(tv_tensors.Image float32 (1, S, S) in [0, 1], tv_tensors.Mask float32 (1, S, S))`.
        It draws from torch's global generator.
    """
    return v2.Compose(
        [
            v2.RandomHorizontalFlip(0.5),
            v2.RandomResizedCrop(image_size, scale=(0.7, 1.0), ratio=(0.85, 1.18), antialias=True),
            v2.RandomApply([v2.RandomAffine(degrees=10, scale=(0.85, 1.0), shear=3)], p=0.4),
            v2.RandomApply([v2.ColorJitter(brightness=0.2, contrast=0.3)], p=0.5),
            v2.RandomApply([Gamma(0.35)], p=0.5),
            v2.RandomApply([v2.GaussianBlur(5, sigma=(0.3, 1.2))], p=0.2),
            v2.RandomApply([v2.GaussianNoise(sigma=0.02)], p=0.3),
            v2.RandomApply([JpegCompression((35, 95))], p=0.3),
        ]
    )


def augment(image: np.ndarray, mask: np.ndarray, transform: v2.Transform) -> tuple[np.ndarray, np.ndarray]:
    """Apply one draw of the augmentation to a resized film and its mask.

    Args:
        image: float32 (S, S) in [0, 1].
        mask: bool or float32 (S, S) in [0, 1].
        transform: From `build_augmentation`.

    Returns:
        The film, float32 (S, S) in [0, 1], and its mask, float32 (S, S) with the values it had, moved alike.
    """
    image_out, mask_out = transform(
        tv_tensors.Image(torch.from_numpy(image)[None]),
        tv_tensors.Mask(torch.from_numpy(mask.astype(np.float32))[None]),
    )
    return image_out[0].clamp(0, 1).numpy(), mask_out[0].numpy()


def join_halves(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Show the left half of one picture (S, S) beside the right half of another of its size."""
    middle = left.shape[1] // 2
    return np.concatenate([left[:, :middle], right[:, middle:]], axis=1)
