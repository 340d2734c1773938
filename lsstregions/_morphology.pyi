import numpy as np
from numpy.typing import NDArray

_Runs = NDArray[np.int32]

def widen(runs: _Runs, dy: int, left: int, right: int) -> _Runs: ...
def count_rows(runs: _Runs) -> int: ...
def dilate_bits(
    runs: _Runs,
    x_start: int,
    x_stop: int,
    groups: NDArray[np.int64],
    rows: NDArray[np.int32],
    element_x: int,
    element_y: int,
    element_width: int,
    element_height: int,
    box: tuple[int, int, int, int],
    label: bool,
) -> tuple[_Runs, NDArray[np.int32], int]: ...
