/*
 * allocator.c -- jemalloc's settings for this program.
 *
 * Why: records are allocated by one thread of librdkafka and freed by another. Few arenas keep that
 * from spreading over memory, and pages go back soon after a burst. The environment variable
 *      MALLOC_CONF still overrides this.
 */
extern const char *const malloc_conf;

__attribute__((visibility("default"))) const char *const malloc_conf =
    "narenas:2,dirty_decay_ms:500,muzzy_decay_ms:0";
