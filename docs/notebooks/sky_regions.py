# %% [markdown]
# # Regions
#
# From `regions`, on the sky, to pixels, and back.

# %%
import astropy.units as u
import matplotlib.pyplot as plt
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.wcs import WCS
from regions import CircleSkyRegion, EllipseSkyRegion

import lsstregions as lr

wcs = WCS(naxis=2)
wcs.wcs.ctype, wcs.wcs.cdelt = ["RA---TAN", "DEC--TAN"], [-1 / 3600, 1 / 3600]
wcs.wcs.crval, wcs.wcs.crpix = [50, -30], [150, 100]
frame = lr.Box2I.from_shape((200, 300))
center = SkyCoord(50, -30, unit="deg")

# %% [markdown]
# A list of sky regions: an ellipse, without a circle, as `exclude` means it in DS9, and fifty small circles.

# %%
rng = np.random.default_rng(2)
regions = [
    EllipseSkyRegion(center, 150 * u.arcsec, 80 * u.arcsec, 30 * u.deg),
    CircleSkyRegion(center, 20 * u.arcsec, meta={"include": 0}),
]
offsets = rng.uniform(-90, 90, (50, 2)) * u.arcsec
regions += [CircleSkyRegion(center.spherical_offsets_by(*offset), 3 * u.arcsec) for offset in offsets]
spans = lr.rasterize(regions, wcs=wcs, within=frame)
spans

# %%
fig = plt.figure(figsize=(9, 6))
ax = fig.add_subplot(projection=wcs)
ax.set(xlim=(-0.5, 299.5), ylim=(-0.5, 199.5))
ax.set(xlabel="right ascension", ylabel="declination")
spans.plot(ax, fill=True)
spans.dilate(4).plot(ax, color="tab:blue", linestyle=":");

# %% [markdown]
# Its connected parts are footprints; a footprint is a region, and goes to every format that `regions` has.

# %%
parts = spans.components()
largest = parts[int(np.argmax(parts.area))]
print(largest.to_regions().serialize(format="ds9")[:120], "...")

# %% [markdown]
# The exact share of every pixel, for photometry.

# %%
image = rng.normal(100, 10, frame.shape)
sums = lr.coverage_sum(image, regions[2:], wcs=wcs)
sums.sum[:3] / sums.area[:3]
