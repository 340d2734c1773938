import numpy as np
from numpy.typing import NDArray

def measure(
    image: NDArray[np.uint8],
    dtype: np.dtype,
    runs: NDArray[np.int32],
    offsets: NDArray[np.int64],
    x0: int,
    y0: int,
) -> tuple[NDArray[np.float64], NDArray[np.int32]]: ...
