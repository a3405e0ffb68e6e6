"""The journal against the log: sequences without gaps, every input taken once and whole, nothing left open.

This is what exactly-once means for the inputs: the runs of records that transactions say they took join
without gap or overlap, from the beginning of each input to the offset that the group has committed, which
stands in the same transactions.
"""

import bisect


class Problem:
    """Something wrong, with the place where it shows."""

    __slots__ = ("check", "topic", "partition", "offset", "text")

    def __init__(self, check, topic, partition, offset, text):
        self.check = check
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.text = text

    def facts(self):
        return {name: getattr(self, name) for name in self.__slots__}


class Facts:
    """What the structure is checked with: copies of it may be changed."""

    def __init__(self, journals, offsets, ends, committed):
        self.journals = journals  # by group
        self.offsets = offsets  # (topic, partition) -> offsets of the committed records of an input
        self.ends = ends  # topic -> [{"low", "lastStable", "end"}]
        self.committed = committed  # group -> topic -> [offset or None]


def check(facts, groups):
    """All problems."""
    found = list(open_transactions(facts.ends))
    for group in groups:
        journal = facts.journals[group["name"]]
        for partition, offset, text in journal.problems():
            found.append(Problem("journal", journal.topic_name, partition, offset, text))
        for task in range(group["tasks"]):
            found += Coverage(facts, group, task).check()
        strangers = [task for task in journal.tasks if not 0 <= task < group["tasks"]]
        found += [Problem("journal", journal.topic_name, 0, 0, f"there is no task {group['name']}:{task}")
                  for task in strangers]
    return found


def open_transactions(ends):
    for topic, partitions in sorted(ends.items()):
        for number, end in enumerate(partitions):
            if end["lastStable"] < end["end"]:
                text = f"the last stable offset is {end['lastStable']}, the end {end['end']}: a transaction is open"
                yield Problem("open", topic, number, end["lastStable"], text)


class Coverage:
    """One task: how far its journal has told each of its inputs."""

    def __init__(self, facts, group, task):
        self.facts = facts
        self.group = group
        self.task = task
        self.journal = facts.journals[group["name"]]
        self.next = dict.fromkeys(group["consumes"], 0)
        self.problems = []

    def offsets(self, topic):
        return self.facts.offsets[topic, self.task]

    def problem(self, check, topic, offset, text):
        where = f"{self.group['name']}:{self.task} "
        self.problems.append(Problem(check, topic, self.task, offset, where + text))

    def check(self):
        for transaction in self.journal.tasks.get(self.task, ()):
            for topic, partition, first, count in transaction.inputs():
                if partition != self.task or topic not in self.next:
                    self.problem("inputs", topic, first, f"sequence {transaction.sequence} takes from "
                                 f"{topic}[{partition}], which is no input of the task")
                else:
                    self.take(transaction, topic, first, count)
        for topic in self.group["consumes"]:
            self.check_end(topic)
        return self.problems

    def take(self, transaction, topic, first, count):
        offsets = self.offsets(topic)
        at = self.next[topic]
        name = f"sequence {transaction.sequence}"
        if at >= len(offsets) or offsets[at] != first:
            what = "nothing" if at >= len(offsets) else f"offset {offsets[at]}"
            self.problem("inputs", topic, first, f"{name} takes from offset {first}, where {what} is next")
            at = bisect.bisect_left(offsets, first)
        if count <= 0 or at + count > len(offsets):
            self.problem("inputs", topic, first, f"{name} takes {count} records from offset {first}, where "
                         f"{len(offsets) - at} are")
        self.next[topic] = min(at + max(count, 0), len(offsets))

    def check_end(self, topic):
        offsets = self.offsets(topic)
        at = self.next[topic]
        committed = self.facts.committed[self.group["name"]][topic][self.task]
        taken_to = offsets[at - 1] + 1 if at > 0 else 0
        if (committed or 0) != taken_to:
            self.problem("offsets", topic, taken_to, f"the journal ends before offset {taken_to}, the group has "
                         f"committed {committed}")
        if at < len(offsets):
            self.problem("untaken", topic, offsets[at], f"{len(offsets) - at} records are not taken")
