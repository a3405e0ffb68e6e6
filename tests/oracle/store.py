"""A state store: committed rows, those of the open transaction, and what the record in hand changed.

Rows are in the shape of their records in a changelog, and are never changed in place.
"""

ABSENT = object()


class Store:
    """Rows by key (the text of the key's bytes)."""

    def __init__(self, name):
        self.name = name
        self.rows = {}
        self.pending = {}  # None: deleted
        self.written = {}  # keys in the order in which they were first written, as an ordered set
        self.undo = []

    def get(self, key):
        row = self.pending.get(key, ABSENT)
        return self.rows.get(key) if row is ABSENT else row

    def put(self, key, row):
        self.undo.append((key, self.pending.get(key, ABSENT)))
        self.pending[key] = row
        self.written[key] = True

    def delete(self, key):
        if key in self.pending or key in self.rows:
            self.put(key, None)

    def items(self):
        """All rows, the open transaction's included, in no order."""
        for key, row in self.rows.items():
            if key not in self.pending:
                yield key, row
        for key, row in self.pending.items():
            if row is not None:
                yield key, row

    def release(self):
        self.undo.clear()

    def rollback(self):
        """Takes back what the record in hand wrote; True when there was anything."""
        any_write = bool(self.undo)
        for key, before in reversed(self.undo):
            if before is ABSENT:
                del self.pending[key]
            else:
                self.pending[key] = before
        self.undo.clear()
        return any_write

    def commit(self):
        """The changes as the changelog has them: each key once, in the order of first writing."""
        changes = []
        for key in self.written:
            row = self.pending.get(key, ABSENT)
            if row is ABSENT or row == self.rows.get(key):
                continue  # rolled back, as it was, or come and gone
            changes.append((key, row))
            if row is None:
                del self.rows[key]
            else:
                self.rows[key] = row
        self.pending.clear()
        self.written.clear()
        self.undo.clear()  # of what was written while the transaction ended
        return changes
