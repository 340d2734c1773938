"""The format "footprint" of `regions`: footprints as they are, spans and peaks, in JSON text.

It is registered where `regions` keeps its formats, for ``Regions.read(path, format="footprint")`` and
``Regions.write``; files ending in ``.footprint`` are recognised. Outlines, for other programs, are in the others.
"""

import json
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from regions import Region, Regions
from regions.core.registry import RegionsRegistry

from ._peaks import Peaks, dtype_from_json, in_json
from ._validate import as_int32_array
from .geom import Box2I

NAME = "footprint"
VERSION = 1


def serialize(footprints: Sequence[Any], **options: Any) -> str:
    """Return footprints as text.

    Raises
    ------
    TypeError
        For a region that is no footprint, for a heavy one, whose pixel values would be lost, and for what JSON does not
        have in `meta` or `visual`.
    ValueError
        If a column of peaks is of a kind that JSON does not have.
    """
    from .footprints import Footprint, HeavyFootprint

    for footprint in footprints:
        if not isinstance(footprint, Footprint) or isinstance(footprint, HeavyFootprint):
            raise TypeError(
                f"the format {NAME!r} is for footprints without pixel values, not {type(footprint).__name__}"
            )
    content = {"format": f"lsstregions {NAME}", "version": VERSION, NAME: list(map(_as_dict, footprints))}
    return json.dumps(content, default=_number)


def _number(value: Any) -> Any:
    """Return a number of NumPy's in meta or visual as one that JSON has."""
    if isinstance(value, np.bool | np.integer | np.float16 | np.float32):
        return value.item()
    raise TypeError(f"meta and visual must be of what JSON has, numbers, texts, lists and mappings, not {value!r:.100}")


def _as_dict(footprint: Any) -> dict[str, Any]:
    # Not of the table, of which there would be one for each footprint.
    peaks = footprint._columns._peaks
    region = footprint.region
    return {
        "spans": footprint.spans.array.tolist(),
        "peaks": {name: [str(peaks[name].dtype), in_json(peaks[name], name)] for name in peaks.names},
        "region": None if region is None else list(region._edges),
        "sign": footprint.sign,
        "meta": dict(footprint.meta),
        "visual": dict(footprint.visual),
    }


def parse(text: str, **options: Any) -> Regions:
    """Return the footprints in a text that `serialize` made.

    Raises
    ------
    ValueError
        If it is not such a text.
    """
    from .footprints import Footprint
    from .spans import SpanSet

    try:
        content = json.loads(text)
        if not isinstance(content, dict) or content.get("format") != f"lsstregions {NAME}":
            raise ValueError("it does not say so")
        version = content.get("version")
    except (ValueError, RecursionError) as error:
        raise ValueError(f"this is no text in the format {NAME!r}: {error}") from error
    if version != VERSION:
        raise ValueError(f"the version of the format {NAME!r} must be {VERSION}, not {version!r}")
    try:
        made = []
        for one in content[NAME]:
            columns = one["peaks"].items()
            arrays = {name: np.array(column, dtype_from_json(dtype)) for name, (dtype, column) in columns}
            region = None if one["region"] is None else Box2I(one["region"][:2], one["region"][2:])
            spans = SpanSet(as_int32_array(one["spans"], "spans").reshape(-1, 3))
            options = {"sign": one["sign"], "meta": one["meta"], "visual": one["visual"]}
            bare = Footprint(spans, None, region, **options)
            made.append(bare._with(bare._columns._with_peaks(Peaks.from_columns(arrays))))
    except Exception as error:
        raise ValueError(f"this text in the format {NAME!r} is damaged: {error!r}") from error
    return Regions(made)


def write(footprints: Sequence[Any], filename: Any, overwrite: bool = False, **options: Any) -> None:
    """Write footprints to a file.

    Raises
    ------
    FileExistsError, FileNotFoundError
        If the file is there and `overwrite` is False, or there is no such folder.
    """
    from .io._files import replacing

    with replacing(filename, overwrite) as new:
        new.write_text(serialize(footprints), encoding="utf-8")


def read(filename: Any, cache: bool = False, **options: Any) -> Regions:
    """Return the footprints in a file; `cache` is what `regions` passes, and means nothing here.

    Raises
    ------
    FileFormatError
        If it is in no such format.
    """
    from .io._checked import reading

    with reading(filename), open(filename, encoding="utf-8") as file:
        return parse(file.read())


def identify(method: str, filename: Any) -> bool:
    """Whether a file is in this format, by its suffix."""
    return os.fspath(filename).endswith(f".{NAME}")


for _kind, _methods in ((Regions, (read, parse, write, serialize, identify)), (Region, (write, serialize, identify))):
    for _method in _methods:
        RegionsRegistry.register(_kind, _method.__name__, NAME)(_method)
