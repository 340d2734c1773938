"""The geometries of shapely: polygons with holes, lines as the pixels they cross, points as those that hold them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely

from ._dispatch import Mixed, batch
from ._shapes import Batch, Lines, Polygons, wholes

Geometries = Sequence[Any]


def ragged(geometries: Geometries) -> tuple[Any, ...]:
    """Return x, y, and the offsets of shapely's ragged arrays from the innermost out, the outermost per geometry."""
    _, coords, offsets = shapely.to_ragged_array(np.array(geometries, dtype=object), include_z=False)
    return coords[:, 0], coords[:, 1], *(np.asarray(level, dtype=np.int64) for level in offsets)


@batch(shapely.Polygon, shapely.MultiPolygon)
def _polygons(geometries: Geometries, wcs: Any) -> Batch:
    x, y, rings, *levels = ragged(geometries)
    # Of several parts the rings are all that matters, and which are outer ones.
    parts = levels[0] if len(levels) == 1 else levels[0][levels[1]]
    return Polygons(x, y, parts, rings, levels[0][:-1])


@batch(shapely.LineString, shapely.LinearRing, shapely.MultiLineString)
def _lines(geometries: Geometries, wcs: Any) -> Batch:
    x, y, vertices, *levels = ragged([_as_lines(geometry) for geometry in geometries])
    some = np.diff(vertices) > 0
    first, last = vertices[:-1][some], vertices[1:][some] - 1
    begins = np.ones(x.size, bool)
    begins[last] = False
    # A vertex between two edges is inside the line, and so is the closing one of a ring: each is a line of no length.
    inner = begins.copy()
    inner[first] = (x[first] == x[last]) & (y[first] == y[last])
    begin = np.concatenate([np.flatnonzero(begins), np.flatnonzero(inner)])
    end = begin + np.repeat([1, 0], [begins.sum(), inner.sum()])
    line = np.searchsorted(vertices, begin, side="right") - 1
    geometry = line if not levels else np.searchsorted(levels[0], line, side="right") - 1
    order = np.argsort(geometry, kind="stable")
    begin, end = begin[order], end[order]
    parts = np.searchsorted(geometry[order], np.arange(len(geometries) + 1))
    return wholes(Lines(x[begin], y[begin], x[end], y[end]), parts)


def _as_lines(geometry: Any) -> Any:
    return shapely.LineString(geometry) if isinstance(geometry, shapely.LinearRing) else geometry


@batch(shapely.Point, shapely.MultiPoint)
def _points(geometries: Geometries, wcs: Any) -> Batch:
    coords, index = shapely.get_coordinates(geometries, return_index=True)
    parts = np.searchsorted(index, np.arange(len(geometries) + 1))
    x, y = np.ascontiguousarray(coords.T)
    return wholes(Lines(x, y, x, y), parts)


@batch(shapely.GeometryCollection)
def _collections(geometries: Geometries, wcs: Any) -> Batch:
    members, index = shapely.get_parts(geometries, return_index=True)
    parts = np.searchsorted(index, np.arange(len(geometries) + 1))
    return wholes(Mixed(list(members), wcs), parts)
