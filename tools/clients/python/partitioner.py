"""The partition that Java's default partitioner gives a key, to know where a user's reports come.

librdkafka chooses the same one with `partitioner=murmur2_random`; it does not tell before sending.
"""

MASK = 0xFFFFFFFF
M = 0x5BD1E995
SEED = 0x9747B28C


def mix(word):
    word = word * M & MASK
    return (word ^ word >> 24) * M & MASK


def murmur2(data):
    h = SEED ^ len(data)
    whole = len(data) & ~3
    for at in range(0, whole, 4):
        h = h * M & MASK ^ mix(int.from_bytes(data[at:at + 4], "little"))
    if whole < len(data):
        h = (h ^ int.from_bytes(data[whole:], "little")) * M & MASK
    h = (h ^ h >> 13) * M & MASK
    return h ^ h >> 15


def partition_of(key, partitions):
    return (murmur2(key) & 0x7FFFFFFF) % partitions
