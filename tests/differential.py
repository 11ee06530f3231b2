"""Compare our greys with DCMTK's, variant by variant: `python -m tests.differential`."""

import argparse
import sys
from collections.abc import Iterable

import numpy as np

from app.segmentation.reading.dicom_io import read_dicom
from tests.support.dcmtk import rendered
from tests.support.dicom_variants import Variant, colour_variants, grey_variants


def difference(variant: Variant) -> float:
    """The largest difference of a grey, in [0, 1], between our picture and DCMTK's."""
    ours = read_dicom(variant.data).image
    theirs = rendered(variant.for_dcmtk, *variant.options, compression=variant.compression)
    return float(np.abs(ours - theirs)[variant.margin :].max())


def differing(variants: Iterable[Variant]) -> tuple[int, list[str]]:
    """Compare variants; how many there were, and a line for each that differs more than it may."""
    found = [(variant, difference(variant)) for variant in variants]
    return len(found), [f"{variant.name}: {most:.4f}" for variant, most in found if most > variant.tolerance]


def main() -> None:
    """Compare all variants, or every so many-th."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="take every so many-th variant")
    every = parser.parse_args().every
    count, lines = differing([*grey_variants(), *colour_variants()][::every])
    print(*lines, sep="\n")
    print(f"{count} variants compared, {len(lines)} differ.")
    sys.exit(bool(lines))


if __name__ == "__main__":
    main()
