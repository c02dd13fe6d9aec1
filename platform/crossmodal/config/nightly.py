"""What a night may spend."""

from pydantic import Field

from crossmodal.config.base import Config


class Nightly(Config):
    """Settings of jobs/nightly.py; what its trials vary, and how many there are in all, is `tuning`'s affair."""

    search_hours: float = Field(
        6.0, gt=0, description="that trials of one night may take; those that run then are stopped, and go on the next night"
    )
    confirmation_subjects: tuple[str, ...] | None = Field(
        None,
        min_length=1,
        description="that no search sees, and that decide on the title; None draws half, at least 6 and at most 16, by the seed",
    )
