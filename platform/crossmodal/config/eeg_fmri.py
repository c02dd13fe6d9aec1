"""Recordings of EEG inside a scanner: the public datasets by name, and any in BIDS."""

from typing import Literal

from pydantic import Field

from crossmodal.config.recordings import AnyRecordings


class _EegFmri(AnyRecordings):
    """What all EEG-fMRI recordings can be told."""

    root: str
    subjects: tuple[str, ...] | None = Field(None, min_length=1, description="None takes all")
    dummy_volumes: int | None = Field(
        None, ge=0, description="volumes marked before the image's first one, and discarded; None asks for as many markers as volumes"
    )
    motion: str | None = Field(
        None,
        description="motion parameters (fMRIPrep's .tsv, FSL's .par or SPM's .txt); {subject}, {session} and {run} stand for labels, {name}"
        " for the EEG's file in BIDS without its suffix, as sub-01_task-rest_run-01",
    )
    transforms: str | None = Field(
        None, description="a 4 x 4 matrix of text from an image's world to the grid's, mm; named in the same way"
    )


class NoddiRecordings(_EegFmri):
    """NODDI at rest (OSF 94c5t): EEG/32/export/*.vhdr, artifacts removed, and fMRI/32/*_cross.nii.gz."""

    kind: Literal["noddi"] = "noddi"
    volume_marker: str = "Scan Start"


class OddballRecordings(_EegFmri):
    """Auditory and visual oddball (ds000116, its release 1 on OpenfMRI): sub001/EEG/task001_run001/*.mat and sub001/BOLD/."""

    kind: Literal["oddball"] = "oddball"
    eeg: Literal["EEG_noGA", "EEG_rereferenced"] = Field("EEG_noGA", description="43 bipolar pairs, or 34 electrodes made from them")
    runs: tuple[str, ...] | None = Field(None, min_length=1, description="as task001_run001; None takes all")
    # The EEG is started by the scanner and often stopped after it.
    dummy_volumes: int | None = Field(0, ge=0, description="volumes of the image's run that it lacks at its start")


class _BidsFmri(_EegFmri):
    runs: tuple[str, ...] | None = Field(None, min_length=1, description="run labels; None takes all")
    volume_marker: str = Field("R128", description="what BrainVision calls a volume, without its type")


class CnEpflRecordings(_BidsFmri):
    """CN-EPFL (ds002158): raw BrainVision at 5 kHz with gradients; set preprocessing.gradients to remove them."""

    kind: Literal["cn_epfl"] = "cn_epfl"
    task: str | None = "main"


class BidsFmriRecordings(_BidsFmri):
    """A BIDS dataset of EEG (BrainVision, EDF, BDF, EEGLAB or FIF) and BOLD recorded at once."""

    kind: Literal["bids_fmri"] = "bids_fmri"
    task: str | None = None
