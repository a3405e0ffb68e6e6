/*
 * risk_settings.h -- the options of the risk stage, for the stage and for a dry run of its checks.
 */
#ifndef MILLRACE_STAGES_RISK_SETTINGS_H
#define MILLRACE_STAGES_RISK_SETTINGS_H

#include <stdint.h>

struct risk_settings {
    int64_t velocity_micro; /* option `velocity`: micro-orders per second */
    int64_t burst;          /* option `velocity-burst`: orders */
    int64_t collar_ppm;     /* option `price-collar` */
    int64_t open_orders;    /* option `open-orders` */
    int64_t price_age_us;   /* option `price-age`; 0: any age */
    int64_t loop_guard;     /* option `loop-guard`: equal orders; 0: no guard */
    int64_t loop_window_us; /* option `loop-window` */
};

#endif
