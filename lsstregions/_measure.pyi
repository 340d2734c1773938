import numpy as np
from numpy.typing import NDArray

_Runs = NDArray[np.int32]
_Offsets = NDArray[np.int64]

def extents(runs: _Runs, offsets: _Offsets) -> tuple[NDArray[np.int64], NDArray[np.int64]]: ...
def moments(
    runs: _Runs,
    offsets: _Offsets,
    x_center: NDArray[np.float64],
    y_center: NDArray[np.float64],
    order: int,
) -> NDArray[np.float64]: ...
def adjacency(runs: _Runs, offsets: _Offsets) -> NDArray[np.int64]: ...
