"""MATLAB files, read by SciPy once the parts they are made of fit together: it trusts their types, and a wrong one ends the process."""

import struct
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import scipy.io

_HDF5_BEGINS = b"MATLAB 7.3"
_HEADER_BYTES = 128
_MATRIX, _COMPRESSED = 14, 15
# Types of numbers, 8 to 64 bits long, and of text.
_INT8, _UINT8, _UINT16 = 1, 2, 4
_NUMBERS = frozenset({_INT8, _UINT8, 3, _UINT16, 5, 6, 7, 9, 12, 13})
_TEXT = frozenset({_INT8, _UINT8, _UINT16, 16, 17, 18})
# Classes of matrices.
_CELL, _STRUCT, _OBJECT, _CHAR, _SPARSE = range(1, 6)
_NUMERIC = range(6, 16)
_IS_COMPLEX = 0x0800
_BROKEN = "its parts do not fit together, so that it is broken; save it again in MATLAB or EEGLAB"


class _Element(NamedTuple):
    """A tagged part: its type, and where its content lies."""

    kind: int
    content: memoryview


def read_matlab(path: Path, **options: Any) -> Mapping[str, Any]:
    """Read variables as `scipy.io.loadmat` does.

    Parameters
    ----------
    path : Path
    options : dict
        Of `scipy.io.loadmat`.

    Raises
    ------
    ValueError
        It is stored as MATLAB 7.3 does, or broken.

    Notes
    -----
    Source: MathWorks (2024), MAT-File Level 5 File Format.
    """
    content = path.read_bytes()
    if content.startswith(_HDF5_BEGINS):
        raise ValueError("it is a MATLAB 7.3 file; save it again in EEGLAB as version 7 or 6")
    # Version 4 has zeros among its first bytes, and SciPy reads it in Python.
    if 0 not in content[:4]:
        _check(memoryview(content))
    stored: Mapping[str, Any] = scipy.io.loadmat(path, **options)
    return stored


def _check(content: memoryview) -> None:
    order = ">" if bytes(content[126:128]) == b"MI" else "<"
    for element in _elements(content[_HEADER_BYTES:], order, padded=False):
        if element.kind != _COMPRESSED:
            _check_matrix(element, order)
            continue
        try:
            unpacked = memoryview(zlib.decompress(element.content))
        except zlib.error as error:
            raise ValueError(_BROKEN) from error
        for inner in _elements(unpacked, order):
            _check_matrix(inner, order)


def _elements(content: memoryview, order: str, padded: bool = True) -> Iterator[_Element]:
    """Cut content into elements; what is shorter than five bytes lies in the tag."""
    at = 0
    while at + 8 <= len(content):
        kind, size = struct.unpack_from(f"{order}II", content, at)
        begin = at + 8
        if kind >> 16:
            kind, size, begin = kind & 0xFFFF, kind >> 16, at + 4
            _require(size <= 4)
            at += 8
        else:
            _require(begin + size <= len(content))
            at = begin + (size + 7) // 8 * 8 if padded or kind != _COMPRESSED else begin + size
        yield _Element(kind, content[begin : begin + size])


def _check_matrix(element: _Element, order: str) -> None:
    _require(element.kind == _MATRIX)
    parts = list(_elements(element.content, order))
    if not parts:
        return
    _require(len(parts) >= 3 and len(parts[0].content) == 8)
    flags, shape, _, *rest = parts
    (word,) = struct.unpack_from(f"{order}I", flags.content)
    kind = word & 0xFF
    n_numbers = 1 + bool(word & _IS_COMPLEX)
    if kind in (_CELL, _STRUCT, _OBJECT):
        _check_nested(kind, _size(shape, order), rest, order)
    elif kind == _CHAR:
        _require(len(rest) >= 1 and rest[0].kind in _TEXT)
    elif kind == _SPARSE:
        _require(len(rest) >= 2 + n_numbers and all(part.kind in _NUMBERS for part in rest[: 2 + n_numbers]))
    elif kind in _NUMERIC:
        _require(len(rest) >= n_numbers and all(part.kind in _NUMBERS for part in rest[:n_numbers]))
    # Functions and objects of newer classes.
    else:
        for part in rest:
            if part.kind == _MATRIX:
                _check_matrix(part, order)


def _check_nested(kind: int, n_elements: int, rest: list[_Element], order: str) -> None:
    """Check the matrices in a cell array, or in each field of a struct or an object."""
    if kind != _CELL:
        if kind == _OBJECT:
            rest = rest[1:]
        _require(len(rest) >= 2 and len(rest[0].content) == 4)
        (name_bytes,) = struct.unpack_from(f"{order}i", rest[0].content)
        _require(name_bytes > 0)
        n_elements *= len(rest[1].content) // name_bytes
        rest = rest[2:]
    _require(len(rest) == n_elements)
    for part in rest:
        _check_matrix(part, order)


def _size(shape: _Element, order: str) -> int:
    """Number of elements of a matrix."""
    size = 1
    for (length,) in struct.iter_unpack(f"{order}i", shape.content[: len(shape.content) // 4 * 4]):
        _require(length >= 0)
        size *= length
    return size


def _require(fits: bool) -> None:
    if not fits:
        raise ValueError(_BROKEN)
