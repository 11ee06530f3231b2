"""Command line of the training package: `python -m training --help`."""

import ast
import importlib
import io
import sys
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from jsonargparse import ArgumentParser, Namespace

import training
from app.segmentation.errors import PleuraError
from training.bounds import demand_sense
from training.errors import UserError

COMMANDS = {
    "prepare": "training.data.prepare",
    "pack": "training.data.archive",
    "unpack": "training.data.archive",
    "begin": "training.learning.begin",
    "train": "training.learning.train",
    "search": "training.learning.search",
    "average": "training.learning.average",
    "evaluate": "training.releasing.evaluate",
    "release": "training.releasing.release",
    "phantom": "training.releasing.phantom.drawing",
    "accept": "training.acceptance.accept",
    "graph": "training.releasing.graph",
    "quantise": "training.releasing.quantise",
    "report": "training.evidence.report",
    "stress": "training.evidence.stress",
    "compare": "training.evidence.compare",
    "compare_folds": "training.evidence.compare_folds",
    "elsewhere": "training.evidence.own_films",
    "own_films": "training.evidence.own_films",
    "curves": "training.evidence.curves",
    "explain": "training.evidence.explain",
    "shift": "training.evidence.shift",
    "augmentations": "training.evidence.augmentation_sheet",
    "fit_orientation": "training.releasing.fit_orientation",
    "measure_doubts": "training.evidence.measure_doubts",
}
"""Where each command is. Only the one that is called is imported: a machine that trains needs no DICOM codecs."""


def function_of(command: str) -> Callable:
    """Import a command."""
    return getattr(importlib.import_module(COMMANDS[command]), command)


def summary_of(command: str) -> str:
    """Say what a command does: the first line of its docstring, read without importing what it needs."""
    spec = find_spec(COMMANDS[command])
    tree = ast.parse(Path(str(spec and spec.origin)).read_text("utf-8"))
    (function,) = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == command]
    return (ast.get_docstring(function) or "").partition("\n")[0]


def build_parser(names: Iterable[str] = COMMANDS) -> ArgumentParser:
    """Make a command of every function, and flags of the parameters of those that are named."""
    parser = ArgumentParser(prog="python -m training", description=training.__doc__)
    commands = parser.add_subcommands(required=True)
    for name in COMMANDS:
        summary = summary_of(name)
        command = ArgumentParser(description=summary)
        if name not in names:
            pass
        elif name == "train":  # its settings are flags of their own, or a YAML file's
            from training.learning.config import TrainingConfig

            command.add_argument("--config", action="config", help="YAML file with any of the settings below.")
            command.add_class_arguments(TrainingConfig, as_group=False)
        else:
            command.add_function_arguments(function_of(name), as_group=False)
        for action in command._actions:
            if getattr(action, "_typehint", None) is bool:  # its name alone says yes
                action.nargs, action.const = "?", True
        commands.add_subcommand(name, command, help=summary)
    return parser


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line and run one command."""
    arguments = sys.argv[1:] if arguments is None else arguments
    parser = build_parser(arguments[:1])
    parsed = parser.parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a file's name may be no text
    try:
        demand_sense(vars(parsed[parsed.subcommand].as_flat()))
        settings = _settings(parser, parsed)
        result = function_of(parsed.subcommand)(**settings)
    except (UserError, PleuraError) as error:
        sys.exit(f"error: {error}")
    except OSError as error:
        sys.exit(f"error: {f'{error.filename}: {error.strerror}.' if error.filename else error}")
    except KeyboardInterrupt:
        sys.exit(130)
    if parsed.subcommand == "accept" and result:
        sys.exit(result)


def _settings(parser: ArgumentParser, parsed: Namespace) -> dict[str, Any]:
    """Make of flags what a command takes."""
    try:
        settings = vars(parser.instantiate(parsed)[parsed.subcommand])
    except ValueError as error:  # of an architecture that there is none of
        raise UserError(f"{error}.") from error
    if parsed.subcommand == "train":
        from training.learning.config import TrainingConfig

        settings.pop("config")
        settings = {"config": TrainingConfig(**settings)}
    return settings


if __name__ == "__main__":
    main()
