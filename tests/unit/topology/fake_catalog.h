/*
 * fake_catalog.h -- stage and sink types that do nothing, for tests of the loader and the tools.
 *
 * Schemas: Order (userId, symbol, qty), Fill (userId, symbol), Price (symbol), State (x).
 * Stages:  check  in orders, prices (table)  out good, bad (optional)  store seen; options below
 *          book   in orders, control (optional)  out fills            stores orders, books
 *          sum    in fills  out totals (optional)                       no store
 *          pass   in orders  out orders                               no store
 * Sinks:   shelf  writes Order and Fill; option uri (required)
 */
#ifndef MILLRACE_TESTS_FAKE_CATALOG_H
#define MILLRACE_TESTS_FAKE_CATALOG_H

#include "millrace/topology.h"

struct fake_check_options {
    int64_t window_us;
    int64_t velocity_micro;
    int64_t collar_ppm;
    int64_t open_max;
    bool strict;
    const char *label;
    int mode;
    struct mr_durations intervals;
};

extern const struct mr_catalog fake_catalog;

/* Loads text under the name t.yaml. */
enum mr_status fake_load(const char *text, struct mr_topology **topology,
                         struct mr_problems *problems);
/* The same, for a text that must be right: prints the problems and aborts when it is not. */
struct mr_topology *fake_load_good(const char *text);

#endif
