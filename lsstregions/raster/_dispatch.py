"""From anything region-like to run arrays: one dispatch by class, and a batch form of it for lists."""

import functools
import threading
import weakref
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from inspect import isabstract
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .. import _algebra, _columns, _raster, _runs
from .._ragged import offsets_of, owners_of, ranges
from .._validate import as_array2d, as_int32, as_runs
from .._warn import warn
from ..ellipses import Axes, Ellipse
from ..geom import Box2D, Box2I
from ._shapes import (
    ELLIPSE,
    NO_RUNS,
    Batch,
    Doubles,
    Many,
    Pieces,
    Polygons,
    Runs,
    Shapes,
    reach_of,
)

# Where what is registered need not be looked at.
_OURS = __name__.partition(".")[0] + "."

# Operations of `_algebra.fold`.
OR, LESS = 0b1110, 0b0010

Maker = Callable[[Sequence[Any], Any], Batch]

# Packages whose classes are registered when the first object of theirs comes along.
_ADAPTERS = {"regions": "._regions", "photutils": "._photutils", "shapely": "._shapely"}
_ADAPTED: weakref.WeakSet[type] = weakref.WeakSet()
_ADAPTING = threading.RLock()


@functools.singledispatch
def runs_of(region: Any, wcs: Any = None, within: Any = None) -> Runs:
    """Return the canonical runs, int32 of shape (n, 3), of the pixels of anything region-like.

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
    ValueError
        For a region on the sky without a WCS.
    OverflowError
        If what others make of it does not fit into int32.
    """
    if isinstance(region, type):
        raise TypeError(f"region must be a region, not the class {region.__name__}")
    if hasattr(region, "__runs__"):
        runs = region.__runs__()
        return clipped(runs if _is_ours(type(region)) else _as_runs(runs, region), within)
    known = _implementation(type(region))
    if known is not runs_of.registry[object]:
        return _called(known, region, wcs, within)
    if hasattr(region, "to_mask"):
        mask, x0, y0 = _own_mask(region, "center")
        return _runs_of_mask(mask > 0, x0, y0, within)
    if hasattr(region, "to_pixel"):
        return pixels_of(region.to_pixel(needed(wcs, region)), wcs, within)
    hint = "; many regions come in a list" if isinstance(region, Iterable) and not isinstance(region, str) else ""
    raise TypeError(f"{type(region).__name__} is not a region, or of no kind that can be rasterized: {region!r}{hint}")


def _called(function: Callable[..., Any], region: Any, wcs: Any, within: Any) -> Runs:
    """Return the runs that what is registered for its class makes of a region."""
    runs = function(region, wcs, within)
    return runs if _is_ours(function) else clipped(_as_runs(runs, region), within)


def _as_runs(runs: Any, region: Any) -> Runs:
    """Return runs that others have made of a region as they must be."""
    return as_runs(runs.__runs__() if hasattr(runs, "__runs__") else runs, f"the runs of {type(region).__name__}")


def _is_ours(maker: Any) -> bool:
    return str(getattr(maker, "__module__", "")).startswith(_OURS)


def _own_mask(region: Any, mode: str) -> tuple[NDArray, int, int]:
    """Return the mask that a region makes of itself, and its first pixel."""
    made = region.to_mask(mode=mode) if mode != "center" else region.to_mask()
    try:
        mask, x0, y0 = np.asarray(made.data), as_int32(made.bbox.ixmin, "ixmin"), as_int32(made.bbox.iymin, "iymin")
        if mask.ndim != 2 or mask.dtype.kind not in "biuf":
            raise TypeError
    except (AttributeError, TypeError):
        raise TypeError(
            f"to_mask of {type(region).__name__} must return a 2-D mask with a bbox, as those of regions are, "
            f"not {made!r:.100}"
        ) from None
    return mask, x0, y0


def _adapt(kind: type) -> None:
    """Register the classes of the packages that `kind` and its bases are from."""
    if kind not in _ADAPTED:
        for package in {base.__module__.partition(".")[0] for base in kind.__mro__} & _ADAPTERS.keys():
            import_module(_ADAPTERS[package], __package__)
        _ADAPTED.add(kind)


def _implementation(kind: type) -> Callable[..., Any]:
    """Return what is registered for a class, after the classes of its package are."""
    # No thread may look while another one registers.
    with _ADAPTING:
        _adapt(kind)
        known = runs_of.dispatch(kind)
        is_its_own = kind not in runs_of.registry and _is_ours(known) and _is_its_own(kind, known)
        return runs_of.registry[object] if is_its_own else known


def _is_its_own(kind: type, known: Callable[..., Any]) -> bool:
    """Whether a class makes other pixels than the class, known to us, that it is derived from, if that makes any."""
    base = next((base for base in kind.__mro__ if runs_of.registry.get(base) is known), kind)
    return not isabstract(base) and any(
        getattr(kind, name, None) is not getattr(base, name, None) for name in ("to_mask", "to_pixel")
    )


def pixels_of(region: Any, wcs: Any = None, within: Any = None) -> Runs:
    """Return what `runs_of` does, from any thread at any time."""
    return _called(_implementation(type(region)), region, wcs, within)


def batch(*classes: type) -> Callable[[Maker], Maker]:
    """Register a function of (list of regions, wcs) that returns a `Batch` of them for `classes`."""

    def register(make: Maker) -> Maker:
        def one(region: Any, wcs: Any = None, within: Any = None) -> Runs:
            return make([region], wcs).runs(within)[0]

        one.make = make  # type: ignore[attr-defined]  # Functions take attributes.
        for kind in classes:
            runs_of.register(kind, one)
        return make

    return register


class UnprojectableError(ValueError):
    """Some regions on the sky have no place on the image; `indexes` says which of them."""

    indexes: Sequence[int]


def unprojectable_error(regions: Sequence[Any], indexes: Sequence[int]) -> UnprojectableError:
    """Return the error that names some of several regions."""
    names = ", ".join(f"number {i}, {regions[i]!r}" for i in indexes[:5]) + (", ..." if len(indexes) > 5 else "")
    error = UnprojectableError(f"{len(indexes)} of {len(regions)} regions do not project onto the image: {names}")
    error.indexes = indexes
    return error


class SkippedRegionWarning(UserWarning):
    """Regions were left out: as was asked for, because they do not project onto the image; or texts, from a file."""


class SkippingWCS:
    """A WCS with which regions in lists are left out, with a warning, if they do not project onto the image.

    Parameters
    ----------
    wcs : APE-14 WCS
        What projects.
    """

    __slots__ = ("_wcs",)

    def __init__(self, wcs: Any):
        self._wcs = wcs

    def __getattr__(self, name: str) -> Any:
        # Whoever copies or pickles asks for others before there is a WCS.
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._wcs, name)


def projecting(wcs: Any, unprojectable: str) -> Any:
    """Return a WCS that does with regions that do not project what it is told to."""
    if unprojectable not in ("raise", "skip"):
        raise ValueError(f"unprojectable must be 'raise' or 'skip', not {unprojectable!r}")
    return wcs if wcs is None or unprojectable == "raise" else SkippingWCS(wcs)


class Alone:
    """Regions of classes that are done one by one: sets of whole pixels."""

    __slots__ = ("regions", "wcs")

    def __init__(self, regions: Sequence[Any], wcs: Any):
        self.regions = regions
        self.wcs = wcs

    def runs(self, within: Any) -> Many:
        """Return the pixels of each."""
        return joined([pixels_of(region, self.wcs, within) for region in self.regions])

    def pieces(self, within: Any) -> Pieces:
        """Return the pixels of each, whole, or those of its own exact mask."""
        return joined_pieces([_own_pieces(region, self.wcs, within) for region in self.regions])


def _own_pieces(region: Any, wcs: Any, within: Any) -> tuple[Runs, Doubles]:
    """Return the pieces of a region that is a set of pixels, or of one of a class that only its author knows."""
    is_whole = hasattr(region, "__runs__")
    if not is_whole and hasattr(region, "to_mask"):
        mask, x0, y0 = _own_mask(region, "exact")
        runs = _runs_of_mask(mask > 0, x0, y0, within)
        y, x = _runs.indices(runs)
        return np.column_stack([y, x, x + 1]).astype(np.int32), mask[y - y0, x - x0].astype(float)
    if not is_whole and hasattr(region, "to_pixel"):
        from ._exact import pieces_of

        return pieces_of(Mixed([region.to_pixel(needed(wcs, region))], wcs), within)[:2]
    runs = pixels_of(region, wcs, within)
    return runs, np.ones(len(runs))


class Mixed:
    """Regions of any classes, each for itself, whatever its ``meta`` says."""

    __slots__ = ("regions", "wcs")

    def __init__(self, regions: Sequence[Any], wcs: Any):
        self.regions = regions
        self.wcs = wcs

    def runs(self, within: Any) -> Many:
        """Return the pixels of each."""
        return runs_of_each(self.regions, self.wcs, within)

    def parts(self, within: Any) -> Any:
        """Return the shapes that each is made of."""
        from ._exact import parts_of_all

        return parts_of_all(batches(self.regions, self.wcs), within)


def batches(regions: Sequence[Any], wcs: Any) -> list[tuple[Batch, Sequence[int]]]:
    """Return the regions in batches of what can be done together, with the places of each batch's in the list."""
    kinds = list(map(type, regions))
    places: dict[type, Sequence[int]] = dict.fromkeys(kinds, range(len(kinds)))
    for kind in places:
        if len(places) > 1:
            places[kind] = [i for i, other in enumerate(kinds) if other is kind]
    made: list[tuple[Batch, Sequence[int]]] = []
    for kind, indexes in places.items():
        make = getattr(_implementation(kind), "make", Alone)
        try:
            alike = regions if len(places) == 1 else [regions[i] for i in indexes]
            made.append((make(alike, wcs), indexes))
        except UnprojectableError as error:
            lost = [indexes[i] for i in error.indexes]
            error = unprojectable_error(regions, lost)
            if not isinstance(wcs, SkippingWCS):
                raise error from None
            warn(str(error), SkippedRegionWarning)
            kept = sorted(set(indexes) - set(lost))
            # In the place of what was skipped come empty lists.
            made.append((Lists([()] * len(lost), wcs), lost))
            if kept:
                made.append((make([regions[i] for i in kept], wcs), kept))
    return made


def runs_of_each(regions: Sequence[Any], wcs: Any = None, within: Any = None) -> Many:
    """Return the runs of each region, as ``(runs, offsets)``; the regions of a class are done in one go."""
    done = batches(regions, wcs)
    if len(done) == 1 and done[0][1] == range(len(regions)):
        return done[0][0].runs(within)
    return interleaved([some.runs(within) for some, _ in done], [np.array(indexes) for _, indexes in done])


def joined_pieces(parts: Sequence[tuple[Runs, Doubles]]) -> Pieces:
    """Put spans and their weights one after another."""
    spans, offsets = joined([spans for spans, _ in parts])
    return spans, np.concatenate([np.empty(0), *(weights for _, weights in parts)]), offsets


def joined(runs: Sequence[Runs]) -> Many:
    """Put run arrays one after another."""
    return np.concatenate([NO_RUNS, *runs]), offsets_of([len(part) for part in runs])


def folded(sets: Many, operations: ArrayLike) -> Runs:
    """Return what is made of sets of canonical runs by an operation for each, on what those before it have made."""
    runs, offsets = sets
    order = np.argsort(runs[:, 0], kind="stable")
    return _algebra.fold(runs[order], owners_of(offsets)[order], np.asarray(operations, np.uint8))


def interleaved(done: Sequence[Many], indexes: Sequence[NDArray[np.intp]]) -> Many:
    """Put the groups of several ``(runs, offsets)`` in the order that their `indexes` say."""
    runs, joint = joined([runs for runs, _ in done])
    nothing = np.empty(0, np.int64)
    starts = np.concatenate(
        [nothing, *(offsets[:-1] + start for (_, offsets), start in zip(done, joint, strict=False))]
    )
    counts = np.concatenate([nothing, *(np.diff(offsets) for _, offsets in done)])
    order = np.argsort(np.concatenate([nothing, *indexes]))
    starts, counts = starts[order], counts[order]
    return runs[ranges(starts, counts)], offsets_of(counts)


def runs_of_regions(regions: Iterable[Any], wcs: Any = None, within: Any = None) -> Many:
    """Return the runs of each region of a list, as ``(runs, offsets)``.

    A region whose ``meta["include"]`` is false takes its pixels away from all that came before it, as DS9 means it; it
    has none itself.

    Parameters
    ----------
    regions : iterable
        Regions of any kind that `runs_of` knows.
    wcs, within : optional
        As of `runs_of`.

    Returns
    -------
    runs : ndarray of int32, shape (n, 3)
    offsets : ndarray of int64, shape (n_regions + 1,)

    Raises
    ------
    TypeError
        If `regions` cannot be iterated over, and for what `runs_of` raises it.
    """
    try:
        regions = list(regions)
    except TypeError:
        raise TypeError(f"regions must be a list of regions, not {type(regions).__name__}") from None
    return _less_later(runs_of_each(regions, wcs, within), np.array(are_excluded(regions), bool))[0]


def _less_later(sets: Many, excluded: NDArray[np.bool_]) -> tuple[Many, Runs]:
    """Return each set of a list without what is excluded after it, and all that is excluded.

    By halves: what the second one excludes is taken away from the first at once.
    """
    runs, offsets = sets
    runs, offsets = runs[offsets[0] : offsets[-1]], offsets - offsets[0]
    if not excluded.any():
        return (runs, offsets), NO_RUNS
    if len(excluded) == 1:
        return (NO_RUNS, np.zeros_like(offsets)), runs
    middle = len(excluded) // 2
    (low, low_offsets), low_cut = _less_later((runs, offsets[: middle + 1]), excluded[:middle])
    (high, high_offsets), high_cut = _less_later((runs, offsets[middle:]), excluded[middle:])
    if len(low) and len(high_cut):
        low, low_offsets = _raster.subtract_each(low, low_offsets, high_cut)
    left = np.concatenate([low, high]), np.concatenate([low_offsets, high_offsets[1:] + len(low)])
    return left, _algebra.unite(low_cut, high_cut)


def are_excluded(regions: Sequence[Any]) -> list[bool]:
    """Whether each region says that its pixels are to be taken away."""
    return [meta.get("include", True) in (False, 0, "-") if meta else False for meta in values(regions, "meta", None)]


def values(regions: Sequence[Any], name: str, *default: Any) -> list[Any]:
    """Return an attribute of each region; where `regions` keeps it, three times as fast as through its descriptors."""
    try:
        return [region.__dict__[name] for region in regions]
    except (AttributeError, KeyError):
        return [getattr(region, name, *default) for region in regions]


def unordered_runs_of(region: Any, wcs: Any = None, within: Any = None) -> Runs:
    """Return runs (n, 3) of the pixels of `runs_of` that may overlap, in any order: enough to paint, and cheaper.

    Parameters
    ----------
    region, wcs, within : optional
        As of `runs_of`.
    """
    make = getattr(_implementation(type(region)), "make", None)
    if make is not Lists:
        return pixels_of(region, wcs, within)
    members = list(region)
    return pixels_of(members, wcs, within) if any(are_excluded(members)) else runs_of_each(members, wcs, within)[0]


def clipped(runs: Runs, within: Any) -> Runs:
    """Return the part of canonical runs that is in a box, or all where there is none."""
    if within is None:
        return runs
    return _runs.clip(runs, *within._edges)


def needed(wcs: Any, region: Any) -> Any:
    """Return `wcs`, which the region cannot do without."""
    if wcs is None:
        raise ValueError(f"a wcs is needed to rasterize a {type(region).__name__}: pass wcs=")
    return wcs


def box_runs(x_start: float, x_stop: float, y_start: float, y_stop: float, within: Any) -> Runs:
    """Return the runs of a box of whole pixels, which may extend to infinity where there is a `within`."""
    x, y = np.array([[x_start, x_stop], [y_start, y_stop]], float)
    x_low, x_high, y_low, y_high = reach_of(within, x, y, np.array([0, 2]))[0]
    edges = max(x_start, x_low), min(x_stop, x_high), max(y_start, y_low), min(y_stop, y_high)
    return _runs.complement(NO_RUNS, *map(int, edges))


@runs_of.register
def _(region: Box2I, wcs: Any = None, within: Any = None) -> Runs:
    return box_runs(*region._edges, within)


@batch(Box2D)
def _boxes(regions: Sequence[Box2D], wcs: Any) -> Batch:
    # An empty one is a rectangle of no size.
    sides = [(0.0, 0.0, 0.0, 0.0) if box.is_empty else (box.x.min, box.x.max, box.y.min, box.y.max) for box in regions]
    x_min, x_max, y_min, y_max = np.array(sides).T
    # Rings of corners, for a rectangle around a centre would round them.
    x, y = np.stack((x_min, x_max, x_max, x_min), axis=1), np.stack((y_min, y_min, y_max, y_max), axis=1)
    return Polygons(x.ravel(), y.ravel(), np.arange(0, 4 * len(regions) + 1, 4))


@batch(Ellipse)
def _ellipses(regions: Sequence[Ellipse], wcs: Any) -> Batch:
    x, y = np.array([tuple(region.center) for region in regions]).T
    cores = [region.core if isinstance(region.core, Axes) else region.core.to_axes() for region in regions]
    a, b, theta = np.array([(core.a, core.b, core.theta) for core in cores]).T
    return Shapes(ELLIPSE, x, y, a, b, theta)


@runs_of.register
def _(region: np.ndarray, wcs: Any = None, within: Any = None) -> Runs:
    mask = as_array2d(region, "region")
    if mask.dtype != bool:
        raise TypeError(f"an array that is a region must be boolean, not {mask.dtype}")
    return _runs_of_mask(mask, 0, 0, within)


def _runs_of_mask(mask: NDArray[np.bool_], x0: int, y0: int, within: Any) -> Runs:
    mask = np.ascontiguousarray(mask)
    return clipped(_runs.from_mask(mask.view(np.uint8), x0, y0), within)


@batch(list, tuple)
class Lists:
    """Lists of regions of any classes: the union of each, less what is excluded."""

    __slots__ = ("members", "offsets", "wcs")

    def __init__(self, lists: Sequence[Any], wcs: Any):
        lists = [list(regions) for regions in lists]
        self.members = [region for regions in lists for region in regions]
        self.offsets = offsets_of([len(regions) for regions in lists])
        self.wcs = wcs

    def runs(self, within: Any) -> Many:
        """Return the pixels of each list."""
        return self._united(runs_of_each(self.members, self.wcs, within))

    def parts(self, within: Any) -> Any:
        """Return the shapes that the members are made of."""
        from ._exact import made_from

        return made_from(Mixed(self.members, self.wcs), within, owners_of(self.offsets), self._united)

    def _united(self, members: Many) -> Many:
        """Return the union of the pixels of each list's members, less what is excluded."""
        runs, offsets = members
        excluded = np.array(are_excluded(self.members), bool)
        if not excluded.any():
            offsets = offsets[self.offsets]
            return _columns.fuse(runs, owners_of(offsets), len(offsets) - 1)
        operations = np.where(excluded, LESS, OR)
        united = []
        for first, stop in pairwise(self.offsets.tolist()):
            some = offsets[first : stop + 1]
            united.append(folded((runs[some[0] : some[-1]], some - some[0]), operations[first:stop]))
        return joined(united)
