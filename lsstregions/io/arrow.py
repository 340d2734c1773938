"""Footprints as Arrow tables and in Parquet files: a row a footprint, with lists.

The columns are ``spans``, lists of ``[y, x_start, x_stop]`` (half-open), ``sign``, ``peaks``, lists of structures,
and for heavy footprints ``image`` and perhaps ``variance`` and ``mask``, lists of pixel values in the order of the
spans. The schema's metadata has, under ``lsstregions``, JSON with the version of the layout and the region. Spans,
signs and pixel values are shared with the FootprintSet in both directions, nothing of them is copied; a column of
peaks that Arrow does not know is refused.
"""

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._peaks import PIXEL_COLUMNS, Peaks
from .._validate import as_int32_array, as_offsets, native
from ..footprints import FootprintSet
from ._checked import (
    checked_box,
    checked_footprints,
    content,
    reading,
)
from ._files import replacing

VERSION = 1
_KEY = b"lsstregions"
_PLANES = ("image", "variance", "mask")


def to_arrow(footprints: FootprintSet) -> Any:
    """Return footprints as an Arrow table that shares their memory.

    Raises
    ------
    ImportError
        If pyarrow is not installed.
    ValueError
        If a column of the peaks has more than one value a peak.
    """
    pa = _pyarrow()
    spans = pa.FixedSizeListArray.from_arrays(pa.array(footprints.spans.reshape(-1)), 3)
    peaks = footprints._peaks
    names = [*PIXEL_COLUMNS, *peaks.columns]
    structures = pa.StructArray.from_arrays([_array(pa, name, peaks[name]) for name in names], names)
    columns = {
        "spans": _lists(pa, footprints.offsets, spans),
        "sign": pa.array(footprints.sign),
        "peaks": _lists(pa, peaks.offsets, structures),
    }
    pixels = footprints._pixel_offsets()
    for name, values in footprints.values.items():
        columns[name] = _lists(pa, pixels, _array(pa, name, values))
    about: dict[str, Any] = {"version": VERSION}
    if footprints.region is not None:
        about["region"] = list(footprints.region._edges)
    return pa.table(columns, metadata={_KEY: json.dumps(about).encode()})


def from_arrow(table: Any) -> FootprintSet:
    """Return the footprints of an Arrow table, sharing its memory where it can.

    Raises
    ------
    ImportError
        If pyarrow is not installed.
    ValueError, TypeError, KeyError, OverflowError
        If the table is not as `to_arrow` makes it, or its spans are not canonical.
    """
    pa = _pyarrow()
    if not isinstance(table, pa.Table):
        raise TypeError(f"table must be an Arrow table, not {type(table).__name__}")
    about = json.loads((table.schema.metadata or {}).get(_KEY, b'{"version": 1}'))
    if not isinstance(about, dict):
        raise ValueError(f"the metadata of the table must be a JSON object, not {about!r:.100}")
    if about.get("version") != VERSION:
        raise ValueError(f"the table is of version {about.get('version')!r} of the layout, not of {VERSION}")
    offsets, spans = _flat(pa, table, "spans")
    if not pa.types.is_fixed_size_list(spans.type) or spans.type.list_size != 3 or spans.null_count:
        raise TypeError(f"spans must be lists of three integers, not {spans.type}")
    # Unlike flatten, this does not copy.
    numbers = spans.values.slice(3 * spans.offset, 3 * len(spans))
    runs = as_int32_array(_numpy(numbers, "spans").reshape(-1, 3), "spans")
    values = {}
    for name in _PLANES:
        if name in table.column_names:
            begins, column = _flat(pa, table, name)
            values[name] = _numpy(column, name)
            lengths = np.diff(begins)
    sign = _numpy(_one_array(pa, table, "sign"), "sign") if "sign" in table.column_names else None
    peaks = _peaks(pa, table) if "peaks" in table.column_names else None
    made = checked_footprints(runs, offsets, checked_box(about.get("region")), peaks=peaks, sign=sign, values=values)
    if values and not np.array_equal(made.area, lengths):
        raise ValueError("there must be a pixel value for each pixel of each footprint")
    return made


def write_parquet(footprints: FootprintSet, path: Any, *, overwrite: bool = False, compression: str = "zstd") -> None:
    """Write footprints with all that belongs to them to a Parquet file.

    Parameters
    ----------
    footprints : FootprintSet
    path : path-like
    overwrite : bool, optional
        Whether a file of that name may be replaced.
    compression : str, optional
        Any that pyarrow knows.

    Raises
    ------
    ImportError
        If pyarrow is not installed.
    FileExistsError, FileNotFoundError
        If the file is there and `overwrite` is False, or there is no such folder.
    """
    table = to_arrow(footprints)
    import pyarrow.parquet as pq

    with replacing(path, overwrite) as new:
        pq.write_table(table, new, compression=compression)


def read_parquet(path: Any) -> FootprintSet:
    """Read footprints from a Parquet file that `write_parquet` made.

    Raises
    ------
    ImportError
        If pyarrow is not installed.
    FileFormatError
        If the file is truncated, corrupt, none of ours or of a later version.
    """
    pa = _pyarrow()
    import pyarrow.parquet as pq

    with reading(path):
        data = content(path)
        file = pq.ParquetFile(pa.BufferReader(data))
        promised = sum(file.metadata.row_group(i).total_byte_size for i in range(file.num_row_groups))
        if not 0 <= promised <= 10_000 * len(data):
            raise ValueError(f"it promises {promised:.3g} bytes of columns from {len(data)}")
        return from_arrow(file.read(use_threads=False))


def _pyarrow() -> Any:
    try:
        import pyarrow as pa
    except ImportError as error:
        raise ImportError("Parquet and Arrow need pyarrow: pip install lsstregions[io]") from error
    return pa


def _array(pa: Any, name: str, values: NDArray) -> Any:
    if values.ndim != 1:
        raise ValueError(f"the column {name!r}, of shape {values.shape}, cannot be kept in Arrow")
    if values.dtype.kind in "SU":
        # Of arrays it takes texts to end at the first NUL.
        return pa.array(values.tolist(), pa.string() if values.dtype.kind == "U" else pa.binary())
    try:
        return pa.array(native(values))
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
        raise ValueError(f"the column {name!r}, of {values.dtype}, cannot be kept in Arrow") from None


def _lists(pa: Any, offsets: NDArray[np.int64], values: Any) -> Any:
    return pa.LargeListArray.from_arrays(pa.array(offsets), values)


def _flat(pa: Any, table: Any, name: str) -> tuple[NDArray[np.int64], Any]:
    """Return the offsets and the values of a column of lists."""
    column = _one_array(pa, table, name)
    if not (pa.types.is_large_list(column.type) or pa.types.is_list(column.type)) or column.null_count:
        raise TypeError(f"{name} must be a column of lists without nulls, not {column.type}")
    column.validate(full=True)
    offsets = column.offsets.to_numpy(zero_copy_only=True).astype(np.int64, copy=False)
    values = column.values.slice(offsets[0], offsets[-1] - offsets[0])
    return as_offsets(offsets - offsets[0], len(values), f"the lists of {name}"), values


def _one_array(pa: Any, table: Any, name: str) -> Any:
    """Return a column in one piece, without a copy if it is in one."""
    chunks = table.column(name).chunks
    if len(chunks) == 1:
        return chunks[0]
    return pa.concat_arrays(chunks) if chunks else pa.array([], table.column(name).type)


def _numpy(array: Any, name: str) -> NDArray:
    if array.null_count:
        raise ValueError(f"{name} must not have nulls")
    values: NDArray = array.to_numpy(zero_copy_only=False)
    if values.dtype.kind == "O":
        values = values.astype("S" if "binary" in str(array.type) else str)
    return values


def _peaks(pa: Any, table: Any) -> Peaks:
    offsets, structures = _flat(pa, table, "peaks")
    if not pa.types.is_struct(structures.type) or structures.null_count:
        raise TypeError(f"peaks must be lists of structures, not {structures.type}")
    columns = {
        structures.type.field(i).name: _numpy(structures.field(i), structures.type.field(i).name)
        for i in range(structures.type.num_fields)
    }
    return Peaks.from_columns(columns, offsets)
