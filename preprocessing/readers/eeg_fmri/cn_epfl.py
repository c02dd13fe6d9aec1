"""CN-EPFL (Pereira et al. 2020; ds002158): BIDS with raw BrainVision at 5 kHz, the scanner's gradients still in it.

Headers name the files as the amplifier did (s2_run1_08062017.eeg), not as BIDS renamed them.
"""

from crossmodal.config.eeg_fmri import CnEpflRecordings
from preprocessing.readers.eeg_fmri.bids import list_bids_fmri
from preprocessing.readers.entry import Entry

GRADIENTS_LEFT = "was recorded with the scanner's gradients still in its EEG; set preprocessing.gradients={} to take them off"


def list_cn_epfl(recordings: CnEpflRecordings) -> list[Entry]:
    """List the runs of each subject.

    Raises
    ------
    UserError
        There is no such dataset, subject or run.
    """
    return list_bids_fmri(recordings)
