"""Footprints as astropy tables whose columns are those of the set, not copies of them."""

from astropy.table import Table

from ..footprints import FootprintSet


def to_table(footprints: FootprintSet) -> Table:
    """Return a table of footprints, a row each, that shares their memory.

    Its columns are ``span_start`` and ``span_stop``, between which a footprint has its spans, ``peak_start`` and
    ``peak_stop``, and ``sign``. The spans are the table ``meta["spans"]``, with ``y``, ``x_start`` and ``x_stop``
    (half-open), and the region is ``meta["region"]``, ``[x_start, x_stop, y_start, y_stop]`` or None. All are
    read-only.

    Examples
    --------
    >>> from lsstregions import FootprintSet, SpanSet
    >>> table = to_table(FootprintSet([SpanSet.disk(1), SpanSet.disk(2)]))
    >>> table["span_start", "span_stop"].as_array().tolist()
    [(0, 3), (3, 8)]
    >>> table.meta["spans"]["y"].tolist()
    [-1, 0, 1, -2, -1, 0, 1, 2]
    """
    spans = Table(footprints.spans, names=("y", "x_start", "x_stop"), copy=False)
    columns = {
        "span_start": footprints.offsets[:-1],
        "span_stop": footprints.offsets[1:],
        "peak_start": footprints.peak_offsets[:-1],
        "peak_stop": footprints.peak_offsets[1:],
        "sign": footprints.sign,
    }
    region = None if footprints.region is None else list(footprints.region._edges)
    return Table(columns, meta={"spans": spans, "region": region}, copy=False)
