/* topology_text.c -- see topology_text.h. */
#include "topology_text.h"

#include "avro/catalog.h"
#include "production_text.h"
#include "registry.h"

#include <stdlib.h>

static char *edited(char *text, const struct topology_edit *change)
{
    const char *at = strstr(text, change->find);
    struct mr_buffer out = MR_BUFFER_EMPTY;

    WORLD_MUST_MSG(at != NULL, "the topology does not contain \"%s\"", change->find);
    mr_buffer_append(&out, text, (size_t)(at - text));
    mr_buffer_append(&out, change->replace, strlen(change->replace));
    mr_buffer_append(&out, at + strlen(change->find), strlen(at + strlen(change->find)) + 1);
    free(text);
    return (char *)out.data;
}

char *topology_text_edit(char *text, const struct topology_edit *edits, size_t edit_count)
{
    production_drop_section(text, "connectors:");
    for (size_t i = 0; i < edit_count; i++) {
        text = edited(text, &edits[i]);
    }
    return text;
}

struct mr_topology *topology_of_text(const char *text, const struct mr_catalog *catalog,
                                     const struct topology_edit *edits, size_t edit_count)
{
    const struct mr_catalog own = {
        .stages = mr_stages,
        .stage_count = mr_stage_count,
        .schemas = oms_schemas,
        .schema_count = oms_schema_count,
    };
    char *whole =
        topology_text_edit(text == NULL ? production_text() : mr_xstrdup(text), edits, edit_count);
    struct mr_topology *topology = NULL;
    struct mr_problems problems = {0};
    struct mr_err err = {0};
    const enum mr_status status =
        mr_topology_load_text("topology.yaml", mr_slice_str(whole),
                              catalog != NULL ? catalog : &own, &topology, &problems, &err);

    WORLD_MUST_MSG(status == MR_OK, "%s\n%s", err.text, whole);
    mr_problems_fini(&problems);
    free(whole);
    return topology;
}
