"""Exact coverage and exact apertures: ours beside regions, photutils and sep."""

import numpy as np
import regions as ar
from helpers import compare, parser, peer, star_field
from photutils.aperture import CircularAperture, aperture_photometry

from lsstregions.raster import coverage, coverage_sum


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--count", type=int, default=10_000, help="how many apertures")
    args = options.parse_args()
    sep = peer("sep")

    circle = ar.CirclePixelRegion(ar.PixCoord(0.3, 0.7), 300)
    compare(
        "coverage of a circle of r = 300",
        {
            "ours": lambda: coverage(circle),
            "regions to_mask(exact)": lambda: circle.to_mask(mode="exact"),
        },
        args.repeats,
        "20 x",
    )

    t = np.linspace(0, 2 * np.pi, 1000, endpoint=False)
    radius = 500 * (1 + 0.2 * np.sin(9 * t)) / 1.2
    polygon = ar.PolygonPixelRegion(ar.PixCoord(radius * np.cos(t), radius * np.sin(t)))
    compare(
        "coverage of a polygon of 1,000 vertices, 1000 pixels across",
        {
            "ours": lambda: coverage(polygon),
            "regions to_mask(exact)": lambda: polygon.to_mask(mode="exact"),
        },
        min(args.repeats, 3),
        "500 x",
    )

    image = star_field(args.size)
    variance = np.ones_like(image)
    rng = np.random.default_rng(2)
    x, y = rng.uniform(40, args.size - 40, (2, args.count))
    for r, target in ((3.0, "1.5 x of sep, 10 x of photutils"), (30.0, "5 x of sep, 30 x of photutils")):
        circles = [ar.CirclePixelRegion(ar.PixCoord(*point), r) for point in zip(x, y, strict=True)]
        apertures = CircularAperture(np.column_stack([x, y]), r)
        compare(
            f"{args.count} exact circular apertures, r = {r:g}: sums and errors",
            {
                "ours, from an aperture of photutils": lambda apertures=apertures: coverage_sum(
                    image, apertures, variance=variance
                ),
                "ours, from region objects": lambda circles=circles: coverage_sum(image, circles, variance=variance),
                "sep.sum_circle": (lambda r=r: sep.sum_circle(image, x, y, r, subpix=0, var=variance)) if sep else None,
                "photutils.aperture_photometry": lambda apertures=apertures: aperture_photometry(
                    image, apertures, error=variance
                ),
            },
            min(args.repeats, 5),
            target,
        )


if __name__ == "__main__":
    main()
