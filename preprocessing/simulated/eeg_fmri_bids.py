"""Write a simulated EEG-fMRI cohort as BIDS: BrainVision with volume markers beside NIfTI, and the truth."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import nibabel
import numpy as np
import pybv

from crossmodal.config.simulation import EegFmriSimulation
from crossmodal.physics.cap import CAP
from preprocessing.simulated.eeg_fmri import FmriRun, FmriSubject, template_anatomy
from preprocessing.simulated.oddball import RESPONSE, OddballEvents
from preprocessing.simulated.rhythms import POWER_RATE_HZ, Rhythms
from preprocessing.simulated.smooth_maps import smooth_maps

REST, ODDBALL = "rest", "oddball"
# Of events but the button, s.
_EVENT_S = 0.2
# Written as Response/R128, which amplifiers make of the scanner's trigger.
_VOLUME_CODE = 128
_BESIDE = ("ECG", "Resp")
# Columns as fMRIPrep calls them.
_MOTION = ("trans_x", "trans_y", "trans_z", "rot_x", "rot_y", "rot_z")


def write_fmri_dataset(root: Path, simulation: EegFmriSimulation) -> None:
    """Write what describes the whole dataset, the atlas of its regions on the template, and maps that know nothing of these regions."""
    description = {"Name": f"Simulated EEG and BOLD ({simulation.cohort})", "BIDSVersion": "1.8.0", "License": "CC0", "DatasetType": "raw"}
    _write_json(root / "dataset_description.json", description)
    (root / "README").write_text(
        "Simulated simultaneous EEG and BOLD: no person was recorded. derivatives/truth holds the power behind every recording, the\n"
        "response it would cause without noise, the atlas of regions, smooth maps that cover the brain whatever its regions, and each\n"
        "person's transform to the template. The scanner starts after the EEG; Response/R128 marks each volume. ECG and a respiratory\n"
        "belt lie beside the EEG, motion parameters in derivatives/motion.\n"
    )
    anatomy = template_anatomy(simulation)
    truth = root / "derivatives" / "truth"
    nibabel.save(nibabel.Nifti1Image(anatomy.atlas, anatomy.affine), truth / "atlas.nii.gz")
    nibabel.save(nibabel.Nifti1Image(smooth_maps(anatomy.brain), anatomy.affine), truth / "maps.nii.gz")
    rows = [f"{number}\tregion{number:02d}\n" for number in range(1, simulation.regions + 1)]
    (truth / "atlas.tsv").write_text("index\tname\n" + "".join(rows))
    labels = sorted(path.name for path in root.glob("sub-*"))
    (root / "participants.tsv").write_text("participant_id\n" + "".join(f"{label}\n" for label in labels))


def write_fmri_subject(root: Path, subject: FmriSubject) -> None:
    """Write where a person's scanner coordinates lie in the template's, mm, and where the regions are in the head, m."""
    np.savetxt(_truth(root, subject) / f"sub-{subject.label}_to-template.txt", subject.to_template)
    nearest_m = np.linalg.norm(subject.centres[:, None] - subject.positions, axis=2).min(axis=1)
    rows = [
        [f"region{number:02d}", *(f"{value:.4f}" for value in (*centre_m, distance_m))]
        for number, (centre_m, distance_m) in enumerate(zip(subject.centres, nearest_m, strict=True), start=1)
    ]
    _write_table(_truth(root, subject) / f"sub-{subject.label}_regions.tsv", ("name", "x", "y", "z", "nearest_electrode"), rows)


def write_fmri_run(root: Path, subject: FmriSubject, session: int | None, number: int, run: FmriRun, simulation: EegFmriSimulation) -> None:
    """Write one recording: EEG, image and truth."""
    task = ODDBALL if run.events else REST
    folders = [f"sub-{subject.label}", *([f"ses-{session:02d}"] if session else [])]
    stem = "_".join([*folders, f"task-{task}", f"run-{number:02d}"])
    eeg, func = (root.joinpath(*folders, part) for part in ("eeg", "func"))
    for folder in (eeg, func, _truth(root, subject)):
        folder.mkdir(parents=True, exist_ok=True)
    motion = root / "derivatives" / "motion" / f"sub-{subject.label}"
    motion.mkdir(parents=True, exist_ok=True)
    called = stem if simulation.sessions or simulation.oddball else f"sub-{subject.label}_run-{number:02d}"
    _write_table(motion / f"{called}_motion.tsv", _MOTION, [[f"{value:.6f}" for value in row] for row in run.motion])
    if run.events:
        _write_events(eeg / f"{stem}_events.tsv", run.events, since_s=0.0)
        _write_events(func / f"{stem}_events.tsv", run.events, since_s=float(run.onset_s[0]))
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
    _write_table(eeg / f"{stem}_channels.tsv", ("name", "type", "units"), channels)
    _write_json(eeg / f"{stem}_eeg.json", {"TaskName": task, "SamplingFrequency": simulation.sfreq, "EEGReference": "left ear"})
    image = nibabel.Nifti1Image(np.round(run.image).astype(np.int16), np.linalg.inv(subject.to_template) @ subject.anatomy.affine)
    image.header.set_zooms((*[simulation.voxel_mm] * 3, simulation.tr_s))
    image.header.set_xyzt_units("mm", "sec")
    nibabel.save(image, func / f"{stem}_bold.nii.gz")
    _write_json(func / f"{stem}_bold.json", {"TaskName": task, "RepetitionTime": simulation.tr_s})
    rhythms = Rhythms.of(simulation)
    np.savez(
        _truth(root, subject) / f"{stem}_truth.npz",
        power=run.power,
        power_rate_hz=POWER_RATE_HZ,
        bands=np.array(rhythms.bands_g),
        strength=simulation.change_percent * run.coupling.strength_rg * run.coupling.is_shown_r[:, None],
        peak_s=run.coupling.peak_s_r,
        response=run.response,
        confounds=run.confounds,
        onset_s=run.onset_s,
        patterns=subject.patterns,
    )


def _truth(root: Path, subject: FmriSubject) -> Path:
    return root / "derivatives" / "truth" / f"sub-{subject.label}"


def _write_events(path: Path, events: OddballEvents, since_s: float) -> None:
    """Write events with their onsets since the beginning of a recording, which is `since_s` on the EEG's clock."""
    rows = [
        (f"{onset_s - since_s:.4f}", "0" if kind == RESPONSE else f"{_EVENT_S:g}", kind)
        for onset_s, kind in zip(events.onset_s, events.trial_type, strict=True)
    ]
    _write_table(path, ("onset", "duration", "trial_type"), rows)


def _write_table(path: Path, titles: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    path.write_text("".join("\t".join(row) + "\n" for row in (titles, *rows)), encoding="utf-8")


def _write_json(path: Path, content: Mapping[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n")
