"""What must be known of the network before its weights are loaded."""

from dataclasses import dataclass

ARCHITECTURES = {"unet": "Unet", "unetplusplus": "UnetPlusPlus", "deeplabv3plus": "DeepLabV3Plus"}
"""Names of smp's classes. Ronneberger et al., 2015; Zhou et al., 2018; Chen et al., 2018."""
POOLINGS = ("avg", "max", "avgmax", "catavgmax")
SHARPNESS = {"score_lse": 4.0, "score_max": None}
"""Of the smooth maximum of local scores, by pooling; None: the maximum itself."""
FULL_DEPTH = 5


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
