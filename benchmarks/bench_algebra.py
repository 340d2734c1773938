"""Set algebra of two frames, 40% on, against NumPy bitmaps, pyroaring, mocpy and pycocotools."""

import helpers
import numpy as np

from lsstregions import SpanSet


def main() -> None:
    args = helpers.parser(__doc__).parse_args()
    mask_a, mask_b = helpers.blobs(args.size, 1), helpers.blobs(args.size, 2)
    a, b = SpanSet.from_mask(mask_a), SpanSet.from_mask(mask_b)
    count = len(a) + len(b)
    print(f"{len(a)} and {len(b)} spans")

    peers: dict[str, dict] = {"union": {}, "intersection": {}, "difference": {}, "symmetric difference": {}}
    if pyroaring := helpers.peer("pyroaring"):
        p, q = (roaring(pyroaring, spans, args.size) for spans in (a, b))
        peers["union"]["pyroaring"] = lambda: p | q
        peers["intersection"]["pyroaring"] = lambda: p & q
        peers["difference"]["pyroaring"] = lambda: p - q
        peers["symmetric difference"]["pyroaring"] = lambda: p ^ q
    if mocpy := helpers.peer("mocpy"):
        m, n = (moc(mocpy, spans, args.size) for spans in (a, b))
        peers["union"]["mocpy"] = lambda: m.union(n)
        peers["intersection"]["mocpy"] = lambda: m.intersection(n)
        peers["difference"]["mocpy"] = lambda: m.difference(n)
        peers["symmetric difference"]["mocpy"] = lambda: m.symmetric_difference(n)
    if coco := helpers.peer("pycocotools.mask"):
        # Its runs go down columns, hence the transposed frames.
        pair = [coco.encode(np.asfortranarray(mask.T.astype(np.uint8))) for mask in (mask_a, mask_b)]
        peers["union"]["pycocotools"] = lambda: coco.merge(pair)
        peers["intersection"]["pycocotools"] = lambda: coco.merge(pair, intersect=True)
    peers["union"]["numpy, one byte a pixel"] = lambda: mask_a | mask_b
    peers["intersection"]["numpy, one byte a pixel"] = lambda: mask_a & mask_b
    packed_a, packed_b = np.packbits(mask_a), np.packbits(mask_b)
    peers["union"]["numpy, one bit a pixel"] = lambda: packed_a | packed_b
    peers["intersection"]["numpy, one bit a pixel"] = lambda: packed_a & packed_b

    ours = {
        "union": lambda: a | b,
        "intersection": lambda: a & b,
        "difference": lambda: a - b,
        "symmetric difference": lambda: a ^ b,
    }
    for name, run in ours.items():
        target = "faster than pyroaring and mocpy, at most 4 ns a span" if name in ("union", "intersection") else ""
        times = helpers.compare(name, {"lsstregions": run, **peers[name]}, 3 * args.repeats, target)
        print(f"  {times['lsstregions'] / count * 1e9:.2f} ns a span")


def roaring(pyroaring, spans: SpanSet, size: int):
    y, x = spans.indices()
    bitmap = pyroaring.BitMap((y * size + x).astype(np.uint32))
    bitmap.run_optimize()
    return bitmap


def moc(mocpy, spans: SpanSet, size: int):
    ranges = spans.array[:, 1:].astype(np.uint64) + spans.y[:, None].astype(np.uint64) * np.uint64(size)
    return mocpy.MOC.from_depth29_ranges(29, ranges)


if __name__ == "__main__":
    main()
