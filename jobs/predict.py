"""Predict what the target sensors would have recorded, from a recording of the input alone: a virtual recording in FIF."""

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from command import run_job

if TYPE_CHECKING:
    from crossmodal.config import Experiment


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--recording",
        required=True,
        metavar="PATH",
        help="FIF, CTF, KIT, BTi, EDF, BDF, BrainVision, EEGLAB or ds000116's MATLAB files, or averages (-ave.fif); local or s3://",
    )
    parser.add_argument("--output", type=Path, metavar="PATH_raw.fif", help="default: the recording's name with _virtual_raw.fif, here")
    parser.add_argument("--condition", help="of a file of averages (-ave.fif), which one; only for the task cortex")
    parser.add_argument(
        "--forward", metavar="PATH-fwd.fif", help="the subject's own forward solution, for a model of the cortex that reads lead fields"
    )
    parser.add_argument(
        "--spheres", nargs=2, metavar=("lh.sphere.reg", "rh.sphere.reg"), help="of that subject, where --forward is not on fsaverage"
    )
    parser.add_argument("--fold", help="which fold's model predicts; default: the first")


def predict(experiment: "Experiment", arguments: argparse.Namespace) -> None:
    """Find the trained model of a fold, run it, and write the virtual recording."""
    from crossmodal.config import UserError
    from crossmodal.tasks.contract import ForwardFiles
    from crossmodal.training.prediction import predict_recording
    from preprocessing.prediction_input import clean_input

    if arguments.spheres and not arguments.forward:
        raise UserError("--spheres: say where the vertices of --forward lie; give that, too, or leave them out")
    forward = ForwardFiles(arguments.forward, tuple(arguments.spheres or ())) if arguments.forward else None
    clean = partial(clean_input, condition=arguments.condition)
    written = predict_recording(experiment, arguments.recording, arguments.output, arguments.fold, clean, forward)
    for note in written.notes:
        print(f"{arguments.recording}: {note}")
    print(f"{written.path}: {written.told}, by the model of fold {written.fold}")


if __name__ == "__main__":
    run_job(__doc__, predict, _options)
