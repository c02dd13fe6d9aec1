"""Which process did something, so that another can tell whether it still runs."""

import platform
from typing import NamedTuple, Self

import psutil

_SAME_START_S = 2.0


class Process(NamedTuple):
    """A process told from all others, those of the same number before and after it included.

    Attributes
    ----------
    host : str
        The machine's name.
    name : str
        Number and start, s since 1970.
    """

    host: str
    name: str

    @classmethod
    def this(cls) -> Self:
        """The one that asks."""
        process = psutil.Process()
        return cls(platform.node(), f"{process.pid} {process.create_time():.0f}")

    @property
    def is_here(self) -> bool:
        """Whether it was started on this machine, where alone `is_alive` can be asked."""
        return self.host == platform.node()

    @property
    def is_alive(self) -> bool:
        """Whether it still runs."""
        assert self.is_here
        try:
            # Where a clock is set right meanwhile, starts move with it by fractions of a second.
            return abs(psutil.Process(self.number).create_time() - float(self.name.split()[1])) < _SAME_START_S
        except psutil.NoSuchProcess:
            return False

    @property
    def number(self) -> int:
        """By which the machine knows it while it runs."""
        return int(self.name.split()[0])
