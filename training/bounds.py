"""From where to where the numbers of commands go: what lies beyond is a slip of the pen, told before all else."""

import math
from collections.abc import Mapping
from pathlib import Path

from training.errors import UserError

ONE = "epochs batch_size micro_batch steps trials resamples log_every timing_rounds occlusion_cells positives num_nodes"
NONE = (
    "threads workers steps_per_epoch seed films draws minutes patient_exponent mining weight_decay window.distance "
    "window.degrees window.shear window.soften loss.bce loss.dice loss.film_dice loss.image loss.findings"
)
SHARES = (
    "warmup_share cooldown_share positive_share hard_negative_share ap_share teacher_share ema_decay window.near_share"
)
ABOVE = "learning_rate limit_mib window.magnification window.film_magnification window.stretch"
BOUNDS = {
    **dict.fromkeys(ONE.split(), (1, math.inf)),
    **dict.fromkeys(NONE.split(), (0, math.inf)),
    **dict.fromkeys(SHARES.split(), (0, 1)),
    **dict.fromkeys(ABOVE.split(), (1e-12, 1e12)),
    **dict.fromkeys(("size", "image_size", "image_sizes", "mirror_size"), (32, 4096)),
    **dict.fromkeys(("window", "window.size"), (0, 4096)),
}
"""By name of the setting, a list's for each number in it."""
SIDES = ("size", "image_size", "image_sizes", "mirror_size", "window", "window.size")
"""Of squares that a network halves five times: multiples of 32."""
LISTS = ("trained", "recipes", "runs", "positives")
"""Those that must name something."""


def demand_sense(settings: Mapping[str, object]) -> None:
    """Refuse settings that nobody can mean.

    Args:
        settings: By name; those of a group as "window.size".

    Raises:
        UserError: If there is one; the message names it.
    """
    for name, value in settings.items():
        values = value if isinstance(value, list | tuple) else [value]
        if name in LISTS and value is not None and not values:
            raise UserError(f"--{name} names nothing.")
        if name == "out" and isinstance(value, Path) and value.name in ("", ".."):
            raise UserError(f"--out is {str(value)!r}; call what is to be written by its name.")
        for number in values:
            if name in BOUNDS and isinstance(number, int | float):
                _demand_within(name, number)


def _demand_within(name: str, number: float) -> None:
    low, high = BOUNDS[name]
    if not (low <= number <= high and number < math.inf):
        meant = f"{low:g} to {high:g}" if high < 1e12 else "above 0" if 0 < low < 1 else f"{low:g} or more"
        raise UserError(f"--{name} is {number:g}, not {meant}.")
    if name in SIDES and number % 32:
        raise UserError(f"--{name} is {number:g}, not a multiple of 32.")
