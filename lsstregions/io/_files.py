"""What all formats share."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: str | os.PathLike[str], overwrite: bool) -> Iterator[Path]:
    """Give the name of a new file in the same folder, which takes the place of `path` if all goes well.

    Raises
    ------
    FileExistsError
        If there is such a file and it may not be replaced.
    FileNotFoundError
        If there is no such folder.
    """
    target = Path(path)
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{target} cannot be written: there is no folder {target.parent}")
    if target.exists() and not overwrite:
        raise FileExistsError(f"{target} exists; overwrite=True replaces it")
    # A link goes on leading to the file.
    target = target.resolve() if target.is_symlink() else target
    # With the same ending, from which the writer may learn that it has to compress.
    new = target.with_name(f".{uuid.uuid4().hex[:8]}-{target.name[-100:]}")
    try:
        yield new
        new.replace(target)
    except OSError as error:
        if error.filename == str(new):
            error.filename = str(target)
        raise
    finally:
        new.unlink(missing_ok=True)
