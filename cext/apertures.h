/* Images summed under ellipses without keeping their coverage; all machines give the same sums. */
#ifndef LSSTREGIONS_APERTURES_H
#define LSSTREGIONS_APERTURES_H

#include "borders.h"
#include "memory.h"

/* The rows of an image and of its variance in which an ellipse is, from its first column on; those of what comes after
   it are asked for ahead. */
typedef struct {
    const char *image, *variance; /* the first row of the ellipse; without a variance the image takes its place */
    ptrdiff_t image_stride, variance_stride;
    ptrdiff_t width;
    const char *next_image, *next_variance; /* rows of the next ellipse */
    ptrdiff_t next_rows, next_size;
} View;

/* Ask for row i of what comes next. */
LSSTREGIONS_INLINE void ask_ahead(const View *view, ptrdiff_t i, int with_variance)
{
    if (i < view->next_rows) {
        prefetch_lines(view->next_image + i * view->image_stride, view->next_size);
        if (with_variance)
            prefetch_lines(view->next_variance + i * view->variance_stride, view->next_size);
    }
}

/* An ellipse is cut into slices: its rows, and where one of its borders turns back, a row is cut in two. */
typedef struct {
    double first, count; /* row and slices */
    double turn;         /* y of the upper turn, from the centre; the lower one is as far below */
    double after[2];     /* the slices that begin at the two turns */
} Cuts;

/* LANES slices, one each from below and from above in turns: such two are as wide as each other. */
typedef struct {
    double low[LANES], high[LANES]; /* y from the centre */
    double row[LANES];              /* from the first */
} Slices;

/* One of the two borders of slices, from left to right. */
typedef struct {
    double x[LANES], y[LANES];         /* where it comes into the column that is next */
    double x_end[LANES], y_end[LANES]; /* where it leaves the slice */
    double half[LANES];                /* of the ellipse: its rise on the upper half, less than 0 on the lower one */
    double column[LANES];              /* the next */
    double covered[LANES];             /* how much of its row is inside, left of that column */
    double sign;                       /* whether that rises or falls along the border */
} Border;

/* Slices, their borders, and where these leave them. */
typedef struct {
    Slices slices;
    Border left, right;
    int32_t begin[LANES], stop[LANES]; /* of the columns between the borders; where begin > stop, both are in them */
    int32_t columns;                   /* of the borders: in the slice that has most */
} Block;

/* Every eighth slice, and within one every eighth pixel, has a sum of its own: an addition need not wait for the one
   before. */
typedef struct {
    double total[LANES], noise[LANES], area[LANES];
} LaneSums;

static inline double added_lanes(const double *v)
{
    return ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]));
}

/* The border below a row, from the centre, or where the ellipse ends. */
LSSTREGIONS_INLINE double border_below(const Conic *conic, double y)
{
    const double border = y - 0.5 - conic->y;
    return border > -conic->height ? (border < conic->height ? border : conic->height) : -conic->height;
}

static inline Cuts cuts_of(const Conic *conic, int32_t first, int32_t stop)
{
    Cuts cuts = {first, (double)stop - first, fabs(conic->turn), {HUGE_VAL, HUGE_VAL}};
    for (int i = 0; i < (cuts.turn > 0 ? 2 : 1); i++) {
        const double turn = i ? cuts.turn : -cuts.turn, y = floor(conic->y + turn + 0.5);
        if (border_below(conic, y) < turn && turn < border_below(conic, y + 1) && first <= y && y < stop) {
            cuts.after[i] = y - first + 1 + (cuts.after[0] < HUGE_VAL);
            cuts.count += 1;
        }
    }
    return cuts;
}

/* Cut out slices from number `begin` on, which is even; those that are too many are empty. */
LSSTREGIONS_INLINE void cut_slices(const Conic *conic, const Cuts *cuts, int32_t begin, Slices *slices)
{
    static const double from_below[LANES] = {1, 0, 1, 0, 1, 0, 1, 0}, pair[LANES] = {0, 0, 1, 1, 2, 2, 3, 3};
    const double after = cuts->after[0], later = cuts->after[1], turn = cuts->turn, count = cuts->count;
    const double half = begin / 2;
    for (int i = 0; i < LANES; i++) {
        const double below = half + pair[i], above = count - 1 - below;
        const double j = from_below[i] > 0 ? below : above;
        const double row = j - (j >= after ? 1 : 0) - (j >= later ? 1 : 0), y = cuts->first + row;
        double low = border_below(conic, y), high = border_below(conic, y + 1);
        low = j == after ? -turn : j == later ? turn : low;
        high = j + 1 == after ? -turn : j + 1 == later ? turn : high;
        const int some = from_below[i] > 0 ? below <= above : below < above;
        slices->row[i] = some ? row : 0;
        slices->low[i] = low;
        slices->high[i] = some ? high : low;
    }
}

LSSTREGIONS_INLINE int32_t column_of(double x, int32_t last)
{
    const int32_t column = (int32_t)x;
    return column > 0 ? (column < last ? column : last) : 0;
}

/* Find where the two borders cross slices. */
LSSTREGIONS_INLINE void cross_slices(const Conic *conic, int32_t last, Block *block)
{
    const Slices *slices = &block->slices;
    Border *left = &block->left, *right = &block->right;
    const double height = conic->height, spread = conic->spread, shear = conic->shear, center = conic->x;
    const double turn = conic->turn, rise = conic->rise;
    for (int i = 0; i < LANES; i++) {
        const double low = slices->low[i], high = slices->high[i];
        const double low_product = (height - fabs(low)) * (height + fabs(low));
        const double high_product = (height - fabs(high)) * (height + fabs(high));
        const double low_half = spread * sqrt(low_product > 0 ? low_product : 0);
        const double high_half = spread * sqrt(high_product > 0 ? high_product : 0);
        const double low_middle = center + shear * low, high_middle = center + shear * high;
        const double left_low = low_middle - low_half, left_high = high_middle - high_half;
        const double right_low = low_middle + low_half, right_high = high_middle + high_half;
        left->x[i] = left_low < left_high ? left_low : left_high;
        left->y[i] = left_low < left_high ? low : high;
        left->x_end[i] = left_low < left_high ? left_high : left_low;
        left->y_end[i] = left_low < left_high ? high : low;
        left->half[i] = low >= -turn ? rise : -rise;
        left->covered[i] = 0;
        right->x[i] = right_low < right_high ? right_low : right_high;
        right->y[i] = right_low < right_high ? low : high;
        right->x_end[i] = right_low < right_high ? right_high : right_low;
        right->y_end[i] = right_low < right_high ? high : low;
        right->half[i] = low >= turn ? rise : -rise;
        right->covered[i] = high - low;
    }
    left->sign = 1;
    right->sign = -1;
    int32_t most = 0;
    for (int i = 0; i < LANES; i++) {
        const int32_t start = column_of(left->x[i], last), stop = column_of(left->x_end[i], last) + 1;
        const int32_t right_start = column_of(right->x[i], last), right_stop = column_of(right->x_end[i], last) + 1;
        left->column[i] = (double)start;
        right->column[i] = (double)right_start;
        block->begin[i] = stop;
        block->stop[i] = right_start;
        most = stop - start > most ? stop - start : most;
        most = right_stop - right_start > most ? right_stop - right_start : most;
    }
    block->columns = most;
}

/* Ask for two rows of what comes next, unless all have been asked for; returns how many have been. */
LSSTREGIONS_INLINE int ask_for_two(const View *view, const Block *block, int asked, int with_variance)
{
    if (asked == LANES)
        return asked;
    ask_ahead(view, (ptrdiff_t)block->slices.row[asked], with_variance);
    ask_ahead(view, (ptrdiff_t)block->slices.row[asked + 1], with_variance);
    return asked + 2;
}

/* Give the shares of a column that are right of a border, or left of it, and go on to the next. */
LSSTREGIONS_INLINE void next_column(const Conic *conic, const Slices *slices, Border *border, int terms,
                                    double *weights)
{
    const double center = conic->x, width = conic->width, lean = conic->lean, area = conic->area;
    const double u_x = conic->u_x, u_y = conic->u_y, v_x = conic->v_x, v_y = conic->v_y, sign = border->sign;
    for (int i = 0; i < LANES; i++) {
        const double column = border->column[i], side = column + 1, dx = side - center;
        const double x = border->x[i], y = border->y[i], x_end = border->x_end[i];
        const double product = (width - fabs(dx)) * (width + fabs(dx));
        double y_next = lean * dx + border->half[i] * sqrt(product > 0 ? product : 0);
        y_next = y_next > slices->low[i] ? y_next : slices->low[i];
        y_next = y_next < slices->high[i] ? y_next : slices->high[i];
        y_next = side < x_end ? y_next : border->y_end[i];
        const double x_next = side < x_end ? side : x_end;
        const double across = x_next - x, up = y_next - y, change = sign * fabs(up);
        const double u = u_x * across + u_y * up, v = v_x * across + v_y * up;
        /* Half a chord of the unit circle, squared. */
        const double s2 = (u * u + v * v) * 0.25;
        double series = LSSTREGIONS_SERIES[terms - 1];
        for (int k = terms - 2; k >= 0; k--)
            series = LSSTREGIONS_SERIES[k] + s2 * series;
        const double bulge = area * (sqrt(s2) * s2 * series);
        const double weight = border->covered[i] + change * (side - (x + x_next) * 0.5) + bulge;
        weights[i] = column <= x_end && weight > LSSTREGIONS_NONE ? weight : 0;
        border->covered[i] += change;
        border->x[i] = x_next;
        border->y[i] = y_next;
        border->column[i] = side;
    }
}

/* Add a pixel of each slice, with its own weight. What has none is not read, for it may be NaN. */
#define LSSTREGIONS_ADD_PIXELS(NAME, TYPE)                                                                             \
    static inline void NAME(const char *data, const int64_t *at, const double *weights, double *sums)                  \
    {                                                                                                                  \
        for (int i = 0; i < LANES; i++)                                                                                \
            if (weights[i] > 0)                                                                                        \
                sums[i] += weights[i] * (double)*(const TYPE *)(data + at[i]);                                         \
    }

/* Add n pixels of two slices, each with one weight. */
#define LSSTREGIONS_ADD_BETWEEN(NAME, TYPE)                                                                            \
    static inline void NAME(const char *data, const int64_t *at, const int32_t *n, const double *weights,              \
                            double *sums)                                                                              \
    {                                                                                                                  \
        for (int i = 0; i < 2; i++) {                                                                                  \
            const TYPE *pixels = (const TYPE *)(data + at[i]);                                                         \
            double added[LANES] = {0};                                                                                 \
            int32_t x = 0;                                                                                             \
            for (; x + LANES <= n[i]; x += LANES)                                                                      \
                for (int k = 0; k < LANES; k++)                                                                        \
                    added[k] += (double)pixels[x + k];                                                                 \
            for (int k = 0; x + k < n[i]; k++)                                                                         \
                added[k] += (double)pixels[x + k];                                                                     \
            for (int k = 0; k < LANES; k++)                                                                            \
                sums[k] += weights[i] * added[k];                                                                      \
        }                                                                                                              \
    }

LSSTREGIONS_ADD_PIXELS(add_floats, float)
LSSTREGIONS_ADD_PIXELS(add_doubles, double)
LSSTREGIONS_ADD_BETWEEN(add_floats_between, float)
LSSTREGIONS_ADD_BETWEEN(add_doubles_between, double)

#ifdef LSSTREGIONS_X86_DISPATCH
#define LSSTREGIONS_ROWS_AVX512 __attribute__((target("avx512f,avx512vl,avx512dq,prefer-vector-width=512")))

/* Loads one by one are faster than gathering. */
#define LSSTREGIONS_ADD_PIXELS_AVX512(NAME, TYPE)                                                                      \
    LSSTREGIONS_ROWS_AVX512                                                                                            \
    static inline void NAME(const char *data, const int64_t *at, const double *weights, double *sums)                  \
    {                                                                                                                  \
        const __m512d weight = _mm512_loadu_pd(weights), sum = _mm512_loadu_pd(sums);                                  \
        const __mmask8 used = _mm512_cmp_pd_mask(weight, _mm512_setzero_pd(), _CMP_GT_OQ);                             \
        int64_t where[LANES];                                                                                          \
        _mm512_storeu_si512(where, _mm512_maskz_loadu_epi64(used, at));                                                \
        __m512d pixels = _mm512_setr_pd(                                                                               \
            *(const TYPE *)(data + where[0]), *(const TYPE *)(data + where[1]), *(const TYPE *)(data + where[2]),      \
            *(const TYPE *)(data + where[3]), *(const TYPE *)(data + where[4]), *(const TYPE *)(data + where[5]),      \
            *(const TYPE *)(data + where[6]), *(const TYPE *)(data + where[7]));                                       \
        pixels = _mm512_maskz_mov_pd(used, pixels);                                                                    \
        _mm512_storeu_pd(sums, _mm512_add_pd(sum, _mm512_mul_pd(weight, pixels)));                                     \
    }

#define LSSTREGIONS_ADD_BETWEEN_AVX512(NAME, TYPE, LOAD)                                                               \
    LSSTREGIONS_ROWS_AVX512                                                                                            \
    static inline void NAME(const char *data, const int64_t *at, const int32_t *n, const double *weights,              \
                            double *sums)                                                                              \
    {                                                                                                                  \
        const TYPE *one = (const TYPE *)(data + at[0]), *other = (const TYPE *)(data + at[1]);                         \
        const int32_t least = n[0] < n[1] ? n[0] : n[1], most = n[0] < n[1] ? n[1] : n[0];                             \
        __m512d first = _mm512_setzero_pd(), second = first, sum = _mm512_loadu_pd(sums);                              \
        int32_t x = 0;                                                                                                 \
        for (; x + LANES <= least; x += LANES) {                                                                       \
            first = _mm512_add_pd(first, LOAD(255, one + x));                                                          \
            second = _mm512_add_pd(second, LOAD(255, other + x));                                                      \
        }                                                                                                              \
        for (; x < most; x += LANES) {                                                                                 \
            const int32_t rest = n[0] - x, other_rest = n[1] - x;                                                      \
            first = _mm512_add_pd(first, LOAD(rest < LANES ? (1 << (rest > 0 ? rest : 0)) - 1 : 255, one + x));        \
            second = _mm512_add_pd(                                                                                    \
                second, LOAD(other_rest < LANES ? (1 << (other_rest > 0 ? other_rest : 0)) - 1 : 255, other + x));     \
        }                                                                                                              \
        sum = _mm512_add_pd(sum, _mm512_mul_pd(_mm512_set1_pd(weights[0]), first));                                    \
        sum = _mm512_add_pd(sum, _mm512_mul_pd(_mm512_set1_pd(weights[1]), second));                                   \
        _mm512_storeu_pd(sums, sum);                                                                                   \
    }

#define LSSTREGIONS_EIGHT_FLOATS(MASK, P) _mm512_cvtps_pd(_mm256_maskz_loadu_ps((__mmask8)(MASK), P))
#define LSSTREGIONS_EIGHT_DOUBLES(MASK, P) _mm512_maskz_loadu_pd((__mmask8)(MASK), P)

LSSTREGIONS_ADD_PIXELS_AVX512(add_floats_avx512, float)
LSSTREGIONS_ADD_PIXELS_AVX512(add_doubles_avx512, double)
LSSTREGIONS_ADD_BETWEEN_AVX512(add_floats_between_avx512, float, LSSTREGIONS_EIGHT_FLOATS)
LSSTREGIONS_ADD_BETWEEN_AVX512(add_doubles_between_avx512, double, LSSTREGIONS_EIGHT_DOUBLES)
#endif

/* How pixels of some type are added. */
typedef void AddPixels(const char *data, const int64_t *at, const double *weights, double *sums);
typedef void AddBetween(const char *data, const int64_t *at, const int32_t *n, const double *weights, double *sums);

/* Add all of an ellipse, no row of which is cut. Blocks are found one ahead: how many columns
   there are is known before it decides where a loop ends. */
LSSTREGIONS_INLINE void sum_slices(const Conic *conic, const View *view, int32_t first, int32_t stop, int64_t size,
                                   int with_variance, LaneSums *sums, AddPixels *add_pixels, AddBetween *add_between)
{
    const Cuts cuts = cuts_of(conic, first, stop);
    const int32_t count = (int32_t)cuts.count, last = (int32_t)view->width - 1;
    const int64_t image_stride = view->image_stride, variance_stride = view->variance_stride;
    Block blocks[2], *block = blocks, *next = blocks + 1;
    cut_slices(conic, &cuts, 0, &block->slices);
    cross_slices(conic, last, block);
    for (int32_t begin = 0; begin < count; begin += LANES) {
        if (begin + LANES < count) {
            cut_slices(conic, &cuts, begin + LANES, &next->slices);
            cross_slices(conic, last, next);
        }
        double weights[2][LANES], whole[LANES];
        int64_t image[2][LANES], variance[2][LANES];
        int32_t n[LANES];
        for (int i = 0; i < LANES; i++) {
            const int64_t row = (int32_t)block->slices.row[i];
            image[0][i] = row * image_stride + (int64_t)block->left.column[i] * size;
            image[1][i] = row * image_stride + (int64_t)block->right.column[i] * size;
            variance[0][i] = row * variance_stride + (int64_t)block->left.column[i] * size;
            variance[1][i] = row * variance_stride + (int64_t)block->right.column[i] * size;
        }
        int asked = 0;
        for (int32_t k = 0; k < block->columns; k++) {
            asked = ask_for_two(view, block, asked, with_variance);
            if (conic->terms == 5) {
                next_column(conic, &block->slices, &block->left, 5, weights[0]);
                next_column(conic, &block->slices, &block->right, 5, weights[1]);
            } else {
                next_column(conic, &block->slices, &block->left, 11, weights[0]);
                next_column(conic, &block->slices, &block->right, 11, weights[1]);
            }
            for (int s = 0; s < 2; s++) {
                add_pixels(view->image, image[s], weights[s], sums->total);
                if (with_variance)
                    add_pixels(view->variance, variance[s], weights[s], sums->noise);
                for (int i = 0; i < LANES; i++) {
                    sums->area[i] += weights[s][i];
                    image[s][i] += size;
                    variance[s][i] += size;
                }
            }
        }
        /* What is within both borders has been added once more than it should. */
        for (int i = 0; i < LANES; i++) {
            const double height = block->slices.high[i] - block->slices.low[i];
            const double weight = height > LSSTREGIONS_WHOLLY ? 1 : height;
            const int32_t between = height > LSSTREGIONS_NONE ? block->stop[i] - block->begin[i] : 0;
            const int64_t row = (int32_t)block->slices.row[i];
            const int64_t from = between < 0 ? block->stop[i] : block->begin[i];
            whole[i] = between < 0 ? -weight : weight;
            n[i] = between < 0 ? -between : between;
            sums->area[i] += weight * between;
            image[0][i] = row * image_stride + from * size;
            variance[0][i] = row * variance_stride + from * size;
        }
        for (int i = 0; i < LANES; i += 2) {
            if (i + 2 > asked)
                asked = ask_for_two(view, block, asked, with_variance);
            add_between(view->image, image[0] + i, n + i, whole + i, sums->total);
            if (with_variance)
                add_between(view->variance, variance[0] + i, n + i, whole + i, sums->noise);
        }
        Block *const done = block;
        block = next;
        next = done;
    }
}

#define LSSTREGIONS_SUM_CONIC(NAME, TARGET, TYPE, ADD_PIXELS, ADD_BETWEEN)                                             \
    TARGET                                                                                                             \
    static void NAME(const Conic *conic, const View *view, int32_t first, int32_t stop, int with_variance,             \
                     LaneSums *sums)                                                                                   \
    {                                                                                                                  \
        sum_slices(conic, view, first, stop, sizeof(TYPE), with_variance, sums, ADD_PIXELS, ADD_BETWEEN);              \
    }

LSSTREGIONS_SUM_CONIC(sum_floats_portable, LSSTREGIONS_CLONES, float, add_floats, add_floats_between)
LSSTREGIONS_SUM_CONIC(sum_doubles_portable, LSSTREGIONS_CLONES, double, add_doubles, add_doubles_between)
#ifdef LSSTREGIONS_X86_DISPATCH
LSSTREGIONS_SUM_CONIC(sum_floats_avx512, LSSTREGIONS_ROWS_AVX512, float, add_floats_avx512, add_floats_between_avx512)
LSSTREGIONS_SUM_CONIC(sum_doubles_avx512, LSSTREGIONS_ROWS_AVX512, double, add_doubles_avx512,
                      add_doubles_between_avx512)
#endif

/* The same for pixels of 4 or 8 bytes, by what this machine has. */
static inline void sum_conic(const Conic *conic, const View *view, int32_t first, int32_t stop, int size,
                             int with_variance, LaneSums *sums)
{
#ifdef LSSTREGIONS_X86_DISPATCH
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")) {
        if (size == 4)
            sum_floats_avx512(conic, view, first, stop, with_variance, sums);
        else
            sum_doubles_avx512(conic, view, first, stop, with_variance, sums);
        return;
    }
#endif
    if (size == 4)
        sum_floats_portable(conic, view, first, stop, with_variance, sums);
    else
        sum_doubles_portable(conic, view, first, stop, with_variance, sums);
}

#endif
