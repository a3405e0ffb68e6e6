"""Who has which partitions of the groups, as JSON: {group: {ordinal: [partition]}}. See probe.refresh.

usage: python -m chaos.members BOOTSTRAP APPLICATION GROUP...
"""

import json
import sys

from confluent_kafka.admin import AdminClient

ANSWER_S = 5


def members_of(description, group_id):
    """{ordinal: partitions} from the members' static names `<group>.<ordinal>.<worker>`."""
    found = {}
    for member in description.members:
        name = member.group_instance_id or ""
        if member.assignment is None or not name.startswith(f"{group_id}."):
            continue
        ordinal = name[len(group_id) + 1:].rpartition(".")[0]
        for place in member.assignment.topic_partitions:
            found.setdefault(ordinal, set()).add(place.partition)
    return found


def main(bootstrap, application, *groups):
    ids = {f"{application}.{group}": group for group in groups}
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    found = {}
    for group_id, future in admin.describe_consumer_groups(list(ids), request_timeout=ANSWER_S).items():
        members = members_of(future.result(ANSWER_S), group_id)
        found[ids[group_id]] = {name: sorted(partitions) for name, partitions in members.items()}
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
