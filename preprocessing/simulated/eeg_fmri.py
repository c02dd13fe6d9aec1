"""One simulated person in a scanner: regions whose band power both the EEG and, through blood, the BOLD image show."""

from dataclasses import dataclass

import numpy as np
from mne.transforms import apply_trans
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from crossmodal.config.simulation import EegFmriSimulation, Simulation, SourceSpectrum
from crossmodal.physics.cap import CAP
from crossmodal.physics.cortex import template_cortex, template_head
from crossmodal.physics.gaussian import sample_signal
from crossmodal.physics.geometry import farthest_points
from crossmodal.physics.haemodynamics import RESPONSE_LENGTH_S, respond
from crossmodal.physics.sources import sensor_factor, source_components
from crossmodal.physics.truth import SubjectTruth
from preprocessing.simulated.activity import draw_activity
from preprocessing.simulated.body import at_times, draw_body, recorded_ecg, recorded_respiration
from preprocessing.simulated.bold_noise import draw_noise
from preprocessing.simulated.brightness import draw_brightness
from preprocessing.simulated.confounds import bold_changes, eeg_artifacts
from preprocessing.simulated.oddball import OddballEvents, evoked
from preprocessing.simulated.rhythms import POWER_RATE_HZ, PersonCoupling, Rhythms, draw_coupling
from preprocessing.simulated.subject import draw_subject, template_conductor

_REGION_RADIUS_M = 0.02
# Of fsaverage's brain, about its centre, mm.
_BRAIN_CENTRE_MM, _BRAIN_RADII_MM = np.array([0.0, -18.0, 12.0]), np.array([74.0, 92.0, 66.0])
_MARGIN_MM = 12.0


@dataclass(frozen=True)
class Anatomy:
    """Where things are on the template: the image's grid, the brain in it, and regions.

    Attributes
    ----------
    affine : float64 array, shape (4, 4)
        From voxels to fsaverage's surface coordinates, mm.
    brain : bool array, shape (X, Y, Z)
    atlas : int16 array, shape (X, Y, Z)
        0 outside regions, then 1 and on.
    dipoles : list of int array
        Of the template cortex, a region each.
    """

    affine: NDArray[np.float64]
    brain: NDArray[np.bool_]
    atlas: NDArray[np.int16]
    dipoles: list[NDArray[np.intp]]


@dataclass(frozen=True)
class FmriSubject:
    """A person in the scanner.

    Attributes
    ----------
    positions : float64 array, shape (n_electrodes, 3)
        Of the electrodes, head coordinates, m.
    centres : float64 array, shape (n_regions, 3)
        Of the regions' dipoles, likewise.
    patterns : float64 array, shape (n_electrodes, n_regions)
        What the electrodes see of a region at unit power, V.
    background : SubjectTruth
        Of all that EEG shows besides.
    to_template : float64 array, shape (4, 4)
        From the person's scanner coordinates to the template's, mm.
    brightness : float64 array, shape (X, Y, Z)
        Mean of each voxel.
    """

    label: str
    anatomy: Anatomy
    positions: NDArray[np.float64]
    centres: NDArray[np.float64]
    patterns: NDArray[np.float64]
    background: SubjectTruth
    to_template: NDArray[np.float64]
    brightness: NDArray[np.float64]


@dataclass(frozen=True)
class FmriRun:
    """One run.

    Attributes
    ----------
    eeg : float64 array, shape (n_electrodes, n_times)
        V.
    onset_s : float64 array, shape (n_volumes,)
        Of volumes, s from the EEG's first sample.
    image : float32 array, shape (X, Y, Z, n_volumes)
    power : float64 array, shape (n_rhythms, n_powers)
        Relative power of each rhythm in the EEG at `POWER_RATE_HZ`, from the EEG's first sample.
    coupling : PersonCoupling
        How BOLD follows power.
    response : float64 array, shape (n_regions, n_volumes)
        Relative change of BOLD that power would cause without noise.
    confounds : float64 array, shape (n_regions, n_volumes)
        Relative change of BOLD that heartbeat, breath and movement cause besides; zero but in a confounded cohort.
    ecg, respiration : float64 array, shape (n_times,)
        Of electrodes on the chest and of a belt, V.
    motion : float64 array, shape (n_volumes, 6)
        Translations, mm, and rotations, rad.
    events : OddballEvents, optional
        None at rest.
    """

    eeg: NDArray[np.float64]
    onset_s: NDArray[np.float64]
    image: NDArray[np.float32]
    power: NDArray[np.float64]
    coupling: PersonCoupling
    response: NDArray[np.float64]
    confounds: NDArray[np.float64]
    ecg: NDArray[np.float64]
    respiration: NDArray[np.float64]
    motion: NDArray[np.float64]
    events: OddballEvents | None


def template_anatomy(simulation: EegFmriSimulation) -> Anatomy:
    """Lay out grid, brain and regions, the same for all subjects."""
    cortex = template_cortex(simulation.n_dipoles)
    centres = farthest_points(cortex.positions_m, simulation.regions)
    distance_m = np.linalg.norm(cortex.positions_m[:, None] - cortex.positions_m[centres], axis=2)
    dipoles = [np.flatnonzero(distance_m[:, region] < _REGION_RADIUS_M) for region in range(simulation.regions)]
    low_mm, shape = _grid(simulation)
    affine = np.diag([simulation.voxel_mm] * 3 + [1.0])
    affine[:3, 3] = low_mm
    world_mm = np.moveaxis(np.indices(shape), 0, -1) * simulation.voxel_mm + low_mm
    brain = (((world_mm - _BRAIN_CENTRE_MM) / _BRAIN_RADII_MM) ** 2).sum(-1) < 1
    centres_mm = 1e3 * apply_trans(template_head().head_to_mri, cortex.positions_m[centres])
    apart_mm = np.linalg.norm(world_mm[..., None, :] - centres_mm, axis=-1)
    # A region keeps its nearest voxels even where the brain's ellipsoid does not reach its cortex.
    apart_mm[~brain] = np.inf
    nearest = apart_mm.argmin(-1)
    reach_mm = np.maximum(1e3 * _REGION_RADIUS_M, apart_mm.min(axis=(0, 1, 2)) + simulation.voxel_mm)
    atlas = np.where(apart_mm.min(-1) < reach_mm[nearest], nearest + 1, 0).astype(np.int16)
    return Anatomy(affine, brain, atlas, dipoles)


def _grid(simulation: EegFmriSimulation) -> tuple[NDArray[np.float64], tuple[int, ...]]:
    """Where the centre of the image's first voxel lies, mm, and the image's shape."""
    if simulation.grid:
        return _BRAIN_CENTRE_MM - simulation.voxel_mm * (np.array(simulation.grid) - 1) / 2, simulation.grid
    reach_mm = _BRAIN_RADII_MM + _MARGIN_MM
    shape = np.ceil(2 * reach_mm / simulation.voxel_mm).astype(int) + 1
    return _BRAIN_CENTRE_MM - reach_mm, tuple(shape.tolist())


def draw_fmri_subject(simulation: EegFmriSimulation, label: str) -> FmriSubject:
    """Draw the person `label` of a cohort; the same one every time."""
    like = Simulation(
        root=simulation.root,
        seed=simulation.seed,
        subjects=simulation.subjects,
        sfreq=simulation.sfreq,
        n_dipoles=simulation.n_dipoles,
        anatomy=simulation.anatomy,
        spectrum=SourceSpectrum(alpha_power_ratio=0.0),
    )
    person = draw_subject(like, label, template_conductor(like))
    field = person.lead_field[[kind == "eeg" for kind in person.types]]
    anatomy = template_anatomy(simulation)
    rng = np.random.default_rng([simulation.seed, int(label), 3])
    patterns = np.column_stack([field[:, dipoles].sum(axis=1) for dipoles in anatomy.dipoles]) * simulation.region_moment_am
    limit_hz = simulation.sfreq / 2
    (component,) = source_components(person.cortex.positions_m, 0.02, simulation.background_moment_am, like.spectrum, limit_hz)
    noise = np.full(len(CAP), simulation.eeg_noise_v**2 / limit_hz)
    factor = sensor_factor(field, component.covariance)
    background = SubjectTruth(CAP, ("eeg",) * len(CAP), (factor,), (component.density,), noise, simulation.sfreq)
    to_template = np.eye(4)
    to_template[:3, :3] = Rotation.from_rotvec(np.deg2rad(simulation.anatomy.rotation_deg) * rng.standard_normal(3)).as_matrix()
    to_template[:3, 3] = 1e3 * simulation.anatomy.translation_m * rng.standard_normal(3)
    electrodes = [name for name, kind in zip(person.names, person.types, strict=True) if kind == "eeg"]
    positions_m = np.array([person.info["chs"][person.info["ch_names"].index(name)]["loc"][:3] for name in electrodes])
    centres_m = np.array([person.cortex.positions_m[dipoles].mean(axis=0) for dipoles in anatomy.dipoles])
    brightness = draw_brightness(simulation, anatomy.brain, label)
    return FmriSubject(label, anatomy, positions_m, centres_m, patterns, background, to_template, brightness)


def simulate_fmri_run(subject: FmriSubject, simulation: EegFmriSimulation, run: int, session: int = 1) -> FmriRun:
    """Draw one run of a session; the same one every time."""
    seeds = [simulation.seed, int(subject.label), 4, run + (session - 1) * simulation.runs]
    rng = np.random.default_rng(seeds)
    # The markers lie on samples.
    lead_in_s = round(rng.uniform(*simulation.lead_in_s) * simulation.sfreq) / simulation.sfreq
    onset_s = lead_in_s + np.round(simulation.tr_s * np.arange(simulation.n_volumes) * simulation.sfreq) / simulation.sfreq
    duration_s = lead_in_s + simulation.tr_s * simulation.n_volumes + 2.0
    rhythms = Rhythms.of(simulation)
    coupling = draw_coupling(simulation, rhythms, subject.label, session)
    activity = draw_activity(simulation, rhythms, coupling, run, duration_s, rng, seeds)
    before = round(RESPONSE_LENGTH_S * POWER_RATE_HZ)
    power = activity.power_gt[:, before:]
    answer = 1e-2 * simulation.change_percent * respond(activity.driving_rt, POWER_RATE_HZ, coupling.peak_s_r)[:, before:]
    power_s = np.arange(answer.shape[1]) / POWER_RATE_HZ
    response = np.array([np.interp(onset_s, power_s, row) for row in answer])
    n_times = round(duration_s * simulation.sfreq)
    eeg = _draw_eeg(subject, simulation, rhythms, power, n_times, rng)
    if simulation.oddball and activity.events:
        eeg += np.outer(subject.patterns.sum(axis=1), evoked(activity.events, simulation.oddball, n_times, simulation.sfreq))
    body_rng = np.random.default_rng([*seeds, 2])
    body = draw_body(simulation.physiology, duration_s, body_rng)
    ecg = recorded_ecg(body, n_times, simulation.sfreq, body_rng)
    confounds = np.zeros((simulation.regions + 1, simulation.n_volumes))
    if simulation.cohort == "confounded":
        eeg += eeg_artifacts(body, simulation.physiology, subject.positions, n_times, simulation.sfreq, body_rng)
        confounds = bold_changes(body, simulation.physiology, onset_s, simulation.regions, np.random.default_rng([simulation.seed, 5]))
    image = _draw_image(subject, simulation, np.vstack([np.zeros(simulation.n_volumes), response]) + confounds, rng)
    return FmriRun(
        eeg=eeg,
        onset_s=onset_s,
        image=image,
        power=power,
        coupling=coupling,
        response=response,
        confounds=confounds[1:],
        ecg=ecg,
        respiration=recorded_respiration(body, n_times, simulation.sfreq),
        motion=at_times(body, body.motion, onset_s),
        events=activity.events,
    )


def _draw_eeg(
    subject: FmriSubject,
    simulation: EegFmriSimulation,
    rhythms: Rhythms,
    power: NDArray[np.float64],
    n_times: int,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Band-limited noise of each rhythm with the power given, on the background, shape (n_electrodes, n_times), V."""
    spectrum = np.fft.rfft(rng.standard_normal((len(power), n_times)))
    frequencies_hz = np.fft.rfftfreq(n_times, 1 / simulation.sfreq)
    spectrum[(frequencies_hz < rhythms.hz_g2[:, :1]) | (frequencies_hz > rhythms.hz_g2[:, 1:])] = 0
    carrier = np.fft.irfft(spectrum, n_times)
    carrier /= carrier.std(axis=1, keepdims=True)
    times_s, power_s = np.arange(n_times) / simulation.sfreq, np.arange(power.shape[1]) / POWER_RATE_HZ
    amplitude = np.sqrt(np.array([np.interp(times_s, power_s, row) for row in power]))
    patterns = np.take(subject.patterns, rhythms.region_g, axis=1) * rhythms.moment_g
    return patterns @ (amplitude * carrier) + sample_signal(subject.background, n_times, rng)


def _draw_image(
    subject: FmriSubject, simulation: EegFmriSimulation, changes: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float32]:
    """Draw an image whose voxels change as given: outside regions, and in each, shape (n_regions + 1, n_volumes)."""
    n_volumes = changes.shape[1]
    change = changes[subject.anatomy.atlas]
    if simulation.noise:
        noise = draw_noise(simulation.noise, change.shape, simulation.voxel_mm, simulation.tr_s, simulation.noise_percent, rng)
    else:
        noise = 1e-2 * simulation.noise_percent * rng.standard_normal(change.shape)
    drift = 1e-2 * simulation.drift_percent * np.linspace(-0.5, 0.5, n_volumes)
    return (subject.brightness[..., None] * (1 + change + noise + drift)).astype(np.float32)
