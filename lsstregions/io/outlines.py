"""Footprints as outlines: polygons for `regions` and its files (DS9, CRTF, FITS), GeoJSON and WKT.

Outlines run along the edges of pixels, so that rasterizing them gives the pixels back exactly.

In `regions` each footprint is one polygon, as `lsstregions.to_regions` has it: parts of a footprint, and holes, are
joined to it by cuts of no width, along edges of pixels too; by the even-odd rule, which all these programs follow, a
cut that is passed twice changes nothing.

GeoJSON, where coordinates are pixels and not degrees, keeps parts, holes, signs, peaks and the region; WKT, a
geometry a line, keeps pixels only.
"""

import io
import json
import os
import re
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np
import regions
import shapely
from astropy.io import fits
from astropy.table import QTable
from astropy.utils.exceptions import AstropyUserWarning
from numpy.typing import NDArray
from regions.core.registry import RegionsRegistry

from .. import _footprint_format, _outline, _rings
from .._peaks import PIXEL_COLUMNS, Peaks, dtype_from_json, in_json
from .._pixel_region import members, to_regions
from .._ragged import offsets_of, ranges
from .._warn import warn
from ..footprints import Footprint, FootprintSet
from ..geom import Box2I
from ..raster import SkippedRegionWarning, Unprojectable, polygons, runs_of_regions
from ..raster._dispatch import are_excluded, projecting
from ..spans import SpanSet
from ._checked import (
    check_rows,
    checked_box,
    checked_footprints,
    content,
    losses,
    reading,
    warn_of,
    warn_of_loss,
)
from ._files import replacing
from .fits_footprints import open_checked

GEOJSON_VERSION = 1

_TEXTS = regions.TextPixelRegion, regions.TextSkyRegion


# Polygons


def to_polygons(footprints: FootprintSet) -> NDArray[np.object_]:
    """Return the outlines of `footprints`, as `SpanSet.to_polygon` does, as an array (n,) of shapely geometries."""
    return _rings.polygons(footprints.spans, footprints.offsets)


def transposed(spans: NDArray[np.int32], offsets: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return along x the spans (n, 3) of footprints given along y, or the other way round, and their offsets."""
    corners, ring_offsets, ring_runs = _outline.outline(spans, offsets)
    owner = np.searchsorted(offsets, ring_runs, side="right") - 1
    order = np.argsort(owner, kind="stable")
    size = np.diff(ring_offsets)[order]
    rings = offsets_of(size)
    x, y = corners[ranges(ring_offsets[:-1][order], size)].T - 0.5
    parts = np.searchsorted(owner[order], np.arange(len(offsets)))
    check_rows_of(x, rings)
    return polygons(y, x, parts, rings=rings)


def check_rows_of(y: NDArray[np.float64], offsets: NDArray[np.int64]) -> None:
    """Check that the rows of rings of vertices, `y` of shape (n,), can be held in memory.

    Raises
    ------
    ValueError
        If they cannot.
    """
    some = np.diff(offsets) > 0
    if some.any():
        starts = offsets[:-1][some]
        check_rows(float((np.maximum.reduceat(y, starts) - np.minimum.reduceat(y, starts)).sum()), 2 * len(y))


# The formats of regions


def serialize_regions(items: Iterable[Any], format: str | None = None, *, wcs: Any = None, **kwargs: Any) -> Any:
    """Return footprints and other regions, mixed, in any format of `regions`: text, or a table for FITS.

    Each footprint is the polygon that `lsstregions.to_regions` makes of it.

    Parameters
    ----------
    items : FootprintSet or iterable
        Footprints, sets of them, and any regions.
    format : str, optional
        "ds9", "crtf", "fits" or another format of `regions`.
    wcs : APE-14 WCS, optional
        From the pixel plane to the sky, on which the outlines of footprints then are. FITS tables hold pixels only.
    **kwargs : dict
        What the format takes.

    Warns
    -----
    LossWarning
        If there is something that the format does not keep: all but the pixels of footprints, their ``meta`` and
        ``visual`` as far as `regions` has them, regions to exclude in DS9 files, and regions in pixels that the format
        has no shape for, such as compounds, of which the outline of their pixels is kept.

    Raises
    ------
    TypeError
        If one of `items` is no footprint or region.
    ValueError
        For a `wcs` with FITS, for CRTF of regions in pixels and on the sky together, and for regions on the sky that
        the format has no shape for.
    """
    _check_wcs(wcs, format)
    if format == _footprint_format.NAME:
        return _footprint_format.serialize(members(items))
    return _serialized(_outlines_for(format, items, wcs), format, kwargs)


def _serialized(outlines: regions.Regions, format: str | None, options: dict[str, Any]) -> Any:
    """Return regions as `regions` writes them, with what the writer of CRTF gets wrong put right."""
    if format != "crtf":
        return outlines.serialize(format=format, **options)
    in_pixels = {isinstance(outline, regions.PixelRegion) for outline in outlines}
    if len(in_pixels) == 2:
        raise ValueError("a CRTF file must be all in pixels, as footprints are, or all on the sky")
    if True not in in_pixels:
        return outlines.serialize(format=format, **options)
    text = outlines.serialize(format=format, **{"coordsys": "image"} | options)
    # regions 0.12 writes the unit deg for pixels as well, and does not read such polygons again.
    return re.sub(r"^-?poly\[.*?\]\]", lambda polygon: polygon[0].replace("deg", "pix"), text, flags=re.MULTILINE)


def write_regions(
    items: Iterable[Any],
    path: str | os.PathLike[str],
    format: str | None = None,
    *,
    wcs: Any = None,
    overwrite: bool = False,
    **kwargs: Any,
) -> None:
    """Write footprints and other regions, mixed, to a file in any format of `regions`, as `serialize_regions` does.

    Parameters
    ----------
    items : FootprintSet or iterable
        Footprints, sets of them, and any regions.
    path : path-like
    format : str, optional
        "ds9", "crtf", "fits" or another format of `regions`; by default what the name ends in says.
    wcs : APE-14 WCS, optional
        As for `serialize_regions`.
    overwrite : bool, optional
        Whether a file of that name may be replaced.
    **kwargs : dict
        What the format takes.

    Warns
    -----
    LossWarning
        As for `serialize_regions`.

    Raises
    ------
    ValueError
        For a `wcs` with FITS or "footprint", and as by `serialize_regions`.
    FileExistsError, FileNotFoundError
        If the file is there and `overwrite` is False, or there is no such folder.
    """
    kind = format or RegionsRegistry.identify_format(os.fspath(path), regions.Regions, "write")
    _check_wcs(wcs, kind)
    with replacing(path, overwrite) as new:
        if kind != "fits":
            new.write_text(serialize_regions(items, kind, wcs=wcs, **kwargs), encoding="utf-8")
        elif outlines := _outlines_for(kind, items):
            outlines.write(str(new), format=kind, overwrite=True, **kwargs)
        else:
            columns = [fits.Column(name, form) for name, form in (("SHAPE", "7A"), ("X", "D"), ("Y", "D"))]
            fits.BinTableHDU.from_columns(columns, name="REGION").writeto(new)


def _check_wcs(wcs: Any, format: str | None) -> None:
    """Refuse a WCS for a format that has no place for outlines on the sky."""
    if wcs is not None and format in ("fits", _footprint_format.NAME):
        raise ValueError(f"region files of the format {format} hold pixels: leave out the wcs")


def _outlines_for(format: str | None, items: Iterable[Any], wcs: Any = None) -> regions.Regions:
    """Return footprints and regions as a format of `regions` can hold them, and warn of what it cannot."""
    items, lost_shapes = _as_the_format_has_them(format, members(items))
    footprints = [item for item in items if isinstance(item, Footprint)]
    # Of empty footprints to_regions warns.
    lost = {loss for footprint in footprints for loss in losses(footprint._columns)} - {"empty footprints"}
    lost |= lost_shapes
    if format == "fits" and any(footprint.meta or footprint.visual for footprint in footprints):
        lost.add("meta and visual")
    if format == "ds9" and any(not item.meta.get("include", True) for item in items):
        lost.add("what is to be excluded")
    warn_of(lost, f"{format} region")
    # The writers of regions 0.12 take entries out of the meta of what they write.
    outlines = to_regions((item if isinstance(item, Footprint) else item.copy() for item in items), wcs=wcs)
    if format == "fits":
        polygons = [outline for outline in outlines if isinstance(outline, regions.PolygonPixelRegion)]
        longest = max((len(polygon.vertices) for polygon in polygons), default=0)
        for polygon in polygons:
            # In a column all are as long as the longest; the writer fills up with zeros and the reader believes them.
            missing = longest - len(polygon.vertices)
            polygon.vertices = regions.PixCoord(*(np.pad(v, (0, missing), mode="edge") for v in polygon.vertices.xy))
    return outlines


def _as_the_format_has_them(format: str | None, items: list[Any]) -> tuple[list[Any], set[str]]:
    """Return regions of which a format has no shape as footprints, and what is lost by that."""
    known: dict[type, bool] = {}
    kept, lost = [], set()
    for item in items:
        kind = type(item)
        if not isinstance(item, Footprint) and isinstance(item, regions.Region):
            if kind not in known:
                known[kind] = _has_shape(format, item)
            if not known[kind] and isinstance(item, _TEXTS):
                lost.add("texts")
                continue
            if not known[kind] and not isinstance(item, regions.PixelRegion):
                raise ValueError(f"{format} files cannot hold a {kind.__name__}; rasterize it with a wcs first")
            if not known[kind]:
                lost.add(f"a {kind.__name__}, of whose pixels the outline is kept")
                item = Footprint(SpanSet.from_region(item), meta=item.meta, visual=item.visual)
        kept.append(item)
    return kept, lost


def _has_shape(format: str | None, region: Any) -> bool:
    """Whether a format has a place for a region of this class: it is tried, and read again."""
    with warnings.catch_warnings():
        # It skips some kinds with a warning, stumbles over others, and writes what it cannot read.
        warnings.simplefilter("error", AstropyUserWarning)
        try:
            written = _serialized(regions.Regions([region.copy()]), format, {})
            (again,) = regions.Regions.parse(written, format=format)
        except Exception:
            return False
    return isinstance(region, type(again)) and getattr(again, "text", "") == getattr(region, "text", "")


def read_regions(
    path: Any,
    *,
    format: str,
    wcs: Any = None,
    within: Box2I | None = None,
    unprojectable: Unprojectable = "raise",
) -> FootprintSet:
    """Read a file of regions; each becomes a footprint of the pixels whose centres it holds.

    Texts, which have no pixels, are left out.

    Parameters
    ----------
    path : path-like or binary file
    format : {"ds9", "crtf", "fits"}
    wcs : APE-14 WCS, optional
        Which regions on the sky need.
    within : Box2I, optional
        What lies outside is left out; it becomes the region of the set.
    unprojectable : {"raise", "skip"}, optional
        What happens to regions on the sky that do not project onto the image: with "skip" they have no pixels.

    Warns
    -----
    SkippedRegionWarning
        If there are texts, or with "skip" regions that do not project.

    Raises
    ------
    FileFormatError
        If the file is none of regions, or a region cannot be rasterized.
    """
    with reading(path):
        found = parse_regions(content(path), format)
        shapes = [region for region in found if not isinstance(region, _TEXTS)]
        if len(shapes) < len(found):
            warn(f"texts have no pixels: {len(found) - len(shapes)} of them are left out", SkippedRegionWarning)
        return footprints_of(shapes, projecting(wcs, unprojectable), within)


def parse_regions(data: bytes, format: str) -> regions.Regions:
    """Return the regions of a file from its content.

    Raises
    ------
    ValueError
        If there is no table of regions in a FITS file, or neither a region nor a header in a text.
    """
    if format == "fits":
        table = next((hdu for hdu in open_checked(io.BytesIO(data)) if is_region_table(hdu)), None)
        if table is None:
            raise ValueError("there is no table of regions")
        return regions.Regions.parse(QTable.read(table), format="fits")
    # Lines may end as they did on old Macintoshes.
    text = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8").read()
    found = regions.Regions.parse(text, format=format)
    if not len(found) and text.strip() and not text.lstrip().startswith("#"):
        raise ValueError(f"there is no region in it, and no header of the format {format}")
    return found


def is_region_table(hdu: Any) -> bool:
    """Whether an HDU is a table of regions."""
    names = {name.upper() for name in hdu.columns.names} if hasattr(hdu, "columns") else set()
    return "X" in names and "Y" in names and ("SHAPE" in names or hdu.name == "REGION")


def footprints_of(outlines: Any, wcs: Any = None, within: Box2I | None = None) -> FootprintSet:
    """Return the pixels of regions or geometries, one footprint each; what excludes pixels has none itself.

    Raises
    ------
    ValueError
        If outlines cover more rows than memory can be expected to hold.
    """
    outlines = list(outlines)
    runs, offsets = runs_of_regions(outlines, wcs, within)
    made = checked_footprints(runs, offsets, within)
    excluding = np.array(are_excluded(outlines), bool)
    return made[~excluding] if excluding.any() else made


# GeoJSON and WKT


def write_geojson(footprints: FootprintSet, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """Write footprints as a GeoJSON FeatureCollection, in pixel coordinates.

    Warns
    -----
    LossWarning
        If there are pixel values, which are not kept.

    Raises
    ------
    FileExistsError, FileNotFoundError
        If the file is there and `overwrite` is False, or there is no such folder.
    ValueError
        If a column of peaks is of a kind that JSON does not have.
    """
    warn_of_loss(footprints, "GeoJSON", ("peaks", "signs", "the region", "empty footprints"))
    peaks = footprints._peaks
    names = [*PIXEL_COLUMNS, *peaks.columns]
    rows = list(zip(*(in_json(peaks[name], name) for name in names), strict=True))
    geometries = shapely.to_geojson(to_polygons(footprints)).tolist()
    begins = peaks.offsets.tolist()
    properties = (
        {"sign": sign, "peaks": [dict(zip(names, row, strict=True)) for row in rows[begin:end]]}
        for sign, begin, end in zip(footprints.sign.tolist(), begins, begins[1:], strict=False)
    )
    in_text = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
    # Geometries are in JSON as they come.
    features = [
        f'{{"type":"Feature","id":{i + 1},"geometry":{geometry},"properties":{in_text(some)}}}'
        for i, (geometry, some) in enumerate(zip(geometries, properties, strict=True))
    ]
    dtypes = {name: peaks[name].dtype.str[1:] for name in peaks.columns}
    about: dict[str, Any] = {"version": GEOJSON_VERSION, "peak_dtypes": dtypes}
    if footprints.region is not None:
        about["region"] = list(footprints.region._edges)
    text = f'{{"type":"FeatureCollection","lsstregions":{in_text(about)},"features":[{",".join(features)}]}}'
    with replacing(path, overwrite) as new:
        new.write_text(text, encoding="utf-8")


def read_geojson(path: Any, *, within: Box2I | None = None) -> FootprintSet:
    """Read polygons in pixel coordinates from GeoJSON; each feature becomes a footprint.

    Parameters
    ----------
    path : path-like or binary file
    within : Box2I, optional
        What lies outside is left out.

    Raises
    ------
    FileFormatError
        If the file is no GeoJSON, truncated, corrupt, or of a later version.
    """
    with reading(path):
        document = json.loads(content(path))
        about = document.get("lsstregions", {"version": GEOJSON_VERSION})
        if about["version"] != GEOJSON_VERSION:
            raise ValueError(f"it is of version {about['version']!r}, not of {GEOJSON_VERSION}")
        features = document["features"] if document["type"] == "FeatureCollection" else [document]
        geometries = [feature.get("geometry", feature) for feature in features]
        outlines = shapely.from_geojson([json.dumps(geometry) for geometry in geometries])
        made = footprints_of(_checked_geometries(outlines), None, within)
        properties = [feature.get("properties") or {} for feature in features]
        return _with_properties(made, properties, about)


def _with_properties(footprints: FootprintSet, properties: list[dict], about: dict[str, Any]) -> FootprintSet:
    """Return footprints with the signs, peaks and region that were written with them."""
    of_each = [one.get("peaks", []) for one in properties]
    flat = [peak for some in of_each for peak in some]
    dtypes = {"x_peak": "i8", "y_peak": "i8", "peak_value": "f8"} | about.get("peak_dtypes", {})
    columns = {name: np.array([peak[name] for peak in flat], dtype_from_json(dtype)) for name, dtype in dtypes.items()}
    offsets = offsets_of([len(some) for some in of_each])
    region = checked_box(about["region"]) if "region" in about else footprints.region
    return checked_footprints(
        footprints.spans,
        footprints.offsets,
        region,
        peaks=Peaks.from_columns(columns, offsets),
        sign=[one.get("sign", 1) for one in properties],
    )


def write_wkt(footprints: FootprintSet, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """Write footprints as WKT, a geometry a line, in pixel coordinates.

    Warns
    -----
    LossWarning
        If there is more than pixels, which is not kept.

    Raises
    ------
    FileExistsError, FileNotFoundError
        If the file is there and `overwrite` is False, or there is no such folder.
    """
    warn_of_loss(footprints, "WKT", ("empty footprints",))
    lines = shapely.to_wkt(to_polygons(footprints), rounding_precision=1).tolist()
    with replacing(path, overwrite) as new:
        new.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def read_wkt(path: Any, *, within: Box2I | None = None) -> FootprintSet:
    """Read polygons in pixel coordinates from WKT, one a line; each becomes a footprint.

    Raises
    ------
    FileFormatError
        If a line is no WKT.
    """
    with reading(path):
        lines = [line for line in content(path).decode("utf-8").splitlines() if line.strip()]
        for line in lines:
            # The reader of others calls itself for what is inside, however deep.
            if not re.match(r"\s*(MULTI)?POLYGON\b", line, re.IGNORECASE):
                raise ValueError(f"a footprint must be a POLYGON or a MULTIPOLYGON, not {line.strip()[:50]!r}")
        return footprints_of(_checked_geometries(shapely.from_wkt(lines)), None, within)


def _checked_geometries(geometries: NDArray) -> list[Any]:
    good = np.isin(shapely.get_type_id(geometries), (3, 6))
    if not good.all():
        raise ValueError(f"a footprint must be a Polygon or a MultiPolygon, not {geometries[~good][0]!r}")
    bounds = shapely.bounds(geometries)
    check_rows(float(np.nansum(bounds[:, 3] - bounds[:, 1])), 2 * int(shapely.get_num_coordinates(geometries).sum()))
    return list(geometries)
