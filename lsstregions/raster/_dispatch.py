"""From anything region-like to run arrays: one dispatch by class, and a batch form of it for lists."""

import functools
import operator
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import _algebra, _raster, _runs
from .._validate import as_array2d
from ..ellipses import Axes, Ellipse
from ..geom import Box2D, Box2I
from ._arrays import Many, Offsets, Runs, bounds_of, ellipses

Batch = Callable[[Sequence[Any], Any, Any], Many]

NO_RUNS = np.empty((0, 3), np.int32)

# Packages whose classes are registered when the first object of theirs comes along.
_ADAPTERS = {"regions": "._regions", "photutils": "._photutils", "shapely": "._shapely"}


@functools.singledispatch
def runs_of(region: Any, wcs: Any = None, within: Any = None) -> Runs:
    """Return the canonical runs ``int32[n, 3]`` of the pixels of anything region-like.

    This is the place to register a class of your own: ``@runs_of.register(MyRegion)`` above a function of (region, wcs,
    within) that returns such runs, clipped to `within`. A class that has a method ``__runs__()`` returning them, or a
    ``to_mask()`` as the regions of astropy have, or a ``to_pixel(wcs)``, needs no registration.

    Parameters
    ----------
    region : object
        See `lsstregions.rasterize`.
    wcs : object, optional
        A celestial WCS of the shared interface (APE 14), for sky regions.
    within : Box2I, optional
        What lies outside is left out.

    Raises
    ------
    TypeError
        For a class that nobody knows.
    """
    if hasattr(region, "__runs__"):
        return clipped(region.__runs__(), within)
    if _adapt(type(region)):
        return runs_of(region, wcs, within)
    if hasattr(region, "to_mask"):
        mask = region.to_mask()
        return _runs_of_mask(np.asarray(mask.data) > 0, mask.bbox.ixmin, mask.bbox.iymin, within)
    if hasattr(region, "to_pixel"):
        return runs_of(region.to_pixel(needed(wcs, region)), wcs, within)
    raise TypeError(f"{type(region).__name__} is not a region, or of no kind that can be rasterized: {region!r}")


def _adapt(kind: type) -> bool:
    """Register the classes of the package that `kind` or a base of it is from; return whether there was one to do."""
    packages = {base.__module__.partition(".")[0] for base in kind.__mro__} & _ADAPTERS.keys()
    for package in packages:
        import_module(_ADAPTERS.pop(package), __package__)
    return bool(packages)


def batch(*classes: type) -> Callable[[Batch], Batch]:
    """Register a function of (list of regions, wcs, within) that returns ``(runs, offsets)`` for `classes`."""

    def register(function: Batch) -> Batch:
        def one(region: Any, wcs: Any = None, within: Any = None) -> Runs:
            return function([region], wcs, within)[0]

        one.batch = function  # type: ignore[attr-defined]
        for kind in classes:
            runs_of.register(kind, one)
        return function

    return register


def runs_of_each(regions: Sequence[Any], wcs: Any = None, within: Any = None) -> Many:
    """Return the runs of each region, as ``(runs, offsets)``; the regions of a class are done in one go."""
    kinds = [type(region) for region in regions]
    members: dict[Any, list[int]] = {}
    for kind in dict.fromkeys(kinds):
        _adapt(kind)
        indexes = [i for i, other in enumerate(kinds) if other is kind]
        members.setdefault(runs_of.dispatch(kind), []).extend(indexes)
    done = [_do(function, [regions[i] for i in indexes], wcs, within) for function, indexes in members.items()]
    if len(done) == 1 and next(iter(members.values())) == list(range(len(regions))):
        return done[0]
    return _interleaved(done, [np.array(indexes) for indexes in members.values()])


def _do(function: Any, regions: list[Any], wcs: Any, within: Any) -> Many:
    """Rasterize regions that one function knows."""
    if hasattr(function, "batch"):
        return function.batch(regions, wcs, within)
    return joined([function(region, wcs, within) for region in regions])


def joined(runs: Sequence[Runs]) -> Many:
    """Put run arrays one after another."""
    offsets = np.zeros(len(runs) + 1, np.int64)
    np.cumsum([len(part) for part in runs], out=offsets[1:])
    return np.concatenate([NO_RUNS, *runs]), offsets


def _interleaved(done: Sequence[Many], indexes: Sequence[NDArray[np.intp]]) -> Many:
    """Put the groups of several ``(runs, offsets)`` in the order that their `indexes` say."""
    runs, joint = joined([runs for runs, _ in done])
    starts = np.concatenate([offsets[:-1] + start for (_, offsets), start in zip(done, joint, strict=False)] or [[]])
    counts = np.concatenate([np.diff(offsets) for _, offsets in done] or [[]])
    order = np.argsort(np.concatenate(indexes or [[]]))
    starts, counts = starts[order].astype(np.int64), counts[order].astype(np.int64)
    offsets = np.zeros(len(order) + 1, np.int64)
    np.cumsum(counts, out=offsets[1:])
    take = np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], counts)
    return runs[take], offsets


def runs_of_regions(regions: Iterable[Any], wcs: Any = None, within: Any = None) -> Many:
    """Return the runs of each region of a list, as ``(runs, offsets)``.

    A region whose ``meta["include"]`` is false takes its pixels away from all that came before it, as DS9 means it; it
    has none itself.
    """
    regions = list(regions)
    runs, offsets = runs_of_each(regions, wcs, within)
    excluding = [i for i, region in enumerate(regions) if is_excluded(region)]
    if not excluding:
        return runs, offsets
    # From the last one back: what is to be taken away grows by one region at a time.
    pieces: list[Runs] = []
    cut, stop = NO_RUNS, len(regions)
    for i in [*reversed(excluding), -1]:
        piece, counts = _without(runs, offsets[i + 1 : stop + 1], cut)
        pieces[:0] = [piece[counts[k] : counts[k + 1]] for k in range(stop - i - 1)]
        if i >= 0:
            pieces[:0] = [NO_RUNS]
            cut = _algebra.unite(cut, runs[offsets[i] : offsets[i + 1]])
        stop = i
    return joined(pieces)


def _without(runs: Runs, offsets: Offsets, cut: Runs) -> Many:
    """Return some groups of runs without the pixels of `cut`."""
    part = np.ascontiguousarray(runs[offsets[0] : offsets[-1]])
    return _raster.subtract_each(part, offsets - offsets[0], cut)


def is_excluded(region: Any) -> bool:
    """Whether a region says that its pixels are to be taken away."""
    meta = getattr(region, "meta", None)
    return bool(meta) and meta.get("include", True) in (False, 0, "-")


def union_of(many: Many) -> Runs:
    """Return the canonical runs of the union of all groups."""
    return _runs.canonical(many[0])


def clipped(runs: Runs, within: Any) -> Runs:
    """Return the part of canonical runs that is in a box, or all where there is none."""
    if within is None:
        return runs
    return _runs.clip(runs, within.x.start, within.x.stop, within.y.start, within.y.stop)


def needed(wcs: Any, region: Any) -> Any:
    """Return `wcs`, which the region cannot do without."""
    if wcs is None:
        raise ValueError(f"a wcs is needed to rasterize a {type(region).__name__}")
    return wcs


def box_runs(x_start: float, x_stop: float, y_start: float, y_stop: float, within: Any) -> Runs:
    """Return the runs of a box of whole pixels, which may extend to infinity where there is a `within`."""
    x_low, x_high, y_low, y_high = bounds_of(
        within, np.array([x_start]), np.array([x_stop]), np.array([y_start]), np.array([y_stop])
    )
    x_start, x_stop = max(x_start, x_low), min(x_stop, x_high)
    y_start, y_stop = max(y_start, y_low), min(y_stop, y_high)
    if x_start >= x_stop or y_start >= y_stop:
        return NO_RUNS
    runs = np.empty((int(y_stop - y_start), 3), np.int32)
    runs[:, 0] = np.arange(int(y_start), int(y_stop))
    runs[:, 1:] = int(x_start), int(x_stop)
    return runs


@runs_of.register
def _(region: Box2I, wcs: Any = None, within: Any = None) -> Runs:
    return box_runs(region.x.start, region.x.stop, region.y.start, region.y.stop, within)


@runs_of.register
def _(region: Box2D, wcs: Any = None, within: Any = None) -> Runs:
    if region.is_empty:
        return NO_RUNS
    # Strictly inside, as for every other shape.
    start = (np.floor(interval.min) + 1 for interval in (region.x, region.y))
    stop = (np.ceil(interval.max) for interval in (region.x, region.y))
    (x_start, y_start), (x_stop, y_stop) = start, stop
    return box_runs(x_start, x_stop, y_start, y_stop, within)


@batch(Ellipse)
def _ellipses(regions: Sequence[Ellipse], wcs: Any, within: Any) -> Many:
    x, y = np.array([tuple(region.center) for region in regions]).T
    cores = [region.core if isinstance(region.core, Axes) else region.core.to_axes() for region in regions]
    a, b, theta = np.array([(core.a, core.b, core.theta) for core in cores]).T
    return ellipses(x, y, a, b, theta, within=within)


@runs_of.register
def _(region: np.ndarray, wcs: Any = None, within: Any = None) -> Runs:
    mask = as_array2d(region, "region")
    if mask.dtype != bool:
        raise TypeError(f"an array that is a region must be boolean, not {mask.dtype}")
    return _runs_of_mask(mask, 0, 0, within)


def _runs_of_mask(mask: NDArray[np.bool_], x0: int, y0: int, within: Any) -> Runs:
    mask = np.ascontiguousarray(mask)
    return clipped(_runs.from_mask(mask.view(np.uint8), x0, y0), within)


@runs_of.register(list)
@runs_of.register(tuple)
def _(region: Sequence[Any], wcs: Any = None, within: Any = None) -> Runs:
    return union_of(runs_of_regions(region, wcs, within))


def combine(operation: Callable, operands: Sequence[Runs], within: Any) -> Runs:
    """Return the runs of several operands under an operation on booleans."""
    if operation is operator.or_:
        return _runs.canonical(np.concatenate([NO_RUNS, *operands]))
    if operation is operator.and_:
        return functools.reduce(_algebra.intersect, sorted(operands, key=len))
    if operation is operator.xor:
        # In pairs, so that long chains cost n log n.
        while len(operands) > 1:
            pairs = [_algebra.exclude(a, b) for a, b in zip(operands[::2], operands[1::2], strict=False)]
            operands = pairs + list(operands[2 * len(pairs) :])
        return operands[0]
    return _by_truth_table(operation, *operands, within)


def _by_truth_table(operation: Callable, a: Runs, b: Runs, within: Any) -> Runs:
    """Return the runs of an operation that is known only by what it does to booleans."""
    in_a, in_b = np.array([[False, True, False, True], [False, False, True, True]])
    try:
        neither, only_a, only_b, both = np.asarray(operation(in_a, in_b)).astype(bool)
    except TypeError:
        # As `regions` itself does it: on integers.
        neither, only_a, only_b, both = np.asarray(operation(in_a.astype(int), in_b.astype(int))).astype(bool)
    runs = NO_RUNS
    if only_a:
        runs = _algebra.unite(runs, _algebra.subtract(a, b))
    if only_b:
        runs = _algebra.unite(runs, _algebra.subtract(b, a))
    if both:
        runs = _algebra.unite(runs, _algebra.intersect(a, b))
    if neither:
        if within is None:
            raise ValueError("the compound region has no bounds, as its operator holds outside of both; pass `within`")
        everything = box_runs(within.x.start, within.x.stop, within.y.start, within.y.stop, within)
        runs = _algebra.unite(runs, _algebra.subtract(everything, _algebra.unite(a, b)))
    return runs
