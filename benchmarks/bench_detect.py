"""From an image to footprints, beside those who make label images; and how much memory that takes."""

import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import helpers
import numpy as np
import scipy.ndimage

import lsstregions as lr

cc3d = helpers.peer("cc3d")
cv2 = helpers.peer("cv2")
sep = helpers.peer("sep")
segmentation = helpers.peer("photutils.segmentation")
measure = helpers.peer("skimage.measure")


def detection(image, sigma, repeats, slow):
    eight = np.ones((3, 3))
    ours = {
        "lsstregions, no peaks": lambda: lr.detect_footprints(image, sigma, peaks=False),
        "lsstregions, peaks": lambda: lr.detect_footprints(image, sigma),
        "lsstregions, peaks, 2 threads": lambda: lr.detect_footprints(image, sigma, n_threads=2),
        "(image.max())": image.max,
    }
    peers = {
        "cv2.connectedComponents of image > t": cv2
        and (lambda: cv2.connectedComponentsWithAlgorithm((image > sigma).view(np.uint8), 8, cv2.CV_32S, cv2.CCL_BBDT)),
        "cc3d of image > t": cc3d and (lambda: cc3d.connected_components(image > sigma, connectivity=8)),
        "scipy.ndimage.label of image > t": lambda: scipy.ndimage.label(image > sigma, eight),
        "skimage.measure.label of image > t": measure and (lambda: measure.label(image > sigma, connectivity=2)),
    }
    if slow:
        peers |= {
            "photutils.detect_sources": segmentation and (lambda: segmentation.detect_sources(image, sigma, 1)),
            "sep.extract, no deblending (a table too)": sep
            and (lambda: sep.extract(image, sigma, minarea=1, filter_kernel=None, deblend_nthresh=1, clean=False)),
        }
    found = lr.detect_footprints(image, sigma)
    title = f"{image.shape} float32 at {sigma} sigma: {len(found)} footprints, {len(found.spans)} spans"
    target = "1.5 x max(), 2.5 x with peaks" if sigma > 3 else "20 x max() with peaks"
    # By themselves first: what comes after a peer, which leaves another memory behind, is no measure of the floor.
    medians = helpers.compare(title, ours, repeats, target)
    floor = medians["(image.max())"]
    for name in ("lsstregions, no peaks", "lsstregions, peaks"):
        print(f"  {name}: {medians[name] / floor:.2f} x image.max()")
    helpers.compare("beside the peers", ours | peers, repeats)
    # In a new process, which has no memory from earlier work to use again.
    with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor(1, get_context("spawn")) as pool:
        np.save(path := Path(folder) / "image.npy", image)
        peak = pool.submit(peak_memory, path, sigma).result()
    print(f"  resident memory at its peak: {peak:.1f} MB beyond the image, which has {image.nbytes / 1e6:.1f} MB")


def peak_memory(path, sigma):
    """Return how many MB are resident at most while an image is detected in, beyond what was before."""
    image = np.load(path)
    lr.detect_footprints(image[:64].copy(), sigma)  # loads what is loaded on first use
    Path("/proc/self/clear_refs").write_text("5")  # starts the peak anew
    before = memory("VmRSS")
    lr.detect_footprints(image, sigma)
    return memory("VmHWM") - before


def memory_map(size):
    """Detect in a memory-mapped image, and count what is resident beyond it."""
    tile = helpers.star_field(min(size, 2000))
    tiles = -(-size // len(tile))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "image.npy"
        image = np.lib.format.open_memmap(path, "w+", np.float32, (size, size))
        for start in range(0, size, len(tile)):
            image[start : start + len(tile)] = np.tile(tile, tiles)[: size - start, :size]
        del image
        image = np.load(path, mmap_mode="r")
        before, samples, done = memory("RssAnon"), [0.0], threading.Event()

        def watch():
            while not done.wait(0.005):
                samples.append(memory("RssAnon"))

        watcher = threading.Thread(target=watch)
        watcher.start()
        start = time.perf_counter()
        found = lr.detect_footprints(image, 5.0)
        seconds = time.perf_counter() - start
        done.set()
        watcher.join()
        print(f"\n{size} x {size} memory-mapped, in {seconds:.2f} s: {found!r}")
        print(f"  {max(samples) - before:.0f} MB of private memory at most, mapped pages not counted")


def memory(kind):
    """Return a figure in MB that Linux gives of this process: RssAnon is what is resident, mapped files not counted."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith(kind)) * 1024 / 1e6


def main() -> None:
    options = helpers.parser(__doc__)
    options.add_argument("--memmap", type=int, default=0, help="side of a memory-mapped image to detect in as well")
    options.add_argument("--slow", action="store_true", help="time photutils and sep too")
    arguments = options.parse_args()
    image = helpers.star_field(arguments.size)
    for sigma in (5.0, 1.5):
        detection(image, sigma, arguments.repeats, arguments.slow)
    if arguments.memmap:
        memory_map(arguments.memmap)


if __name__ == "__main__":
    main()
