# %% [markdown]
# # Detection
#
# From an image to a table of sources and a picture.

# %%
import matplotlib.pyplot as plt
import numpy as np

import lsstregions as lr

rng = np.random.default_rng(11)
shape = (300, 400)
image = rng.normal(size=shape).astype(np.float32)
y, x = np.mgrid[: shape[0], : shape[1]]
for x0, y0, flux, size in zip(*rng.uniform([10, 10, 100, 1.5], [390, 290, 3000, 4], (60, 4)).T, strict=True):
    image += flux / (2 * np.pi * size**2) * np.exp(-((x - x0) ** 2 + (y - y0) ** 2) / (2 * size**2))

# %% [markdown]
# Pixels above 4 sigma, at least 5 of them together, are footprints.

# %%
footprints = lr.detect_footprints(image, lr.Threshold(4, "stdev"), n_pixels=5)
footprints

# %% [markdown]
# Grown by three pixels, those that meet become one, with the peaks of all.

# %%
grown = footprints.grow(3)
len(footprints), len(grown)

# %%
grown.measure(image, columns=["label", "area", "segment_flux", "n_peaks"])[:5]

# %%
fig, ax = plt.subplots(figsize=(10, 7))
ax.imshow(image, origin="lower", cmap="gray", vmin=-2, vmax=15)
grown.plot(ax, color="white", linestyle="--", linewidth=0.8)
artist = footprints.plot(ax, column="area", cmap="plasma", peaks=True)
fig.colorbar(artist, label="pixels", shrink=0.75);

# %% [markdown]
# Heavy footprints own their pixels: the image without its sources is one call away.

# %%
residual = image.copy()
grown.make_heavy(image).subtract_from(residual)
fig, ax = plt.subplots(figsize=(10, 7))
ax.imshow(residual, origin="lower", cmap="gray", vmin=-2, vmax=15);

# %% [markdown]
# One footprint, from near.

# %%
grown[int(np.argmax(grown.area))]
