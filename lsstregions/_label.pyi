from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

def label(runs: NDArray[np.int32], connectivity: int) -> tuple[NDArray[np.int32], int]: ...
def group(
    parts: Iterable[NDArray[np.int32]], labels: NDArray[np.int32], count: int
) -> tuple[NDArray[np.int32], NDArray[np.int64]]: ...
