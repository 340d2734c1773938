import numpy as np
from numpy.typing import NDArray

def paint(
    image: NDArray[np.uint8], runs: NDArray[np.int32], x0: int, y0: int, itemsize: int, keep: int, flip: int
) -> None: ...
def any_of(
    image: NDArray[np.uint8], itemsize: int, bits: int, out: NDArray[np.uint8], more: bool
) -> None: ...
def count_bits(image: NDArray[np.uint8], itemsize: int) -> NDArray[np.int64]: ...
