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


def write_matrices(path: Path, matrices: dict[str, NDArray[Any]], metadata: dict[str, Any]) -> None:
    """Write matrices with equal numbers of rows, each as one column of fixed-size lists, a row of the matrix each.

    Parameters
    ----------
    path : Path
        Written or replaced.
    matrices : dict of str to array, shape (n, C)
        By the columns' names; their dtypes are kept.
    metadata : dict
        What JSON can hold; stored in the schema under the key 'crossmodal'.
    """
    columns = [
        pa.FixedSizeListArray.from_arrays(pa.array(np.ascontiguousarray(matrix).reshape(-1)), matrix.shape[1])
        for matrix in matrices.values()
    ]
    fields = [pa.field(name, column.type, nullable=False) for name, column in zip(matrices, columns, strict=True)]
    schema = pa.schema(fields, metadata={_KEY: json.dumps(metadata, allow_nan=False)})
    write(path, pa.Table.from_arrays(columns, schema=schema))


def read(path: Path) -> pa.Table:
    """Read a whole table through a memory map."""
    with pa.memory_map(str(path)) as source:
        return pa.ipc.open_file(source).read_all()


def map_matrices(path: Path) -> dict[str, NDArray[Any]]:
    """Memory-map what `write_matrices` wrote, shapes (n, C): read-only, nothing is copied."""
    table = read(path)
    return {name: _as_matrix(table.column(name)) for name in table.column_names}


def _as_matrix(column: pa.ChunkedArray) -> NDArray[Any]:
    assert column.num_chunks == 1
    values = column.chunk(0).values.to_numpy(zero_copy_only=True)
    return values.reshape(len(column), column.type.list_size)


def read_metadata(path: Path) -> dict[str, Any]:
    """Read what `write_matrices` was told besides the numbers, without touching them."""
    with pa.memory_map(str(path)) as source:
        return json.loads(pa.ipc.open_file(source).schema.metadata[_KEY])
