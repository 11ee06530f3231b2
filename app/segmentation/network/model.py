"""The network: an encoder, a decoder that draws the mask, and an image-level head."""

from dataclasses import dataclass

import torch

from app.segmentation.errors import CheckpointError
from app.segmentation.network import torchvision_compat  # noqa: F401  before smp, which imports torchvision

import segmentation_models_pytorch as smp  # isort: skip
from timm.layers import SelectAdaptivePool2d  # isort: skip

ARCHITECTURES = {"unet": smp.Unet, "unetplusplus": smp.UnetPlusPlus, "deeplabv3plus": smp.DeepLabV3Plus}
"""Ronneberger et al., 2015; Zhou et al., 2018; Chen et al., 2018."""
POOLINGS = ("avg", "max", "avgmax", "catavgmax")
SHARPNESS = {"score_lse": 4.0, "score_max": None}
"""Of the smooth maximum of local scores, by pooling; None: the maximum itself."""
DROPOUT = 0.2
FULL_DEPTH = 5
BATCH_NORM_MOMENTUM = 0.1
"""smp's EfficientNet uses 0.01: running statistics then lag far behind a short training."""


@dataclass(frozen=True)
class ModelConfig:
    """Everything needed to build the network before its weights are loaded.

    Attributes:
        encoder: Encoder name, as in smp.
        decoder_channels: Output channels of the decoder blocks, coarse to fine, one for each halving of
            the encoder; DeepLabV3+ has one block only. Half of smp's default: 84 % of the arithmetic of
            the default network sits in its decoder.
        in_channels: Channels of the input; a radiograph has one.
        pooling: What the image-level head sees of the deepest features: their mean over the film ("avg"), or
            mean and maximum ("catavgmax"), so that a small finding is not averaged away, timm's names; or it scores
            every place by itself and answers with the highest score ("score_max") or a smooth maximum ("score_lse"),
            so that it says the same of a window and of the film around it.
        architecture: Key of `ARCHITECTURES`, as smp names it.
        encoder_depth: How often the encoder halves the film, 3 to 5.
        map_stride: 2 leaves out the U-Net's last decoder block, draws the map at half the input's side and enlarges
            it, a tenth of the arithmetic less; 1 draws it at the input's.
    """

    encoder: str = "efficientnet-b0"
    decoder_channels: tuple[int, ...] = (128, 64, 32, 16, 8)
    in_channels: int = 1
    pooling: str = "avg"
    architecture: str = "unet"
    encoder_depth: int = FULL_DEPTH
    map_stride: int = 1

    def __post_init__(self) -> None:
        if self.architecture not in ARCHITECTURES:
            raise ValueError(f"architecture must be one of {', '.join(ARCHITECTURES)}, not {self.architecture!r}")
        if not 3 <= self.encoder_depth <= FULL_DEPTH:
            raise ValueError(f"encoder_depth must be 3 to {FULL_DEPTH}, not {self.encoder_depth}")
        if self.pooling not in (*POOLINGS, *SHARPNESS):
            raise ValueError(f"pooling must be one of {', '.join((*POOLINGS, *SHARPNESS))}, not {self.pooling!r}")
        if self.map_stride != 1 and (self.map_stride, self.architecture) != (2, "unet"):
            raise ValueError(f"map_stride must be 1, or 2 for a unet, not {self.map_stride} for {self.architecture}")
        blocks = 1 if self.architecture == "deeplabv3plus" else self.encoder_depth
        if len(self.decoder_channels) != blocks:
            raise ValueError(
                f"{self.architecture} at depth {self.encoder_depth} has {blocks} decoder block(s), "
                f"but decoder_channels names {len(self.decoder_channels)}: {self.decoder_channels}"
            )


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
        model = ARCHITECTURES[config.architecture](
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
    return model


def _remove_stages_below(encoder: torch.nn.Module, config: ModelConfig) -> None:
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
