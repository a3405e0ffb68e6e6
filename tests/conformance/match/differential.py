"""Random flows through the order book and through naive_book.py: the reports must be the same lines.

usage: differential.py PROGRAMS [--seed N] [--seeds N] [--commands N] [--self-test]
       PROGRAMS: the folder of match-conformance and match-differential
The flows are those of match-differential (all kinds, by seed). A flow that differs is made smaller, commands
being left out while it still differs; what remains is printed with the command that repeats it. --self-test
plants mistakes into the model, and each must be found and come down to a few commands.
"""

import argparse
import itertools
import pathlib
import subprocess
import sys

import naive_book

KINDS = ("queues", "dense", "sparse", "ceiling")


def book_says(programs, lines):
    done = subprocess.run([programs / "match-conformance", "-"], input="\n".join(lines) + "\n",
                          capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def model_says(model, lines):
    book = model()
    return [report for line in lines for report in book.apply(naive_book.Command.of(line))]


def difference(programs, model, lines):
    """(what the book says, what the model says) where they first differ, or None."""
    pairs = itertools.zip_longest(book_says(programs, lines), model_says(model, lines))
    return next((pair for pair in pairs if pair[0] != pair[1]), None)


def shrink(programs, model, lines):
    """Leaves out ever smaller runs of lines while the rest still differs."""
    chunk = len(lines) // 2
    while chunk:
        start = 0
        while start < len(lines):
            fewer = lines[:start] + lines[start + chunk:]
            if fewer and difference(programs, model, fewer):
                lines = fewer
            else:
                start += chunk
        chunk //= 2
    return lines


def flow(programs, kind, seed, commands):
    done = subprocess.run([programs / "match-differential", "--print", "--kind", kind, "--seed", str(seed),
                           "--seeds", "1", "--commands", str(commands)], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


class NoTimePriority(naive_book.NaiveBook):
    """The newest order of a level trades first."""

    def makers(self, side, limit):
        sign = 1 if side == "B" else -1
        return sorted(super().makers(side, limit), key=lambda order: (sign * order.price, -order.arrival))


class RestsAnyway(naive_book.NaiveBook):
    """What an immediate order leaves rests."""

    def apply(self, command):
        command.ioc = False
        return super().apply(command)


class ForgetsToCancel(naive_book.NaiveBook):
    """A cancel is answered and the order stays."""

    def apply(self, command):
        if command.msg != "C":
            return super().apply(command)
        before = self.orders
        answer = super().apply(command)
        self.orders = before
        return answer


def self_test(programs):
    missed = 0
    for model in (NoTimePriority, RestsAnyway, ForgetsToCancel):
        lines = flow(programs, "queues", 1, 400)
        found = difference(programs, model, lines)
        least = shrink(programs, model, lines) if found else []
        print(f"{model.__name__}: {'found' if found else 'NOT FOUND'}, {len(least)} commands show it")
        missed += not found or len(least) > 4
    return 1 if missed else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("programs", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--commands", type=int, default=1500)
    parser.add_argument("--self-test", action="store_true")
    options = parser.parse_args()
    if options.self_test:
        return self_test(options.programs)
    for seed, kind in itertools.product(range(options.seed, options.seed + options.seeds), KINDS):
        lines = flow(options.programs, kind, seed, options.commands)
        if difference(options.programs, naive_book.NaiveBook, lines):
            least = shrink(options.programs, naive_book.NaiveBook, lines)
            is_, should = difference(options.programs, naive_book.NaiveBook, least)
            print(f"kind {kind}, seed {seed}: the book says {is_}, the model {should}. Again:\n"
                  f"  {sys.argv[0]} {options.programs} --seed {seed} --seeds 1 --commands {options.commands}\n"
                  f"The least that differs:\n" + "\n".join(least))
            return 1
    print(f"{options.seeds * len(KINDS)} flows of {options.commands} commands, seeds {options.seed} to "
          f"{options.seed + options.seeds - 1}: book and model agree")
    return 0


if __name__ == "__main__":
    sys.exit(main())
