"""Forward solutions that MNE computes in a sphere, on the template's cortex as it is fitted to some electrodes."""

import mne
import numpy as np
from mne.io.constants import FIFF

from crossmodal.physics.cortex import HEMISPHERES, template_head, template_surface
from crossmodal.physics.geometry import Dipoles, vertex_normals
from crossmodal.physics.head import sphere_head, upper_scalp
from crossmodal.physics.template import fit_template

N_VERTICES = 10242
IDS = (FIFF.FIFFV_MNE_SURF_LEFT_HEMI, FIFF.FIFFV_MNE_SURF_RIGHT_HEMI)


def forward(info, vertices, orders=None, subject="fsaverage5", **other):
    """Free orientations at some vertices of fsaverage5's left and right hemisphere.

    `orders` says which vertex of fsaverage5 each of another subject's is; `vertices` are then that subject's.
    """
    fit = fit_template(info)
    head = sphere_head(upper_scalp(fit.points(template_head().scalp_m)))
    spaces = []
    for position, (side, hemisphere) in enumerate(zip(HEMISPHERES, IDS, strict=True)):
        mesh = template_surface(side)
        mri_to_head = np.linalg.inv(template_head().head_to_mri)
        places_m = mne.transforms.apply_trans(mri_to_head, mesh.vertices_m)
        normals = mne.transforms.apply_trans(mri_to_head, vertex_normals(mesh.vertices_m, mesh.triangles), move=False)
        inside = head.confine(Dipoles(fit.points(places_m), fit.directions(normals)))
        order = np.arange(N_VERTICES) if orders is None else orders[position]
        inuse = np.zeros(len(order), dtype=int)
        inuse[vertices[position]] = 1
        spaces.append(
            {
                **dict.fromkeys(("nearest", "nearest_dist", "dist", "dist_limit", "pinfo", "patch_inds")),
                **{"type": "surf", "id": hemisphere, "np": len(order), "subject_his_id": subject, "coord_frame": FIFF.FIFFV_COORD_MRI},
                **{"rr": inside.positions_m[order], "nn": inside.orientations[order]},
                # Nobody reads how vertices are joined.
                **{"tris": np.array([[0, 1, 2]], dtype=np.int32), "ntri": 1},
                **{"inuse": inuse, "nuse": int(inuse.sum()), "vertno": np.flatnonzero(inuse)},
                **{"use_tris": np.zeros((0, 3), dtype=int), "nuse_tri": 0},
            }
        )
    options = {"meg": False, "eeg": True, "mindist": 0.0, "on_inside": "ignore", "verbose": "error"} | other
    return mne.make_forward_solution(info, mne.transforms.Transform("head", "mri"), mne.SourceSpaces(spaces), head.eeg, **options)


def saved(solution, folder, name="own-fwd.fif"):
    solution.save(folder / name, overwrite=True, verbose="error")
    return folder / name
