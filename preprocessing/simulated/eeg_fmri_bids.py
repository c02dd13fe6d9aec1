"""Write a simulated EEG-fMRI cohort as BIDS: BrainVision with volume markers beside NIfTI, and the truth."""

import json
from collections.abc import Mapping
from pathlib import Path

import nibabel
import numpy as np
import pybv

from crossmodal.config.simulation import EegFmriSimulation
from crossmodal.physics.cap import CAP
from preprocessing.simulated.eeg_fmri import POWER_RATE_HZ, FmriRun, FmriSubject, template_anatomy

TASK = "rest"
# Written as Response/R128, which amplifiers make of the scanner's trigger.
_VOLUME_CODE = 128
_BESIDE = ("ECG", "Resp")
# Columns as fMRIPrep calls them.
_MOTION = ("trans_x", "trans_y", "trans_z", "rot_x", "rot_y", "rot_z")


def write_fmri_dataset(root: Path, simulation: EegFmriSimulation) -> None:
    """Write what describes the whole dataset, and the atlas of its regions on the template."""
    description = {"Name": f"Simulated EEG and BOLD ({simulation.cohort})", "BIDSVersion": "1.8.0", "License": "CC0", "DatasetType": "raw"}
    _write_json(root / "dataset_description.json", description)
    (root / "README").write_text(
        "Simulated simultaneous EEG and BOLD: no person was recorded. derivatives/truth holds the power behind every recording, the\n"
        "response it would cause without noise, the atlas of regions and each person's transform to the template. The scanner starts\n"
        "after the EEG; Response/R128 marks each volume. ECG and a respiratory belt lie beside the EEG, motion parameters in\n"
        "derivatives/motion.\n"
    )
    anatomy = template_anatomy(simulation)
    truth = root / "derivatives" / "truth"
    nibabel.save(nibabel.Nifti1Image(anatomy.atlas, anatomy.affine), truth / "atlas.nii.gz")
    rows = [f"{number}\tregion{number:02d}\n" for number in range(1, simulation.regions + 1)]
    (truth / "atlas.tsv").write_text("index\tname\n" + "".join(rows))
    labels = sorted(path.name for path in root.glob("sub-*"))
    (root / "participants.tsv").write_text("participant_id\n" + "".join(f"{label}\n" for label in labels))


def write_fmri_subject(root: Path, subject: FmriSubject) -> None:
    """Write where a person's scanner coordinates lie in the template's, mm."""
    np.savetxt(_truth(root, subject) / f"sub-{subject.label}_to-template.txt", subject.to_template)


def write_fmri_run(root: Path, subject: FmriSubject, number: int, run: FmriRun, simulation: EegFmriSimulation) -> None:
    """Write one recording: EEG, image and truth."""
    stem = f"sub-{subject.label}_task-{TASK}_run-{number:02d}"
    eeg, func = (root / f"sub-{subject.label}" / part for part in ("eeg", "func"))
    for folder in (eeg, func, _truth(root, subject)):
        folder.mkdir(parents=True, exist_ok=True)
    motion = root / "derivatives" / "motion" / f"sub-{subject.label}"
    motion.mkdir(parents=True, exist_ok=True)
    rows = ["\t".join(f"{value:.6f}" for value in row) for row in run.motion]
    (motion / f"sub-{subject.label}_run-{number:02d}_motion.tsv").write_text("\n".join(["\t".join(_MOTION), *rows]) + "\n")
    samples = np.round(run.onset_s * simulation.sfreq).astype(int)
    pybv.write_brainvision(
        data=np.vstack([run.eeg, run.ecg, run.respiration]),
        sfreq=simulation.sfreq,
        ch_names=[*CAP, *_BESIDE],
        fname_base=f"{stem}_eeg",
        folder_out=str(eeg),
        events=[{"onset": int(sample), "duration": 1, "description": _VOLUME_CODE, "type": "Response"} for sample in samples],
        unit="µV",
    )
    channels = [*((name, "EEG", "µV") for name in CAP), ("ECG", "ECG", "µV"), ("Resp", "RESP", "µV")]
    rows = ["\t".join(row) for row in (("name", "type", "units"), *channels)]
    (eeg / f"{stem}_channels.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    _write_json(eeg / f"{stem}_eeg.json", {"TaskName": TASK, "SamplingFrequency": simulation.sfreq, "EEGReference": "left ear"})
    image = nibabel.Nifti1Image(np.round(run.image).astype(np.int16), np.linalg.inv(subject.to_template) @ subject.anatomy.affine)
    image.header.set_zooms((*[simulation.voxel_mm] * 3, simulation.tr_s))
    image.header.set_xyzt_units("mm", "sec")
    nibabel.save(image, func / f"{stem}_bold.nii.gz")
    _write_json(func / f"{stem}_bold.json", {"TaskName": TASK, "RepetitionTime": simulation.tr_s})
    np.savez(
        _truth(root, subject) / f"{stem}_truth.npz",
        power=run.power,
        power_rate_hz=POWER_RATE_HZ,
        response=run.response,
        confounds=run.confounds,
        onset_s=run.onset_s,
        patterns=subject.patterns,
    )


def _truth(root: Path, subject: FmriSubject) -> Path:
    return root / "derivatives" / "truth" / f"sub-{subject.label}"


def _write_json(path: Path, content: Mapping[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n")
