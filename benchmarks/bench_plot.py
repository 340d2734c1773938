"""Drawing 20,000 footprints over their image: one artist against a patch each, of photutils and of `regions`."""

import helpers
import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from lsstregions import FootprintSet, detect_footprints
from lsstregions.plotting import plot_footprints

mpl.use("agg")


def axes(size: int):
    """Return axes that show a frame of pixels."""
    figure = Figure(figsize=(8, 8))
    FigureCanvasAgg(figure)
    ax = figure.add_subplot()
    ax.set(xlim=(-0.5, size - 0.5), ylim=(-0.5, size - 0.5))
    return ax


def time_all(footprints: FootprintSet, size: int, repeats: int, what: str) -> None:
    labels = footprints.to_labels()
    photutils_segmentation = helpers.peer("photutils.segmentation")
    segmentation = photutils_segmentation and photutils_segmentation.SegmentationImage(labels)
    regions = segmentation and segmentation.to_regions()
    drawn = {}

    def ours():
        ax = drawn["ours"] = axes(size)
        plot_footprints(footprints, ax)
        ax.figure.canvas.draw()

    def photutils():
        ax = drawn["photutils"] = axes(size)
        segmentation.plot_patches(ax=ax)
        ax.figure.canvas.draw()

    def regions_loop():
        ax = drawn["regions"] = axes(size)
        for region in regions:
            region.plot(ax=ax)
        ax.figure.canvas.draw()

    helpers.compare(
        f"from {what} to a picture",
        {
            "plot_footprints and canvas.draw": ours,
            "photutils plot_patches and canvas.draw": segmentation and photutils,
            "regions, a loop of plot, and canvas.draw": regions and regions_loop,
        },
        repeats,
        "20 x",
    )
    helpers.compare(
        f"to draw {what} again",
        {f"{name}: canvas.draw": ax.figure.canvas.draw for name, ax in drawn.items()},
        repeats,
        "20 x",
    )


def main() -> None:
    args = helpers.parser(__doc__).parse_args()
    image = helpers.star_field(args.size)
    footprints = detect_footprints(image, 5.0)
    time_all(footprints, args.size, args.repeats, f"{len(footprints)} footprints")

    faint = detect_footprints(image, 1.5)
    ax = axes(args.size)
    plot_footprints(faint, ax)
    near = axes(args.size)
    plot_footprints(faint, near)
    near.set(xlim=(0, args.size / 20), ylim=(0, args.size / 20))
    empty = axes(args.size)
    helpers.compare(
        f"to draw {len(faint)} footprints",
        {
            "all of the frame: canvas.draw": ax.figure.canvas.draw,
            "a 400th of it: canvas.draw": near.figure.canvas.draw,
            "axes alone: canvas.draw": empty.figure.canvas.draw,
        },
        args.repeats,
    )
    print(f"  ({np.diff(faint.offsets).sum()} spans)")


if __name__ == "__main__":
    main()
