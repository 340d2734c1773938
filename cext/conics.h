/* Ellipses, and how rows cut them. */
#ifndef LSSTREGIONS_CONICS_H
#define LSSTREGIONS_CONICS_H

#include <math.h>

#include "bits.h"
#include "memory.h"

typedef struct {
    double x, y;               /* centre; x from the left side of the row's first pixel */
    double area;               /* a b */
    double height, width;      /* half extents */
    double shear, spread;      /* of chords along x, by rows */
    double lean, rise;         /* of chords along y, by columns */
    double u_x, u_y, v_x, v_y; /* to the unit circle */
    double turn;               /* y at the right end, from the centre */
    int terms;                 /* of a series for what is between an arc within a pixel and its chord; 0 is too few */
} Conic;

/* Where an ellipse crosses a line y = const, y from the centre. */
typedef struct {
    double y, left, right;
} Chord;

/* Shares of a pixel that are 0 or 1 but for rounding. */
static const double LSSTREGIONS_NONE = 3e-15, LSSTREGIONS_WHOLLY = 1 - 1e-13;

/* Of asin(s) - s sqrt(1 - s^2) over s^3, in powers of s^2: (2k)! / (k! 2^k)^2 4k / (4k^2 - 1) for k = 1, 2, ... */
static const double LSSTREGIONS_SERIES[22] = {
    0.6666666666666666,   0.2,                  0.10714285714285714,  0.06944444444444445,  0.04971590909090909,
    0.03786057692307692,  0.030078125,          0.024643841911764705, 0.02067164370888158,  0.017663864862351192,
    0.015321482782778532, 0.013455047607421874, 0.011939278355351201, 0.010688346007774616, 0.009641676179824336,
    0.008755421096628363, 0.007997139090938228, 0.007342365381584779, 0.006772338439567158, 0.006272454665144678,
    0.005831194773003687, 0.005439363166563756,
};
enum { FEW_TERMS = 5, MORE_TERMS = 11, MOST_TERMS = 22 };

/* How many terms are enough for s^2 up to some value; 0 where none are. */
static inline int terms_up_to(double s2)
{
    return s2 < 1e-3 ? FEW_TERMS : s2 < 0.0625 ? MORE_TERMS : s2 < 0.25 ? MOST_TERMS : 0;
}

/* The square root of extent^2 - at^2, to which half a chord is proportional; 0 beyond the ends. */
LSSTREGIONS_INLINE double root_within(double extent, double at)
{
    const double product = (extent - fabs(at)) * (extent + fabs(at));
    return sqrt(product > 0 ? product : 0);
}

/* Return the chord at `y`, or where the conic ends before it. */
static inline Chord cut(const Conic *conic, double y)
{
    const double at = clamped(y - conic->y, -conic->height, conic->height);
    const double half = conic->spread * root_within(conic->height, at), middle = conic->x + conic->shear * at;
    const Chord chord = {at, middle - half, middle + half};
    return chord;
}

#endif
