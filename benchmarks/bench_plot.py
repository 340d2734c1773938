"""Drawing 20,000 footprints over their image: one artist against a patch each, of photutils and of `regions`."""

import gc
import time

import helpers
import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from lsstregions import FootprintSet, detect_footprints
from lsstregions.plotting import plot_footprints

mpl.use("agg")


def axes(size: int, ticks: bool = True):
    """Return axes that show a frame of pixels, with ticks or nothing else: ticks take longer than our footprints."""
    figure = Figure(figsize=(8, 8))
    FigureCanvasAgg(figure)
    ax = figure.add_subplot()
    if not ticks:
        ax.set_axis_off()
    ax.set(xlim=(-0.5, size - 0.5), ylim=(-0.5, size - 0.5))
    return ax


def redrawn(ax, moved: bool = False):
    """Return a function that draws the figure of axes again, after their view has moved by a pixel or as it was."""

    def draw():
        if moved:
            ax.set_xlim(np.array(ax.get_xlim()) + 1)
        ax.figure.canvas.draw()

    return draw


def time_all(footprints: FootprintSet, size: int, repeats: int, what: str) -> None:
    labels = footprints.to_labels()
    photutils_segmentation = helpers.peer("photutils.segmentation")
    segmentation = photutils_segmentation and photutils_segmentation.SegmentationImage(labels)
    regions = segmentation and segmentation.to_regions()
    drawn, first = {}, {}

    def draw(name: str, plot):
        ax = drawn[name] = axes(size)
        plot(ax)
        start = time.perf_counter()
        ax.figure.canvas.draw()
        first.setdefault(name, []).append(time.perf_counter() - start)

    def loop(ax):
        for region in regions:
            region.plot(ax=ax)

    helpers.compare(
        f"from {what} to a picture",
        {
            "plot_footprints and canvas.draw": lambda: draw("ours", lambda ax: plot_footprints(footprints, ax)),
            "photutils plot_patches and canvas.draw": segmentation
            and (lambda: draw("photutils", lambda ax: segmentation.plot_patches(ax=ax))),
            "regions, a loop of plot, and canvas.draw": regions and (lambda: draw("regions", loop)),
        },
        repeats,
        "20 x",
    )
    print("\nof which the first canvas.draw took")
    for name, times in first.items():
        print(f"  {name:<44} {np.median(times) * 1e3:10.3f} ms {np.median(times) / np.median(first['ours']):9.2f} x")
    for ticks, moved in ((True, False), (True, True), (False, False), (False, True)):
        drawn["axes alone"] = axes(size)
        for ax in drawn.values():
            ax.set_axis_on() if ticks else ax.set_axis_off()
        view = f"{'a pixel aside' if moved else 'the same view'}, {'with ticks' if ticks else 'axes off'}"
        helpers.compare(
            f"to draw {what} again, {view}",
            {f"{name}: canvas.draw": redrawn(ax, moved) for name, ax in drawn.items()},
            repeats,
            "20 x",
        )


def main() -> None:
    args = helpers.parser(__doc__).parse_args()
    # As timeit does: the garbage collector would look through the peers' many artists while it is our turn.
    gc.disable()
    image = helpers.star_field(args.size)
    footprints = detect_footprints(image, 5.0)
    time_all(footprints, args.size, args.repeats, f"{len(footprints)} footprints")

    faint = detect_footprints(image, 1.5)
    ax = axes(args.size, ticks=False)
    plot_footprints(faint, ax)
    near = axes(args.size, ticks=False)
    plot_footprints(faint, near)
    near.set(xlim=(0, args.size / 20), ylim=(0, args.size / 20))
    for moved in (False, True):
        helpers.compare(
            f"to draw {len(faint)} footprints again, {'a pixel aside' if moved else 'the same view'}",
            {
                "all of the frame: canvas.draw": redrawn(ax, moved),
                "a 400th of it: canvas.draw": redrawn(near, moved),
                "axes alone: canvas.draw": redrawn(axes(args.size, ticks=False), moved),
            },
            args.repeats,
        )
    print(f"  ({np.diff(faint.offsets).sum()} spans)")


if __name__ == "__main__":
    main()
