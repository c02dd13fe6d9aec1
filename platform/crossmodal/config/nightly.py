"""What a night may spend."""

from pydantic import Field

from crossmodal.config.base import Config


class Nightly(Config):
    """Settings of jobs/nightly.py; what its trials vary, and how many there are in all, is `tuning`'s affair."""

    search_hours: float = Field(
        6.0, gt=0, description="that trials of one night may take; those that run then are stopped, and go on the next night"
    )
