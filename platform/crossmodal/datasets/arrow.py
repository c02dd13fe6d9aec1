"""Arrow IPC files: uncompressed, one record batch, so that they memory-map as one array."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

_KEY = b"crossmodal"


def write(path: Path, table: pa.Table) -> None:
    """Write a table as one uncompressed record batch."""
    options = pa.ipc.IpcWriteOptions(compression=None)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema, options=options) as writer:
        writer.write_table(table.combine_chunks())


def write_matrix(path: Path, name: str, matrix: NDArray[Any], metadata: dict[str, Any]) -> None:
    """Write a matrix as one column of fixed-size lists, a row of the matrix each.

    Parameters
    ----------
    path : Path
        Written or replaced.
    name : str
        The column's.
    matrix : array, shape (n, C)
        Its dtype is kept.
    metadata : dict
        What JSON can hold; stored in the schema under the key 'crossmodal'.
    """
    values = pa.array(np.ascontiguousarray(matrix).reshape(-1))
    column = pa.FixedSizeListArray.from_arrays(values, matrix.shape[1])
    schema = pa.schema([pa.field(name, column.type, nullable=False)], metadata={_KEY: json.dumps(metadata, allow_nan=False)})
    write(path, pa.Table.from_arrays([column], schema=schema))


def read(path: Path) -> pa.Table:
    """Read a whole table through a memory map."""
    with pa.memory_map(str(path)) as source:
        return pa.ipc.open_file(source).read_all()


def map_matrix(path: Path) -> NDArray[Any]:
    """Memory-map what `write_matrix` wrote, shape (n, C): read-only, nothing is copied."""
    column = read(path).column(0)
    assert column.num_chunks == 1
    values = column.chunk(0).values.to_numpy(zero_copy_only=True)
    return values.reshape(len(column), column.type.list_size)


def read_metadata(path: Path) -> dict[str, Any]:
    """Read what `write_matrix` was told besides the numbers, without touching them."""
    with pa.memory_map(str(path)) as source:
        return json.loads(pa.ipc.open_file(source).schema.metadata[_KEY])
