"""Which regions the cortex is divided into."""

from typing import Annotated, Literal

from pydantic import Field

from crossmodal.config.base import Config


class TemplateRegions(Config):
    """The platform's own sixty: alike in area and as many in each hemisphere."""

    kind: Literal["template"] = "template"


class RandomRegions(Config):
    """Regions that grow from random vertices of fsaverage5, as `mne.random_parcellation` makes them, the medial wall left out."""

    kind: Literal["random"] = "random"
    n: int = Field(100, ge=4, le=2000, multiple_of=2, description="half of them in each hemisphere")
    seed: int = Field(0, ge=0)


class AnnotatedRegions(Config):
    """Regions of two .annot files of FreeSurfer on fsaverage5, fsaverage6 or fsaverage."""

    kind: Literal["annot"] = "annot"
    left: str = Field(description="file of the left hemisphere")
    right: str = Field(description="file of the right hemisphere")
    leave_out: tuple[str, ...] = Field(
        ("unknown", "???", "corpuscallosum", "medialwall"),
        description="names of what is no cortex; case, blanks and underscores do not count",
    )


Parcellation = Annotated[TemplateRegions | RandomRegions | AnnotatedRegions, Field(discriminator="kind")]
