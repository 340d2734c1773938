"""Painting, gathering and masks: spans against NumPy's boolean and integer indexing."""

import helpers
import numpy as np

from lsstregions import Box2I, FootprintSet, SpanSet


def main() -> None:
    args = helpers.parser(__doc__).parse_args()
    frames = {"40% of the frame": helpers.blobs(args.size), "5 sigma": helpers.star_field(args.size) > 5}
    for name, mask in frames.items():
        spans = SpanSet.from_mask(mask)
        y, x = spans.indices()
        box = Box2I.from_shape(mask.shape)
        image = np.zeros(mask.shape, np.float32)
        values = spans.flatten(image)
        print(f"\n{name}: {len(spans)} spans, {spans.area} pixels")

        def by_mask(image: np.ndarray = image, mask: np.ndarray = mask) -> None:
            image[mask] = 1

        def by_index(image: np.ndarray = image, y: np.ndarray = y, x: np.ndarray = x) -> None:
            image[y, x] = 1

        paint = {"lsstregions": lambda: spans.paint(image, 1), "numpy, mask": by_mask, "numpy, indices": by_index}
        helpers.compare("paint float32", paint, args.repeats)
        gather = {
            "lsstregions": lambda: spans.flatten(image),
            "numpy, mask": lambda: image[mask],
            "numpy, indices": lambda: image[y, x],
        }
        helpers.compare("gather float32", gather, args.repeats)
        helpers.compare("scatter float32", {"lsstregions": lambda: spans.unflatten(values, box)}, args.repeats)
        heavy = FootprintSet([spans]).make_heavy(image)
        subtract = {
            "lsstregions": lambda: heavy.subtract_from(image),
            "numpy, indices": lambda: np.subtract.at(image, (y, x), values),
        }
        helpers.compare("subtract heavy footprints, which may overlap", subtract, args.repeats)
        helpers.compare("to a mask", {"lsstregions": lambda: spans.to_mask(box)}, args.repeats)
        helpers.compare(
            "from a mask",
            {"lsstregions": lambda: SpanSet.from_mask(mask), "numpy.flatnonzero": lambda: np.flatnonzero(mask)},
            args.repeats,
        )


if __name__ == "__main__":
    main()
