import numpy as np
from numpy.typing import NDArray

_Runs = NDArray[np.int32]
_Bytes = NDArray[np.uint8]

def paint(image: NDArray[np.int32], runs: _Runs, offsets: NDArray[np.int64], x0: int, y0: int) -> None: ...
def runs_of(image: _Bytes, size: int, x0: int, y0: int) -> tuple[_Runs, _Bytes]: ...
