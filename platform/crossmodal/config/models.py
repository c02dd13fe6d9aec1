"""Which model or baseline an experiment takes, before its own module has read how."""

from pydantic import ConfigDict

from crossmodal.config.base import Config


class ModelSettings(Config):
    """A kind, and settings that only the module of that kind can check (`crossmodal.models.registry`)."""

    model_config = ConfigDict(extra="allow")

    kind: str
