"""One simulated person: head, cortex, position in the helmet, and what the sensors see of the cortex."""

from dataclasses import dataclass

import mne
import numpy as np
from numpy.typing import NDArray

from crossmodal.config.simulation import AnySimulation, Simulation
from crossmodal.physics.anatomy import deviates, tilted
from crossmodal.physics.bem import template_boundary_elements
from crossmodal.physics.cortex import template_cortex, template_head
from crossmodal.physics.geometry import Dipoles, fit_sphere
from crossmodal.physics.head import HeadModel, lead_field, located_channels, meg_positions_m, relative_radius, sphere_head, upper_scalp
from preprocessing.simulated.sensors import sensor_info


@dataclass(frozen=True)
class Subject:
    """A person in the helmet; `lead_field` rows are the channels `names`, in SI units, EEG at its own reference."""

    label: str
    head_scale: float
    info: mne.Info
    head: HeadModel
    cortex: Dipoles
    names: tuple[str, ...]
    types: tuple[str, ...]
    lead_field: NDArray[np.float64]


def subject_labels(simulation: AnySimulation) -> list[str]:
    """BIDS labels of the cohort, as 01, 02, ..."""
    width = max(2, len(str(simulation.subjects)))
    return [f"{number:0{width}d}" for number in range(1, simulation.subjects + 1)]


def template_conductor(simulation: Simulation) -> HeadModel:
    """Solve the template head once; subjects are other sizes of it."""
    if simulation.head_model == "bem":
        return template_boundary_elements()
    return sphere_head(upper_scalp(template_head().scalp_m))


def draw_subject(simulation: Simulation, label: str, conductor: HeadModel) -> Subject:
    """Draw the person `label` of a cohort; the same one every time.

    Parameters
    ----------
    simulation : Simulation
        Its seed and anatomy.
    label : str
        Of `subject_labels`.
    conductor : HeadModel
        Of `template_conductor`.
    """
    rng = np.random.default_rng([simulation.seed, int(label), 0])
    scale, info = _draw_fitting(simulation, rng)
    head = conductor.scaled(scale)
    cortex = template_cortex(simulation.n_dipoles)
    orientations = tilted(cortex.orientations, simulation.anatomy.normal_deg, rng)
    cortex = head.confine(Dipoles(cortex.positions_m * scale, orientations))
    located = mne.pick_info(info, [index for index, channel in enumerate(info["chs"]) if channel["loc"].any()])
    types = tuple(located.get_channel_types())
    return Subject(label, scale, info, head, cortex, located_channels(located), types, lead_field(located, cortex, head))


def _draw_fitting(simulation: Simulation, rng: np.random.Generator) -> tuple[float, mne.Info]:
    """Draw size and position of a head until one fits the helmet; relative size, and sensors around it."""
    anatomy, scalp_m = simulation.anatomy, upper_scalp(template_head().scalp_m)
    while True:
        scale = 1 + anatomy.head_size * float(deviates(rng, 1)[0])
        rotation_vector = np.deg2rad(anatomy.rotation_deg) * deviates(rng, 3)
        shift_m = anatomy.translation_m * deviates(rng, 3)
        info = sensor_info(simulation.sfreq, scale, rotation_vector, shift_m)
        centre_m, _ = fit_sphere(scalp_m * scale)
        if (relative_radius(meg_positions_m(info), scalp_m * scale, centre_m) > 1).all():
            return scale, info
