/* catalog.c -- everything this program was built with, and how it opens more. See catalog.h. */
#include "catalog.h"

#include "avro/catalog.h"
#include "connectors/registry.h"
#include "module_load.h"
#include "stages/registry.h"

const struct mr_catalog *mr_cli_catalog(void)
{
    static struct mr_catalog catalog;

    /* The sizes are constants of other files, which C does not allow in an initializer. */
    catalog = (struct mr_catalog){
        .stages = mr_stages,
        .stage_count = mr_stage_count,
        .sinks = mr_sinks,
        .sink_count = mr_sink_count,
        .schemas = oms_schemas,
        .schema_count = oms_schema_count,
        .load_module = module_load,
    };
    return &catalog;
}
