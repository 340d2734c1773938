"""What the benchmark scripts share: the frames they work on, timing in turns, and the table they print."""

import argparse
import importlib
import time
from collections.abc import Callable
from types import ModuleType

import numpy as np
import scipy.ndimage


def parser(description: str) -> argparse.ArgumentParser:
    """Return an argument parser with the options that every script has."""
    options = argparse.ArgumentParser(description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    options.add_argument("--size", type=int, default=4096, help="side of the frame in pixels")
    options.add_argument("--repeats", type=int, default=7, help="how often each contender runs")
    return options


def peer(name: str) -> ModuleType | None:
    """Return a peer's module, or None where it is not installed; it runs on one thread."""
    try:
        module = importlib.import_module(name)
    except ImportError:
        print(f"({name} is not installed and left out)")
        return None
    if name == "cv2":
        module.setNumThreads(1)
    return module


def star_field(size: int = 4096, seed: int = 1) -> np.ndarray:
    """Return float32 noise of variance 1 with Gaussian sources, sigma 2 px: 20,000 on 4096 x 4096 pixels."""
    rng = np.random.default_rng(seed)
    image = rng.standard_normal((size, size), dtype=np.float32)
    count = round(20_000 * (size / 4096) ** 2)
    flux = np.minimum(100 * (1 + rng.pareto(1, count)), 1e6) / (2 * np.pi * 4)
    x, y = rng.uniform(0, size, (2, count))
    dy, dx = np.mgrid[-12:13, -12:13]
    for x0, y0, peak in zip(x, y, flux, strict=True):
        column, row = dx + round(x0), dy + round(y0)
        stamp = peak * np.exp(-((column - x0) ** 2 + (row - y0) ** 2) / 8)
        good = (column >= 0) & (column < size) & (row >= 0) & (row < size)
        image[row[good], column[good]] += stamp[good]
    return image


def blobs(size: int = 4096, seed: int = 1) -> np.ndarray:
    """Return a boolean frame of smooth blobs that fill 40% of it."""
    noise = np.random.default_rng(seed).standard_normal((size, size), dtype=np.float32)
    smooth = scipy.ndimage.gaussian_filter(noise, 12)
    return smooth > np.quantile(smooth, 0.6)


def compare(
    title: str,
    contenders: dict[str, Callable[[], object] | None],
    repeats: int = 7,
    target: str = "",
    before: Callable[[], object] = lambda: None,
) -> dict[str, float]:
    """Time contenders in turns (A B A B ...) and print their medians and the ratios to the first, which is ours.

    A contender that is None, because its package is not installed, is left out; `before` is called before each, and not
    timed. Returns the medians in seconds.
    """
    running = {name: run for name, run in contenders.items() if run is not None}
    times: dict[str, list[float]] = {name: [] for name in running}
    for turn in range(repeats + 1):
        for name, run in running.items():
            before()
            # What the contender before has freed is sorted by the next request, which is not to be the next one's.
            np.empty(10_000)
            start = time.perf_counter()
            run()
            if turn:  # the first turn warms up
                times[name].append(time.perf_counter() - start)
    medians = {name: float(np.median(values)) for name, values in times.items()}
    ours = next(iter(medians.values()))
    print(f"\n{title}" + (f"   [target: {target}]" if target else ""))
    for name, median in medians.items():
        print(f"  {name:<44} {median * 1e3:10.3f} ms {median / ours:9.2f} x")
    return medians
