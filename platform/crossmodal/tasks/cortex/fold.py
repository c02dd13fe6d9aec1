"""A fold whose samples are simulated."""

from dataclasses import dataclass

from crossmodal.datasets.feed import Feed
from crossmodal.datasets.fold_data import FoldData
from crossmodal.tasks.cortex.heads import SimulatedHead


@dataclass(frozen=True)
class Matched:
    """Samples of the test subjects as training has them, beside which those of the test are unlike them.

    Attributes
    ----------
    test : Feed
        As many samples of each subject as in the test.
    heads : dict of str to SimulatedHead
        By subject.
    """

    test: Feed
    heads: dict[str, SimulatedHead]


@dataclass(frozen=True)
class CortexFold(FoldData):
    """A fold whose samples are simulated.

    Attributes
    ----------
    heads : dict of str to SimulatedHead
        By subject.
    matched : Matched or None
        None where test samples are made as those of training.
    """

    heads: dict[str, SimulatedHead]
    matched: Matched | None = None
