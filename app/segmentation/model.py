"""The network: a U-Net with an EfficientNet-B0 encoder and an image-level head."""

from dataclasses import dataclass

import torch

from app.segmentation import torchvision_compat  # noqa: F401  before smp, which imports torchvision
from app.segmentation.errors import CheckpointError

import segmentation_models_pytorch as smp  # isort: skip

BATCH_NORM_MOMENTUM = 0.1
"""smp's EfficientNet uses 0.01: running statistics then lag far behind a short training."""


@dataclass(frozen=True)
class ModelConfig:
    """Everything needed to build the network before its weights are loaded.

    Attributes:
        encoder: Encoder name, as in smp.
        decoder_channels: Output channels of the five decoder blocks, coarse to fine. Half of smp's
            default: 84 % of the arithmetic of the default network sits in its decoder.
        in_channels: Channels of the input; a radiograph has one.
    """

    encoder: str = "efficientnet-b0"
    decoder_channels: tuple[int, ...] = (128, 64, 32, 16, 8)
    in_channels: int = 1


def build_model(config: ModelConfig, encoder_weights: str | None = None) -> torch.nn.Module:
    """Build the network in training mode.

    Args:
        config: Architecture, read from the checkpoint when serving.
        encoder_weights: Name of smp's pretrained encoder weights ("imagenet"), fetched from their
            hub. None, the default, starts at random and needs no network.

    Returns:
        Module mapping a batch float32 (N, C, S, S) to `(mask_logits, image_logits)`,
        float32 (N, 1, S, S) and (N, 1).

    Raises:
        CheckpointError: If smp knows no such encoder.
    """
    try:
        model = smp.Unet(
            encoder_name=config.encoder,
            encoder_weights=encoder_weights,
            in_channels=config.in_channels,
            decoder_channels=config.decoder_channels,
            aux_params={"classes": 1, "dropout": 0.2},
        )
    except KeyError as error:
        raise CheckpointError(f"Unknown encoder {config.encoder!r}; see smp.encoders for the names.") from error
    for unused in ("_conv_head", "_bn1"):  # EfficientNet's classifier, which smp builds and never calls
        if hasattr(model.encoder, unused):
            delattr(model.encoder, unused)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = BATCH_NORM_MOMENTUM
    return model
