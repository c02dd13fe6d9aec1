"""Dictionaries of atoms by where sensors are, for networks that meet many heads in a batch.

Shape suffixes: b batch, c channel, p head point.
"""

from collections import OrderedDict
from typing import NamedTuple

import mne
import numpy as np
import torch
from numpy.typing import NDArray

from crossmodal.config import UserError
from crossmodal.config.channel_types import CHANNEL_TYPES, SIMULATED_UNITS
from crossmodal.config.signal_spec import Cortex, SignalPair
from crossmodal.models.classical_parts.atoms import Atoms, atoms_of
from crossmodal.models.classical_parts.cortical_field import reached_directions
from crossmodal.physics.head import average_referenced
from crossmodal.physics.helmet import beside, device_places_m, moved_onto, named_sensors
from crossmodal.physics.own_lead_field import OwnLeadField
from crossmodal.physics.parcellation import regions_of
from crossmodal.physics.places import Places
from crossmodal.physics.template import template_lead_field

# Of the dictionaries that were made last; each takes some MB.
_MOST_KEPT = 256


class _OwnCortex(NamedTuple):
    """What `Atoms.with_field` takes of one subject."""

    field_cd: torch.Tensor
    weights_ad: torch.Tensor
    membership_rd: torch.Tensor


class PlacedAtoms:
    """Makes the dictionary of each set of places once, and keeps it, in the units of simulated signals; EEG is at the average reference.

    Electrodes may be any; MEG is that of the signals.

    Parameters
    ----------
    signals : SignalPair
        Names regions and sensors.
    weights_ad : Tensor, shape (n_atoms, n_dipoles)
    n_heads : int
        As of `atoms_of`.

    Raises
    ------
    UserError
        The signals have MEG of another array than the helmet.
    """

    def __init__(self, signals: SignalPair, weights_ad: torch.Tensor, n_heads: int) -> None:
        self._signals, self._target, self._weights_ad, self._n_heads = signals, signals.target, weights_ad, n_heads
        named = [name for name, kind in zip(signals.input.names, signals.input.types, strict=True) if kind != "eeg"]
        self._helmet = named_sensors(named) if named else None
        self._kept: OrderedDict[bytes, Atoms] = OrderedDict()
        self._own: _OwnCortex | None = None

    def with_lead_field(self, own: OwnLeadField, weights_av: torch.Tensor) -> "PlacedAtoms":
        """Give what takes the lead field of one subject's cortex, whose electrodes are those of all places from now on.

        How far fields differ between heads stays as it is without that field.

        Parameters
        ----------
        own : OwnLeadField
        weights_av : Tensor, shape (n_atoms, n_vertices)
            The same atoms over its vertices.

        Raises
        ------
        UserError
            The vertices are so few that an atom or a region has none.
        """
        assert isinstance(self._target.space, Cortex)
        regions = regions_of(self._target.space, self._target.names)
        membership_rv = torch.from_numpy(regions.of_vertices(own.vertices) == np.arange(len(regions.names))[:, None])
        empty = [name for name, inside_v in zip(regions.names, membership_rv, strict=True) if not inside_v.any()]
        n_lost = int((~weights_av.isfinite().all(1)).sum())
        if empty or n_lost:
            lost = f"region {', '.join(empty[:5])}" if empty else f"{n_lost} of {len(weights_av)} patches"
            raise UserError(
                f"{own.called}: has no vertex in {lost}; compute it for the whole cortex at a finer spacing, such as oct6 or ico4"
            )
        field_cv = torch.from_numpy(own.field_cv - own.field_cv.mean(axis=0))
        given = PlacedAtoms(self._signals, self._weights_ad, self._n_heads)
        given._own = _OwnCortex(field_cv, weights_av, membership_rv.to(field_cv))
        return given

    @torch.compiler.disable
    def by_head(self, places: Places) -> list[tuple[torch.Tensor, Atoms]]:
        """Give the numbers of the windows of each head, and its dictionary, both on the device of the places.

        Raises
        ------
        UserError
            A sensor has no place.
        """
        device = places.input_bc3.device
        sensors_bc3, head_bp3 = places.input_bc3.cpu().numpy(), places.head_bp3.cpu().numpy()
        rows_of: dict[bytes, list[int]] = {}
        for row in range(len(places)):
            rows_of.setdefault(sensors_bc3[row].tobytes() + head_bp3[row].tobytes(), []).append(row)
        groups = rows_of.values()
        return [(torch.tensor(rows, device=device), self._atoms(sensors_bc3[rows[0]], head_bp3[rows[0]], device)) for rows in groups]

    def _atoms(self, sensors_c3: NDArray[np.float32], head_p3: NDArray[np.float32], device: torch.device) -> Atoms:
        """Of one head; made where it is new, or kept on another device."""
        key = f"{device} {len(sensors_c3)} ".encode() + sensors_c3.tobytes() + head_p3.tobytes()
        if key not in self._kept:
            info, n_dipoles = self._info(sensors_c3.astype(np.float64), head_p3), self._weights_ad.shape[1]
            types = info.get_channel_types()
            field_cd = average_referenced(template_lead_field(info, n_dipoles)[1], types)
            atoms = atoms_of(reached_directions(field_cd, types, self._target), info, self._weights_ad, self._n_heads)
            if self._own:
                atoms = atoms.with_field(*self._own)
            unit_c = torch.tensor([SIMULATED_UNITS[kind] for kind in types], dtype=torch.float64)
            self._kept[key] = atoms.in_units(unit_c, CHANNEL_TYPES["cortex"].magnitude, device)
        self._kept.move_to_end(key)
        if len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
        return self._kept[key]

    def _info(self, sensors_c3: NDArray[np.float64], head_p3: NDArray[np.float32]) -> mne.Info:
        """Describe sensors and digitised points of one head by their places, m; a helmet is where its sensors are."""
        helmet = self._helmet
        n_electrodes = len(sensors_c3) - (len(helmet["chs"]) if helmet else 0)
        electrodes = _electrodes(sensors_c3[:n_electrodes], head_p3)
        if helmet is None:
            return electrodes
        if not np.isfinite(sensors_c3[n_electrodes:]).all():
            raise UserError("the recording has MEG but no head position (dev_head_t), so its lead field is unknown")
        return beside(electrodes, helmet, moved_onto(device_places_m(helmet), sensors_c3[n_electrodes:]))


def _electrodes(electrodes_c3: NDArray[np.float64], head_p3: NDArray[np.float32]) -> mne.Info:
    """Describe electrodes and digitised points of one head by their places, m."""
    places_m = {f"EEG{number:03d}": place_m for number, place_m in enumerate(electrodes_c3, 1)}
    digitised_m = head_p3[np.isfinite(head_p3).all(axis=1)].astype(np.float64)
    montage = mne.channels.make_dig_montage(places_m, hsp=digitised_m, coord_frame="head")
    return mne.create_info(list(places_m), 1.0, "eeg").set_montage(montage, verbose=False)
