"""Command line of the training package: `python -m training --help`."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from jsonargparse import ArgumentParser

import training
from training.data.films import write_prepared
from training.data.lineage import TrainingDataError, demand_clean_lineage
from training.data.manifest import read_manifest
from training.data.siim import read_siim
from training.evidence.augmentation_sheet import augmentations
from training.evidence.compare import compare
from training.evidence.compare_folds import compare_folds
from training.evidence.curves import curves
from training.evidence.explain import explain
from training.evidence.report import report
from training.evidence.shift import shift
from training.evidence.stress import stress
from training.learning.average import average
from training.learning.config import TrainingConfig
from training.learning.train import train
from training.releasing.evaluate import evaluate
from training.releasing.fit_orientation import fit_orientation, measure_doubts
from training.releasing.release import release


def prepare(
    source: Path,
    out: Path,
    annotations: Path | None = None,
    patients: Path | None = None,
    size: int = 512,
    unknown_patients: bool = False,
) -> None:
    """Bring a data set into the form that training reads.

    Args:
        source: Folder with manifest.csv, images/ and masks/; or, with annotations, a DICOM tree.
        out: Folder to write.
        annotations: SIIM-ACR's train-rle.csv, if that is what the source is.
        patients: Table ImageId, PatientId for SIIM-ACR, whose own patient ids are not reliable.
        size: Side of the stored films, in pixels: at least the largest training size.
        unknown_patients: Whether train may hold films without a patient id although val or test have them.
    """
    films = list(read_manifest(source) if annotations is None else read_siim(source, annotations, patients))
    records = pd.DataFrame([film.record for film in films])
    demand_clean_lineage(records, np.flatnonzero(records["split"] == "train"), unknown_patients)
    table = write_prepared(films, out, size)
    if table["patient_id"].is_unique:
        print("Warning: no two films share a patient id; if ids are not real, a patient may be in several splits.")
    print(table.groupby(["split", "label_source", "label"]).size().to_string())


COMMANDS = (
    *(prepare, train, average, evaluate, release, report, stress, compare, compare_folds, curves),
    *(explain, shift, augmentations, fit_orientation, measure_doubts),
)


def build_parser() -> ArgumentParser:
    """Make a command of every function, and its flags of the function's parameters."""
    parser = ArgumentParser(prog="python -m training", description=training.__doc__)
    commands = parser.add_subcommands(required=True)
    for function in COMMANDS:
        command = ArgumentParser(description=function.__doc__.splitlines()[0])
        if function is train:  # its settings are flags of their own, or a YAML file's
            command.add_argument("--config", action="config", help="YAML file with any of the settings below.")
            command.add_class_arguments(TrainingConfig, as_group=False)
        else:
            command.add_function_arguments(function, as_group=False)
        commands.add_subcommand(function.__name__, command)
    return parser


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line and run one command."""
    parser = build_parser()
    chosen = parser.instantiate(parser.parse_args(arguments))
    settings = vars(chosen[chosen.subcommand])
    if chosen.subcommand == "train":
        settings.pop("config")
        settings = {"config": TrainingConfig(**settings)}
    functions = {function.__name__: function for function in COMMANDS}
    try:
        functions[chosen.subcommand](**settings)
    except TrainingDataError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
