"""The formats of footprints and span sets, for astropy's unified I/O."""

import functools
import io
import os
from collections.abc import Callable
from typing import Any, NamedTuple

from astropy.io import registry

from ..footprints import FootprintSet
from ..spans import SpanSet
from . import arrow, coco, labels, lsst, outlines
from ._checked import content, name_of, reading
from ._files import replacing
from .fits_footprints import footprints_of, is_ours, open_checked, write_footprints


class Format(NamedTuple):
    """How a format is recognised, read and written."""

    suffixes: tuple[str, ...]
    read: Callable[..., FootprintSet] | None
    write: Callable[..., None] | None
    magic: tuple[bytes, ...] = ()


def read_fits(path: Any, **options: Any) -> FootprintSet:
    """Read whatever footprints a FITS file has: ours, an archive of LSST, a table of regions, or a label image.

    Parameters
    ----------
    path : path-like or binary file
    **options
        What the reader of that kind of file takes.
    """
    name = name_of(path)
    with reading(path):
        data = _Bytes(content(path), name)
        hdus = open_checked(data)
        kind = kind_of_fits(hdus)
        if kind == "lsstregions" and not options:
            return footprints_of(hdus)
    if kind == "lsstregions":
        raise TypeError(f"files of the format fits are read whole, without {', '.join(options)}")
    if kind == "lsst":
        return lsst.read_lsst(data, **options)
    if kind == "regions":
        return outlines.read_regions(data, format="fits", **options)
    return labels.read_labels(data, **options)


def kind_of_fits(hdus: Any) -> str:
    """Return what footprints a FITS file has: those of "lsstregions" or "lsst", "regions", or else perhaps "labels"."""
    if is_ours(hdus):
        return "lsstregions"
    if lsst.has_footprints(hdus):
        return "lsst"
    return "regions" if any(map(outlines.is_region_table, hdus)) else "labels"


def write_measurements(
    footprints: FootprintSet, path: str | os.PathLike[str], *, overwrite: bool = False, **options: Any
) -> None:
    """Write what `FootprintSet.measure` says of footprints as ECSV.

    Parameters
    ----------
    footprints : FootprintSet
    path : path-like
    overwrite : bool, optional
        Whether a file of that name may be replaced.
    **options
        As for `FootprintSet.measure`: an image, a WCS, columns.
    """
    table = footprints.measure(**options)
    with replacing(path, overwrite) as new:
        table.write(new, format="ascii.ecsv")


def _regions(kind: str) -> tuple[Callable[..., FootprintSet], Callable[..., None]]:
    return functools.partial(outlines.read_regions, format=kind), functools.partial(outlines.write_regions, format=kind)


FORMATS = {
    "fits": Format((".fits", ".fits.gz", ".fit"), read_fits, write_footprints, (b"SIMPLE  =",)),
    "lsst": Format((), lsst.read_lsst, None),
    "labels": Format((), labels.read_labels, labels.write_labels),
    "parquet": Format((".parquet", ".pq"), arrow.read_parquet, arrow.write_parquet, (b"PAR1",)),
    "geojson": Format((".geojson",), outlines.read_geojson, outlines.write_geojson),
    "coco": Format((".json",), coco.read_coco, coco.write_coco),
    "wkt": Format((".wkt",), outlines.read_wkt, outlines.write_wkt),
    "ds9": Format((".reg", ".ds9"), *_regions("ds9"), (b"# Region file format: DS9",)),
    "crtf": Format((".crtf",), *_regions("crtf"), (b"#CRTF",)),
    "fits-regions": Format((), *_regions("fits")),
    "ecsv": Format((".ecsv",), None, write_measurements),
}


def register() -> None:
    """Register all formats for FootprintSet and SpanSet."""
    for name, form in FORMATS.items():
        for kind in (FootprintSet, SpanSet):
            registry.register_identifier(name, kind, functools.partial(_identify, form))
        if form.read is not None:
            registry.register_reader(name, FootprintSet, form.read)
            registry.register_reader(name, SpanSet, functools.partial(_read_union, form.read))
        if form.write is not None:
            registry.register_writer(name, FootprintSet, form.write)
            registry.register_writer(name, SpanSet, functools.partial(_write_one, form.write))


def _read_union(read: Callable[..., FootprintSet], path: Any, **options: Any) -> SpanSet:
    return read(path, **options).union()


def _write_one(write: Callable[..., None], spans: SpanSet, path: Any, **options: Any) -> None:
    write(FootprintSet([spans]), path, **options)


def _identify(form: Format, origin: str, path: Any, fileobj: Any, *args: Any, **kwargs: Any) -> bool:
    """Whether a file is of a format: by its content where it says so, otherwise by the end of its name."""
    if (form.read if origin == "read" else form.write) is None:
        return False
    if fileobj is not None:
        start = fileobj.tell()
        head = fileobj.read(64)
        fileobj.seek(start)
        if any(head.startswith(magic) for magic in _MAGICS):
            return head.startswith(form.magic)
    return str(path).lower().endswith(form.suffixes) if path is not None and form.suffixes else False


_MAGICS = tuple(magic for form in FORMATS.values() for magic in form.magic)


class _Bytes(io.BytesIO):
    """The content of a file, to be read more than once, and its name."""

    def __init__(self, data: bytes, name: str):
        super().__init__(data)
        self.name = name

    def read(self, size: int | None = -1) -> bytes:
        return self.getvalue()
