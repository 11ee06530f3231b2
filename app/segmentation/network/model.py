"""The network: an encoder, a decoder that draws the mask, and an image-level head."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from app.segmentation.errors import CheckpointError
from app.segmentation.network import torchvision_compat  # noqa: F401  before smp, which imports torchvision
from app.segmentation.network.model_config import ARCHITECTURES, FULL_DEPTH, SHARPNESS, ModelConfig

import segmentation_models_pytorch as smp  # isort: skip
from timm.layers import SelectAdaptivePool2d  # isort: skip

DROPOUT = 0.2
BATCH_NORM_MOMENTUM = 0.1
"""smp's EfficientNet uses 0.01: running statistics then lag far behind a short training."""


class LocalScores(torch.nn.Module):
    """An image-level head that scores every place of the deepest features, and answers with the highest score.

    A mean over the film makes a finding smaller the more of the film there is; a maximum does not. After Wang et al.,
    "ChestX-ray8", CVPR 2017, who pool by log-sum-exp.
    """

    def __init__(self, channels: int, sharpness: float | None) -> None:
        """Take the number of channels, and how close to the maximum the answer is; None: the maximum."""
        super().__init__()
        self.dropout = torch.nn.Dropout2d(DROPOUT)
        self.score = torch.nn.Conv2d(channels, 1, 1)
        self.sharpness = sharpness

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Turn features (N, C, h, w) into image logits (N, 1)."""
        scores = self.score(self.dropout(features)).flatten(1)
        if self.sharpness is None:
            return scores.amax(dim=1, keepdim=True)
        return torch.logsumexp(self.sharpness * scores, dim=1, keepdim=True) / self.sharpness


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
        ValueError: If smp cannot build the encoder at that depth, or for that architecture.
    """
    channels = config.decoder_channels
    try:
        model = getattr(smp, ARCHITECTURES[config.architecture])(
            encoder_name=config.encoder,
            encoder_depth=config.encoder_depth,
            encoder_weights=encoder_weights,
            in_channels=config.in_channels,
            decoder_channels=channels[0] if config.architecture == "deeplabv3plus" else channels,
            aux_params={"classes": 1, "dropout": DROPOUT},
        )
    except KeyError as error:
        raise CheckpointError(f"Unknown encoder {config.encoder!r}; see smp.encoders for the names.") from error
    if config.pooling in SHARPNESS:
        model.classification_head = LocalScores(model.encoder.out_channels[-1], SHARPNESS[config.pooling])
    else:
        pool = SelectAdaptivePool2d(pool_type=config.pooling)
        model.classification_head[0] = pool
        model.classification_head[3] = torch.nn.Linear(pool.feat_mult() * model.encoder.out_channels[-1], 1)
    if config.map_stride == 2:
        model.decoder.blocks = model.decoder.blocks[:-1]
        model.segmentation_head = smp.base.SegmentationHead(channels[-2], 1, upsampling=2)
    for unused in ("_conv_head", "_bn1"):  # EfficientNet's classifier, which smp builds and never calls
        if hasattr(model.encoder, unused):
            delattr(model.encoder, unused)
    if config.encoder_depth < FULL_DEPTH:
        _remove_stages_below(model.encoder, config)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = BATCH_NORM_MOMENTUM
        elif isinstance(module, torch.nn.Conv2d):
            _pad_within(module)
    return model


def load_model(config: ModelConfig, weights: Mapping[str, np.ndarray]) -> torch.nn.Module:
    """Build the network with its weights, in evaluation mode, float32.

    Args:
        config: Architecture.
        weights: By the network's names, in half precision or single.

    Raises:
        CheckpointError: If the weights are another network's.
    """
    model = build_model(config)
    tensors = {name: torch.from_numpy(values.astype(np.float32)) for name, values in weights.items()}
    # smp leaves out weights of another shape, so that they are missing too
    missing, unexpected = model.load_state_dict(tensors, strict=False)
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]
    if missing or unexpected:
        raise CheckpointError(f"The weights lack {missing[:3]} and bring {unexpected[:3]} unasked.")
    return model.eval()


def _pad_within(convolution: Any) -> None:
    """Let a convolution pad its input by itself where smp's EfficientNet makes a padded copy first.

    A twentieth of a training step is spent on these copies. Only equal sides have an equivalent: a stride of 2 pads
    right and below alone.
    """
    padding = getattr(convolution, "static_padding", None)
    if isinstance(padding, torch.nn.ZeroPad2d) and len(set(padding.padding)) == 1:
        convolution.padding = (padding.padding[0], padding.padding[0])
        convolution.static_padding = torch.nn.Identity()


def _remove_stages_below(encoder: Any, config: ModelConfig) -> None:
    """Remove the stages that a shallower encoder never runs, but that smp builds all the same."""
    try:
        by_stride = encoder.get_stages()
    except (AttributeError, NotImplementedError) as error:  # timm's, DenseNet and VGG
        raise ValueError(
            f"The encoder {config.encoder!r} cannot be cut to depth {config.encoder_depth}: smp does not tell its "
            f"stages apart. Set encoder_depth to {FULL_DEPTH}, or choose another, such as {ModelConfig.encoder!r}."
        ) from error
    stages = [part for stride, parts in by_stride.items() if stride > 2**config.encoder_depth for part in parts]
    unused = {id(module) for stage in stages for module in stage.modules()}
    for parent in list(encoder.modules()):
        for name, child in list(parent.named_children()):
            if id(child) in unused:
                delattr(parent, name)
