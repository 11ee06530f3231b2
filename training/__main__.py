"""Command line of the training package: `python -m training --help`."""

from pathlib import Path

from jsonargparse import ArgumentParser

import training
from training.config import TrainingConfig
from training.data.films import write_prepared
from training.data.manifest import read_manifest


def prepare(source: Path, out: Path, size: int = 512) -> None:
    """Bring a data set into the form that training reads.

    Args:
        source: Folder with `manifest.csv`, `images/` and `masks/`.
        out: Folder to write.
        size: Side of the stored films, in pixels: at least the largest training size.
    """
    table = write_prepared(read_manifest(source), out, size)
    print(table.groupby(["split", "label_source", "label"]).size().to_string())


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line and run one command."""
    parser = ArgumentParser(prog="python -m training", description=training.__doc__)
    commands = parser.add_subcommands(required=True)
    for function in (prepare,):
        command = ArgumentParser(description=function.__doc__.splitlines()[0])
        command.add_function_arguments(function)
        commands.add_subcommand(function.__name__, command)
    command = ArgumentParser(description="Train a network, or go on with a training that was interrupted.")
    command.add_argument("--config", action="config", help="YAML file with any of the settings below.")
    command.add_class_arguments(TrainingConfig, as_group=False)
    commands.add_subcommand("train", command)

    chosen = parser.instantiate(parser.parse_args(arguments))
    settings = vars(chosen[chosen.subcommand])
    settings.pop("config", None)
    if chosen.subcommand == "train":
        from training.train import train

        train(TrainingConfig(**settings))
    else:
        globals()[chosen.subcommand](**settings)


if __name__ == "__main__":
    main()
