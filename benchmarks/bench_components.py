"""Connected components, from spans and from a byte mask, against scipy, cv2 and cc3d on the mask."""

import helpers
import numpy as np
import scipy.ndimage

from lsstregions import SpanSet


def main() -> None:
    args = helpers.parser(__doc__).parse_args()
    cv2, cc3d = helpers.peer("cv2"), helpers.peer("cc3d")
    stars = helpers.star_field(args.size)
    frames = {"40% of the frame": helpers.blobs(args.size), "5 sigma": stars > 5, "1.5 sigma": stars > 1.5}
    for name, mask in frames.items():
        spans, pixels = SpanSet.from_mask(mask), mask.astype(np.uint8)
        helpers.compare(
            f"{name}: {len(spans)} spans, {len(spans.components())} components",
            {
                "lsstregions, from the mask": lambda: SpanSet.from_mask(mask).components(),
                "lsstregions, from spans": lambda: spans.components(),
                "cv2.connectedComponents": cv2 and (lambda: cv2.connectedComponents(pixels)),
                "cc3d": cc3d and (lambda: cc3d.connected_components(mask, connectivity=8)),
                "scipy.ndimage.label": lambda: scipy.ndimage.label(mask, np.ones((3, 3))),
            },
            args.repeats,
        )


if __name__ == "__main__":
    main()
