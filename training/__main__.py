"""Command line of the training package: `python -m training --help`."""

import importlib
import sys
from collections.abc import Callable, Iterable

from jsonargparse import ArgumentParser

import training
from training.data.lineage import TrainingDataError

COMMANDS = {
    "prepare": "training.data.prepare",
    "pack": "training.data.archive",
    "unpack": "training.data.archive",
    "begin": "training.learning.begin",
    "train": "training.learning.train",
    "average": "training.learning.average",
    "evaluate": "training.releasing.evaluate",
    "release": "training.releasing.release",
    "graph": "training.releasing.graph",
    "quantise": "training.releasing.quantise",
    "report": "training.evidence.report",
    "stress": "training.evidence.stress",
    "compare": "training.evidence.compare",
    "compare_folds": "training.evidence.compare_folds",
    "curves": "training.evidence.curves",
    "explain": "training.evidence.explain",
    "shift": "training.evidence.shift",
    "augmentations": "training.evidence.augmentation_sheet",
    "fit_orientation": "training.releasing.fit_orientation",
    "measure_doubts": "training.releasing.fit_orientation",
}
"""Where each command is. Only the one that is called is imported: a machine that trains needs no DICOM codecs."""


def function_of(command: str) -> Callable:
    """Import a command."""
    return getattr(importlib.import_module(COMMANDS[command]), command)


def build_parser(names: Iterable[str] = COMMANDS) -> ArgumentParser:
    """Make a command of every function that is named, and its flags of the function's parameters."""
    parser = ArgumentParser(prog="python -m training", description=training.__doc__)
    commands = parser.add_subcommands(required=True)
    for name in names:
        function = function_of(name)
        command = ArgumentParser(description=(function.__doc__ or "").splitlines()[0])
        if name == "train":  # its settings are flags of their own, or a YAML file's
            from training.learning.config import TrainingConfig

            command.add_argument("--config", action="config", help="YAML file with any of the settings below.")
            command.add_class_arguments(TrainingConfig, as_group=False)
        else:
            command.add_function_arguments(function, as_group=False)
        commands.add_subcommand(name, command)
    return parser


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line and run one command."""
    arguments = sys.argv[1:] if arguments is None else arguments
    parser = build_parser([arguments[0]] if arguments and arguments[0] in COMMANDS else COMMANDS)
    chosen = parser.instantiate(parser.parse_args(arguments))
    settings = vars(chosen[chosen.subcommand])
    if chosen.subcommand == "train":
        from training.learning.config import TrainingConfig

        settings.pop("config")
        settings = {"config": TrainingConfig(**settings)}
    try:
        function_of(chosen.subcommand)(**settings)
    except TrainingDataError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
