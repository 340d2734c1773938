/* Sums in lanes: every eighth number has a sum of its own, for an addition need not wait for the one before. Lanes are
   added in one order, so that a sum is the same number on every machine, whatever its vectors. */
#ifndef LSSTREGIONS_LANES_H
#define LSSTREGIONS_LANES_H

enum { LANES = 8 };

static inline double added_lanes(const double *v)
{
    return ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]));
}

#endif
