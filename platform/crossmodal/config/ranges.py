"""Settings that are drawn anew each time, between two ends."""

from typing import Annotated

from pydantic import AfterValidator


def _in_order(ends: tuple[float, float]) -> tuple[float, float]:
    if ends[0] > ends[1]:
        raise ValueError("the lower end comes first")
    return ends


def _positive(ends: tuple[float, float]) -> tuple[float, float]:
    if ends[0] <= 0:
        raise ValueError("both ends must be above 0")
    return ends


Range = Annotated[tuple[float, float], AfterValidator(_in_order)]
PositiveRange = Annotated[Range, AfterValidator(_positive)]
