# %% [markdown]
# # Masks
#
# Named planes, set from whatever is region-like.

# %%
import matplotlib.pyplot as plt
import numpy as np
from regions import CirclePixelRegion, PixCoord

import lsstregions as lr

rng = np.random.default_rng(5)
data = rng.normal(size=(200, 250))
y, x = np.mgrid[:200, :250]
data += 500 * np.exp(-((x - 120) ** 2 + (y - 90) ** 2) / (2 * 6**2))
image = lr.MaskedImage(data, lr.MaskSchema.lsst(), xy0=(1000, 2000))

# %%
bright = lr.SpanSet.from_mask(data > 300, xy0=image.xy0)
image.set_mask("SAT", bright.dilate(2))
image.set_mask("DETECTED", lr.detect_footprints(image, 5.0).grow(2).union())
image.set_mask("CR", lr.SpanSet.from_indices(np.arange(2030, 2070), np.arange(1020, 1060)).dilate(1, "square"))
image.set_mask("BAD", CirclePixelRegion(PixCoord(1200, 2050), 15))
image.mask

# %% [markdown]
# The window of a masked image is a masked image that knows where it lies.

# %%
window = image[lr.Box2I(x=(1090, 1150), y=(2060, 2120))]
window.xy0, window.mask.count()["SAT"]

# %%
fig, ax = plt.subplots(figsize=(8, 6))
ax.imshow(image.data, origin="lower", cmap="gray", vmin=-3, vmax=30)
image.mask.plot(ax, origin=image.xy0);

# %% [markdown]
# To NumPy, a mask is the boolean array of what is bad. `DETECTED` is not.

# %%
np.asarray(image.mask).sum(), np.ma.array(image.data, mask=image.mask).mean()

# %%
fig, ax = plt.subplots(figsize=(8, 6))
image.mask.plot(ax, colors="colorblind", alpha=0.8);
