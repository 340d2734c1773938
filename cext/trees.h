/* Union-find over parent indices. The smaller index is the root, so that roots stay in the order of their first members
   and parents come before their children. */
#ifndef LSSTREGIONS_TREES_H
#define LSSTREGIONS_TREES_H

#include <stddef.h>
#include <stdint.h>

static inline int32_t root_of(int32_t *parent, int32_t i)
{
    /* Nearly all are at most one step away: it is taken without asking. */
    i = parent[i];
    while (parent[i] != i) {
        parent[i] = parent[parent[i]];
        i = parent[i];
    }
    return i;
}

/* Join the trees of two roots; return the root of both. */
static inline int32_t join_roots(int32_t *parent, int32_t p, int32_t q)
{
    if (p > q) {
        parent[p] = q;
        return q;
    }
    parent[q] = p;
    return p;
}

/* Join the trees of i and j. */
static inline void join_trees(int32_t *parent, int32_t i, int32_t j)
{
    join_roots(parent, root_of(parent, i), root_of(parent, j));
}

/* Replace each of n parents by the number of its tree, in the order of their roots; return how many trees there are. */
static inline int32_t number_trees(int32_t *parent, ptrdiff_t n)
{
    int32_t count = 0;
    for (ptrdiff_t i = 0; i < n; i++) {
        /* Which are roots is a coin toss: no branch asks. */
        const int32_t root = -(parent[i] == i), label = parent[parent[i]];
        parent[i] = label ^ ((label ^ count) & root);
        count -= root;
    }
    return count;
}

#endif
