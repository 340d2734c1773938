"""The time that ``import lsstregions`` takes in a new interpreter, against ``import numpy``."""

import subprocess
import sys

import helpers


def main() -> None:
    args = helpers.parser(__doc__).parse_args()
    helpers.compare(
        "a new interpreter",
        {
            statement: lambda statement=statement: subprocess.run([sys.executable, "-c", statement], check=True)
            for statement in (
                "import lsstregions",
                "import numpy",
                "from lsstregions import SpanSet",
                "import regions",
                "pass",
            )
        },
        args.repeats,
        "import lsstregions at most 1.2 x import numpy",
    )


if __name__ == "__main__":
    main()
