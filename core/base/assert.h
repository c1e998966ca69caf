#pragma once

#include <cstdio>
#include <cstdlib>

/// Stops the process: a broken invariant is a bug, and going on could change the wrong host.
#define KIN_ASSERT(condition)                                                              \
    do {                                                                                   \
        if (!(condition)) {                                                                \
            std::fprintf(stderr, "%s:%d: broken invariant: %s\n", __FILE__, __LINE__,      \
                         #condition);                                                      \
            std::abort();                                                                  \
        }                                                                                  \
    } while (false)
