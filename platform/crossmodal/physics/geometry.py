"""Small geometry of heads: surfaces, spheres, evenly spread points and bodily sizes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array


@dataclass(frozen=True)
class Dipoles:
    """Current dipoles in head coordinates: positions (n, 3) in m and unit orientations (n, 3)."""

    positions_m: NDArray[np.float64]
    orientations: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.positions_m)


def vertex_normals(vertices: NDArray[np.float64], triangles: NDArray[np.integer]) -> NDArray[np.float64]:
    """Area-weighted unit normals of a triangulated surface, shape (n_vertices, 3)."""
    face_normals = _face_normals(vertices, triangles)
    normals = np.zeros_like(vertices)
    for corner in range(3):
        np.add.at(normals, triangles[:, corner], face_normals)
    return normals / np.linalg.norm(normals, axis=1, keepdims=True)


def triangle_areas(vertices: NDArray[np.float64], triangles: NDArray[np.integer]) -> NDArray[np.float64]:
    """Areas of a surface's triangles, shape (n_triangles,), in the vertices' unit squared."""
    areas: NDArray[np.float64] = np.linalg.norm(_face_normals(vertices, triangles), axis=1) / 2
    return areas


def vertex_areas(vertices: NDArray[np.float64], triangles: NDArray[np.integer]) -> NDArray[np.float64]:
    """Area of each vertex, shape (n_vertices,), in the vertices' unit squared: a third of each triangle around it."""
    third_of_corner = np.repeat(triangle_areas(vertices, triangles) / 3, 3)
    return np.bincount(triangles.ravel(), third_of_corner, len(vertices)).astype(np.float64)


def edge_lengths(vertices: NDArray[np.float64], triangles: NDArray[np.integer]) -> csr_array:
    """Lengths of the edges of a triangulated surface, shape (n_vertices, n_vertices), each once: the lower vertex is the row."""
    pairs = np.unique(np.sort(triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)), axis=0)
    length = np.linalg.norm(vertices[pairs[:, 0]] - vertices[pairs[:, 1]], axis=1)
    return csr_array((length, pairs.T), shape=(len(vertices), len(vertices)))


def farthest_points(points: NDArray[np.float64], n_points: int) -> NDArray[np.intp]:
    """Choose indices of points spread evenly: each next one is the farthest from those already chosen.

    Source: T. F. Gonzalez, "Clustering to minimize the maximum intercluster distance", 1985.
    """
    chosen = np.zeros(n_points, dtype=np.intp)
    length_sq = (points**2).sum(axis=1)
    distance_sq = np.full(len(points), np.inf)
    for index in range(1, n_points):
        last = chosen[index - 1]
        distance_sq = np.minimum(distance_sq, length_sq - 2 * points @ points[last] + length_sq[last])
        chosen[index] = distance_sq.argmax()
    return chosen


def fit_sphere(points: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Centre (3,) and radius of the sphere nearest to points (n, 3), by linear least squares on |p|^2 = 2 p.c + r^2 - |c|^2."""
    design = np.column_stack([2 * points, np.ones(len(points))])
    *centre, offset = np.linalg.lstsq(design, (points**2).sum(axis=1), rcond=None)[0]
    return np.array(centre), float(np.sqrt(offset + np.dot(centre, centre)))


def _face_normals(vertices: NDArray[np.float64], triangles: NDArray[np.integer]) -> NDArray[np.float64]:
    """Normals of triangles, shape (n_triangles, 3), each twice as long as its triangle is large."""
    a, b, c = (vertices[triangles[:, corner]] for corner in range(3))
    return np.cross(b - a, c - a)
