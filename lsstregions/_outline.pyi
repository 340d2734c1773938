import numpy as np
from numpy.typing import NDArray

def outline(
    runs: NDArray[np.int32], offsets: NDArray[np.int64]
) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int64]]: ...
def hull(runs: NDArray[np.int32]) -> NDArray[np.int32]: ...
