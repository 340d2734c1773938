"""All kernels: each gives the same from many threads at once, and each is known to its stub."""

import ast
import concurrent.futures
import importlib
from pathlib import Path

import numpy as np
import pytest

import lsstregions
from lsstregions import SpanSet, _dilation
from lsstregions._peaks import PEAK
from lsstregions.raster._shapes import CIRCLE, Shapes

MODULES = sorted(path.stem for path in Path(lsstregions.__file__).parent.glob("_*.pyi") if path.stem != "__init__")


def frame(seed, density=0.4):
    return np.random.default_rng(seed).random((150, 333)) < density


def cases(seed):
    """One call of every kernel on data of its own: name -> arguments."""
    mask = frame(seed)
    a, b = SpanSet.from_mask(mask).array, SpanSet.from_mask(frame(seed + 1000)).array
    offsets = np.array([0, len(a) // 3, len(a) // 2, len(a)])
    labels = np.arange(len(a), dtype=np.int32) % 7
    centers = np.arange(3.0)
    image = np.zeros((150, 333 * 4), np.uint8)
    values = np.arange(4 * mask.sum()).astype(np.uint8)
    groups, rows = _dilation._groups(SpanSet.disk(4).array)
    rng = np.random.default_rng(seed)
    pixels = rng.normal(size=mask.shape).astype(np.float32)
    x, y = rng.uniform(0, 150, (2, 40))
    owner = rng.integers(0, 3, 40).astype(np.int32)
    peaks = np.zeros(40, PEAK)
    peaks["x_peak"], peaks["y_peak"], peaks["peak_value"] = x, y, rng.integers(0, 9, 40)
    circles = Shapes(CIRCLE, x, y, 1 + owner, 1 + owner, 0.0).columns
    corners = np.array([3.2, 90.1, 60.7, 5.5]), np.array([4.4, 8.3, 120.9, 77.0])
    ring, box = np.array([0, 4]), (0, 333, 0, 150)
    some, weights = a[:200].copy(), rng.random(200)
    planes = pixels.astype(float), pixels.astype(float) ** 2, mask.view(np.uint8)
    words = rng.integers(0, 256, (150, 333 * 2)).astype(np.uint8)
    return {
        "_columns.at": (a, labels, x, y),
        "_columns.clip": (a, offsets, 10, 200, 5, 100),
        "_columns.components": (rng.integers(0, 500, (300, 2)), 500),
        "_columns.empty_groups": (np.array([0, 0, 3, 3, 5]),),
        "_columns.fuse": (np.concatenate((a, b)), np.arange(len(a) + len(b), dtype=np.int32) % 5, 5),
        "_columns.locate": (x, y, owner, a, offsets),
        "_columns.nearest_peaks": (np.stack((x, y), 1), ring * 10, np.stack((y, x), 1), ring * 10),
        "_columns.nearest_runs": (x, y, owner, a, offsets),
        "_columns.overlaps": (a, labels, b, np.arange(len(b), dtype=np.int32) % 3),
        "_columns.sort_peaks": ([peaks.view(np.uint8)], owner, np.array([1, -1, 0], np.int8), True),
        "_columns.split": (a, offsets, 8),
        "_coverage.conic_sums": (*planes, circles, 0, 0),
        "_coverage.conics": (circles, *box),
        "_coverage.polygons": (*corners, ring, np.array([0, 1]), np.zeros(1, np.uint8), np.zeros((2, 1)), *box),
        "_coverage.spread": (some, weights),
        "_coverage.winds_once": (x, y, np.array([0, 3, 10, 40])),
        "_coverage.sums": (*planes, some, weights, np.array([0, 90, 200]), 0, 0),
        "_label_image.paint": (np.zeros((150, 333), np.int32), a, offsets, 0, 0),
        "_label_image.runs_of": (rng.integers(0, 3, (150, 333)).astype(np.uint8), 1, 0, 0),
        "_photometry.measure": (pixels.view(np.uint8), pixels.dtype, a, offsets, 0, 0),
        "_planes.any_of": (words, 2, 0x8001, np.zeros((150, 333), np.uint8), False),
        "_planes.count_bits": (words, 2),
        "_planes.paint": (words.copy(), a, 0, 0, 2, 0xFFFEFFFEFFFEFFFE, 0x0001000100010001),
        "_raster.limits": (circles,),
        "_raster.lines": (x, y, y, x, *box),
        "_raster.polygons": (*corners, ring, np.array([0, 1]), *box),
        "_raster.reach": (circles, 5.0, 120.0),
        "_raster.reach_of_points": (x, y, np.array([0, 3, 3, 40]), 5.0, 120.0),
        "_raster.shapes": (CIRCLE, circles, *box),
        "_raster.subtract_each": (a, offsets, b),
        "_threshold.join": (a[:99].copy(), a[99:].copy(), 99, np.arange(len(a), dtype=np.int32), 8),
        "_threshold.number": (np.minimum(np.arange(50), 7).astype(np.int32),),
        "_threshold.scan": (
            pixels.view(np.uint8),
            pixels.dtype,
            np.ones((1, 1), np.float32).view(np.uint8),
            None,
            True,
            False,
            True,
            8,
            0,
            150,
            0,
            0,
        ),
        "_algebra.covers": (a, b[:5]),
        "_algebra.exclude": (a, b),
        "_algebra.fold": (a, np.sort(labels), rng.choice([2, 6, 8, 12, 14], 7).astype(np.uint8)),
        "_algebra.intersect": (a, b),
        "_algebra.overlap": (a[::50].copy(), b[::50].copy()),
        "_algebra.subtract": (a, b),
        "_algebra.unite": (a, b),
        "_label.group": ([a[:99], a[99:]], labels, 7),
        "_label.label": (a, 8),
        "_measure.adjacency": (a, offsets),
        "_measure.extents": (a, offsets),
        "_measure.moments": (a, offsets, centers, centers, 3),
        "_morphology.count_rows": (a,),
        "_morphology.dilate_bits": (a, 0, 333, groups, rows, -4, -4, 9, 9, (5, 320, 3, 140), True),
        "_morphology.widen": (a, 1, -1, 3),
        "_outline.hull": (a,),
        "_outline.outline": (a, offsets),
        "_runs.area": (a,),
        "_runs.canonical": (np.concatenate((b, a)),),
        "_runs.clip": (a, 10, 200, 5, 100),
        "_runs.complement": (a, 0, 333, 0, 150),
        "_runs.find": (a, np.linspace(-5, 400, 999), np.linspace(-5, 160, 999)),
        "_runs.from_mask": (mask.view(np.uint8), 0, 0),
        "_pixels.add": (pixels.astype(float), a, 0, 0, rng.random(int((a[:, 2] - a[:, 1]).sum())), -1.0),
        "_pixels.gather": (np.arange(image.size).astype(np.uint8).reshape(image.shape), a, 0, 0, 4, values),
        "_runs.in_raster_order": (np.concatenate((b, a)), np.arange(len(a) + len(b), dtype=np.int32)),
        "_runs.indices": (a,),
        "_runs.is_canonical": (a,),
        "_pixels.paint": (image, a, 0, 0, np.arange(4, dtype=np.uint8)),
        "_pixels.scatter": (image.copy(), a, 0, 0, 4, values.copy()),
        "_runs.surroundings": (a,),
    }


def run(name, seed):
    """Return what a kernel returns, and what it made of its arguments."""
    module, function = name.split(".")
    arguments = cases(seed)[name]
    result = getattr(importlib.import_module(f"lsstregions.{module}"), function)(*arguments)
    return result, [argument for argument in arguments if isinstance(argument, np.ndarray)]


def functions_of_stub(module):
    stub = Path(lsstregions.__file__).with_name(f"{module}.pyi")
    return {f"{module}.{node.name}" for node in ast.parse(stub.read_text()).body if isinstance(node, ast.FunctionDef)}


def test_every_kernel_has_a_stub_and_a_case():
    stubs = set().union(*map(functions_of_stub, MODULES))
    compiled = {
        f"{module}.{name}"
        for module in MODULES
        for name, value in vars(importlib.import_module(f"lsstregions.{module}")).items()
        if getattr(value, "__module__", None) == f"lsstregions.{module}" and not name.startswith("_")
    }
    assert stubs == compiled == set(cases(0))


@pytest.mark.parametrize("name", sorted(cases(0)))
def test_threads(name):
    seeds = range(8)
    expected = [run(name, seed) for seed in seeds]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for _ in range(3):
            for (result, arguments), (result0, arguments0) in zip(
                pool.map(run, [name] * 8, seeds), expected, strict=True
            ):
                np.testing.assert_equal(result, result0)
                np.testing.assert_equal(arguments, arguments0)
