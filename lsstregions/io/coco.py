"""Footprints as COCO annotations in JSON: run-length encoded, or as polygons.

COCO counts runs down the columns of the image, and writes the counts as text: each, less the one two before it, in
groups of five bits. Polygons have pixel corners at integers, half a pixel from ours, and no holes: parts and holes
are joined by cuts of no width, as in `lsstregions.io.outlines`.

The image of a set with a region is the region, otherwise it begins at the pixel (0, 0); our own key ``lsstregions``
keeps where it begins. Peaks, signs and pixel values are not kept; a `LossWarning` says so where there are any.

The encoding is that of pycocotools (Lin et al. 2014, "Microsoft COCO", and its maskApi), written anew.
"""

import json
import os
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .. import _columns
from .._ragged import offsets_of, owners_of, ranks_of
from .._rings import cut_rings
from .._validate import as_int32
from ..footprints import FootprintSet
from ..geom import Box2I
from ..raster import polygons
from ._checked import (
    check_rows,
    checked_footprints,
    content,
    reading,
    warn_of_loss,
)
from ._files import replacing
from .outlines import check_rows_of, transposed

VERSION = 1


def write_coco(
    footprints: FootprintSet,
    path: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    segmentation: Literal["rle", "polygon"] = "rle",
    file_name: str = "",
) -> None:
    """Write footprints as the annotations of one image.

    Parameters
    ----------
    footprints : FootprintSet
        If there is no region, coordinates must not be negative.
    path : path-like
    overwrite : bool, optional
        Whether a file of that name may be replaced.
    segmentation : {"rle", "polygon"}, optional
        Compressed run lengths, or outlines.
    file_name : str, optional
        The name of the image, for the readers of the file.

    Warns
    -----
    LossWarning
        If there is something that COCO cannot keep.

    Raises
    ------
    ValueError
        If a footprint leaves the image, or `segmentation` is neither.
    FileExistsError, FileNotFoundError
        If the file is there and `overwrite` is False, or there is no such folder.
    """
    if segmentation not in ("rle", "polygon"):
        raise ValueError(f"segmentation must be 'rle' or 'polygon', not {segmentation!r}")
    box = footprints.region
    warn_of_loss(footprints, "COCO", ("the region", "empty footprints"))
    bounds = footprints.bbox
    if box is None:
        full = np.diff(footprints.offsets) > 0
        width, height = (int(bounds[full, edge].max(initial=0)) for edge in (1, 3))
        box = Box2I((0, width), (0, height))
    local = footprints.shift(-box.x.start, -box.y.start)
    if footprints.union().bbox not in box and len(footprints.spans):
        raise ValueError(f"footprints leave the image, {box!r}: clip them first")
    segments = _polygons(local) if segmentation == "polygon" else _run_lengths(local, box.height, box.width)
    x, x_stop, y, y_stop = local.bbox.T
    boxes = np.column_stack((x, y, x_stop - x, y_stop - y)).tolist()
    annotations = [
        {
            "id": i,
            "image_id": 1,
            "category_id": 1,
            "iscrowd": int(segmentation == "rle"),
            "area": area,
            "bbox": bbox,
            "segmentation": segment,
        }
        for i, (area, bbox, segment) in enumerate(zip(local.area.tolist(), boxes, segments, strict=True), 1)
    ]
    document = {
        "info": {"description": "footprints"},
        "images": [{"id": 1, "width": box.width, "height": box.height, "file_name": file_name}],
        "categories": [{"id": 1, "name": "footprint"}],
        "annotations": annotations,
        "lsstregions": {"version": VERSION, "xy0": list(box.xy0), "has_region": footprints.region is not None},
    }
    text = json.dumps(document, separators=(",", ":"))
    with replacing(path, overwrite) as new:
        new.write_text(text, encoding="utf-8")


def read_coco(path: Any, *, image_id: int | None = None) -> FootprintSet:
    """Read the annotations of an image, each as a footprint.

    Parameters
    ----------
    path : path-like or binary file
    image_id : int, optional
        Which image, if the file has several.

    Raises
    ------
    FileFormatError
        If the file is no COCO JSON, truncated, corrupt, of a later version, or has several images and none is named.
    """
    with reading(path):
        document = json.loads(content(path))
        if not isinstance(document, dict) or not {"images", "annotations"} <= document.keys():
            raise ValueError("there are no images and annotations in it, as COCO has them")
        about = document.get("lsstregions", {"version": VERSION})
        if about["version"] != VERSION:
            raise ValueError(f"it is of version {about['version']!r}, not of {VERSION}")
        images = {image["id"]: image for image in document["images"]}
        if image_id is None:
            if len(images) != 1:
                raise ValueError(f"it has {len(images)} images: say by image_id= which")
            (image_id,) = images
        image = images[image_id]
        annotations = [one for one in document["annotations"] if one["image_id"] == image_id]
        xy0 = about.get("xy0", (0, 0))
        box = Box2I.from_shape((as_int32(image["height"], "height"), as_int32(image["width"], "width")))
        spans, offsets = _spans_of([one["segmentation"] for one in annotations], box)
        made = checked_footprints(spans, offsets, box).shift(*(as_int32(start, "xy0") for start in xy0))
        return made if about.get("has_region", True) else made._replaced(region=None)


# Run lengths


def _run_lengths(footprints: FootprintSet, height: int, width: int) -> list[dict]:
    """Return the segmentation of each footprint as compressed run lengths."""
    columns, offsets = transposed(footprints.spans, footprints.offsets)
    x, y, y_stop = columns.T.astype(np.int64)
    owner = owners_of(offsets)
    start, stop = x * height + y, x * height + y_stop
    # Runs go on from the end of one column to the beginning of the next.
    begins = np.ones(len(start), bool)
    begins[1:] = (owner[1:] != owner[:-1]) | (start[1:] != stop[:-1])
    start, stop = start[begins], stop[np.append(begins[1:], True)[: len(stop)]]
    n_runs = np.bincount(owner[begins], minlength=len(footprints))
    # Edges of the runs, and at last the end of the image; counts are the steps from one to the next.
    n_edges = 2 * n_runs + 1
    ends = np.cumsum(n_edges)
    edges = np.full(ends[-1] if len(ends) else 0, height * width, np.int64)
    at = np.repeat(ends - n_edges, n_runs) + 2 * ranks_of(n_runs)
    edges[at], edges[at + 1] = start, stop
    counts = np.diff(edges, prepend=0)
    counts[ends - n_edges] = edges[ends - n_edges]
    # A last run of no length is left out.
    kept = np.ones(len(counts), bool)
    kept[ends - 1] = (counts[ends - 1] > 0) | (n_edges == 1)
    offsets = offsets_of(kept)[offsets_of(n_edges)]
    texts = encode_counts(counts[kept], offsets)
    return [{"size": [height, width], "counts": text} for text in texts]


def encode_counts(counts: NDArray[np.int64], offsets: NDArray[np.int64]) -> list[str]:
    """Return the counts of each of several masks as COCO's text."""
    rank = ranks_of(np.diff(offsets))
    rest = counts.copy()
    later = np.flatnonzero(rank > 2)
    rest[later] -= counts[later - 2]
    digits = np.zeros((len(counts), 13), np.uint8)
    length = np.zeros(len(counts), np.int64)
    going = np.arange(len(counts))
    for k in range(digits.shape[1]):
        group = rest[going] & 31
        rest[going] >>= 5
        more = np.where(group & 16, rest[going] != -1, rest[going] != 0)
        digits[going, k] = group + 32 * more + 48
        length[going] += 1
        going = going[more]
    text = digits[np.arange(digits.shape[1]) < length[:, None]].tobytes().decode("ascii")
    ends = offsets_of(length)[offsets].tolist()
    return [text[start:stop] for start, stop in pairwise(ends)]


def decode_counts(texts: list[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the counts of several masks from COCO's texts, and where those of each begin.

    Both are int64, of shapes (n_counts,) and (n_masks + 1,).

    Raises
    ------
    ValueError
        If a text is none that COCO writes, or a count is not less than 2**39.
    """
    data = np.frombuffer("".join(texts).encode("ascii"), np.uint8)
    if len(data) and (data.min() < 48 or data.max() > 111):
        raise ValueError("counts must be characters from '0' to 'o'")
    digits = data - np.uint8(48)
    last = digits < 32
    ends = offsets_of([len(text) for text in texts])
    if not last[ends[1:][np.diff(ends) > 0] - 1].all():
        raise ValueError("counts end within a number")
    stop = np.flatnonzero(last) + 1
    start = np.concatenate([[0], stop[:-1]]) if len(stop) else stop
    length = stop - start
    if (length > 8).any():
        raise ValueError("counts must be less than 2**39")
    shift = 5 * ranks_of(length)
    groups = (digits & np.uint8(31)).astype(np.int64) << shift
    values = np.add.reduceat(groups, start) if len(start) else np.empty(0, np.int64)
    negative = (digits[stop - 1] & 16) > 0
    values[negative] -= np.int64(1) << (5 * length[negative])
    offsets = offsets_of(last)[ends]
    return _undifferenced(values, offsets), offsets


def _undifferenced(values: NDArray[np.int64], offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return numbers from their differences to those two before them, which the first three of each group are not."""
    rank = ranks_of(np.diff(offsets))
    counts = values.copy()
    for parity, first in ((1, 1), (0, 2)):
        chain = np.flatnonzero((rank % 2 == parity) & (rank >= first))
        if len(chain):
            total = np.cumsum(values[chain])
            heads = np.flatnonzero(rank[chain] == first)
            before = total[heads] - values[chain][heads]
            counts[chain] = total - np.repeat(before, np.diff([*heads, len(chain)]))
    return counts


def _spans_of_counts(
    counts: NDArray[np.int64], offsets: NDArray[np.int64], height: int, width: int
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return the pixels of masks, each a run, and the masks that they are of."""
    if len(counts) and counts.min() < 0:
        raise ValueError("counts must not be negative")
    size = height * width
    if len(counts) and counts.max() > size:
        raise ValueError(f"counts must not go beyond the image's {size} pixels")
    sums = offsets_of(counts)
    totals = sums[offsets[1:]] - sums[offsets[:-1]]
    if (totals > size).any() or (sums < 0).any():
        raise ValueError(f"counts must not go beyond the image's {size} pixels")
    rank = ranks_of(np.diff(offsets))
    owner = owners_of(offsets)
    inside = rank % 2 == 1
    start = (sums[:-1] - sums[offsets[:-1]][owner])[inside] if len(counts) else counts
    length, owner = counts[inside], owner[inside]
    # Runs down columns are cut at the ends of columns, and then lie along rows of the transposed image.
    first, final = start // max(height, 1), (start + length - 1) // max(height, 1)
    n_columns = np.where(length > 0, final - first + 1, 0)
    check_rows(int(n_columns.sum()), len(counts))
    which = owners_of(offsets_of(n_columns))
    x = first[which] + ranks_of(n_columns)
    low = np.maximum(start[which] - x * height, 0)
    high = np.minimum((start + length)[which] - x * height, height)
    runs = np.column_stack((x, low, high)).astype(np.int32)
    return runs, owner[which]


def _spans_of(segments: list[Any], box: Box2I) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return canonical spans of segmentations, of whatever kinds they are."""
    count = len(segments)
    texts: list[str] = []
    lists: list[list[int]] = []
    rings: list[list[float]] = []
    text_owner: list[int] = []
    list_owner: list[int] = []
    ring_owner: list[int] = []
    for i, segment in enumerate(segments):
        if isinstance(segment, dict):
            if [int(n) for n in segment["size"]] != list(box.shape):
                raise ValueError(f"a segmentation is of size {segment['size']}, the image of {list(box.shape)}")
            compressed = isinstance(segment["counts"], str)
            (texts if compressed else lists).append(segment["counts"])
            (text_owner if compressed else list_owner).append(i)
        else:
            rings += segment
            ring_owner += [i] * len(segment)
    parts = []
    for counts, offsets, owners in ((*decode_counts(texts), text_owner), (*_flattened(lists, np.int64), list_owner)):
        columns, which = _spans_of_counts(counts, offsets, *box.shape)
        runs, begins = transposed(*_columns.fuse(columns, which, len(owners)))
        parts.append((runs, np.repeat(np.array(owners, np.int32), np.diff(begins))))
    vertices, begins = _flattened(rings, np.float64)
    if (begins % 2).any():
        raise ValueError("a polygon must have as many x as y")
    x, y = (vertices.reshape(-1, 2) - 0.5).T
    check_rows_of(y, begins // 2)
    runs, offsets = polygons(x, y, begins // 2, within=box)
    parts.append((runs, np.repeat(np.array(ring_owner, np.int32), np.diff(offsets))))
    runs = np.concatenate([runs for runs, _ in parts])
    owner = np.concatenate([owner for _, owner in parts]).astype(np.int32)
    return _columns.fuse(runs, owner, count)


def _flattened(lists: list[Any], dtype: Any) -> tuple[NDArray, NDArray[np.int64]]:
    """Return the numbers of several lists in one array, and where those of each begin."""
    arrays = [np.asarray(one, dtype) for one in lists]
    if any(array.ndim != 1 for array in arrays):
        raise ValueError("counts and polygons must be lists of numbers")
    return np.concatenate([np.empty(0, dtype), *arrays]), offsets_of([len(array) for array in arrays])


def _polygons(footprints: FootprintSet) -> list[list[list[int]]]:
    """Return the segmentation of each footprint as one polygon."""
    vertices, offsets = cut_rings(footprints.spans, footprints.offsets)
    flat = (vertices + 0.5).astype(np.int64).reshape(-1).tolist()
    begins = (2 * offsets).tolist()
    return [[flat[i:j]] if j > i else [] for i, j in pairwise(begins)]
