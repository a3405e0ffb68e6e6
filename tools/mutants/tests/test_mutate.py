"""Goal: mutants change what they should, one place each, and leave comments and texts alone;
what is accepted is what accepted.txt says, and no more.
Method: small functions, and the changed lines that must and must not come out of them."""

import pathlib
import runpy
import sys
import types
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import mutate  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[3]
program = types.SimpleNamespace(**runpy.run_path(str(ROOT / "tools" / "mutants" / "__main__.py")))


def changes(body):
    """{changed line: kind} of a function with this body."""
    text = "static bool f(struct s *s)\n{\n" + body + "}\n"
    return {mutant.after: mutant.kind for mutant in mutate.mutants("f.c", text)}


class Functions(unittest.TestCase):
    def names(self, text):
        return {mutant.after: mutant.function for mutant in mutate.mutants("f.c", text)}

    def test_a_mutant_knows_its_function(self):
        found = self.names("struct t {\n    int a;\n};\n\n/* put(x) */\nstatic struct t **first(struct t **table,\n"
                           "                         int (*call)(void))\n{\n    table = 1;\n}\n"
                           "int second(void)\n{\n    return 7;\n}\n")
        self.assertEqual(found["table = 2;"], "first")
        self.assertEqual(found["return 8;"], "second")

    def test_every_function_of_the_domain_has_a_name(self):
        for path in sorted((ROOT / "domain").glob("*.c")):
            for mutant in mutate.mutants(path.name, path.read_text()):
                self.assertRegex(path.read_text(), rf"(?m)^[a-z].*\b{mutant.function}\(")


class Accepted(unittest.TestCase):
    def setUp(self):
        self.mutants = list(mutate.mutants("f.c", "int hash(int a)\n{\n    return a + 1;\n}\n"
                                                  "int other(int a)\n{\n    return a + 1;\n}\n"))

    def report(self, accepted, result):
        results = types.SimpleNamespace(known={mutant.name: {"result": result} for mutant in self.mutants})
        return program.summary(self.mutants, results, program.accepted(accepted))

    def test_what_survives_in_an_accepted_function_is_accepted_and_no_other(self):
        report = self.report("f.c | function hash | * | a hash\n", "survived")
        half = len(self.mutants) // 2
        self.assertEqual(report["files"]["f.c"]["accepted"], half)
        self.assertEqual([survivor["function"] for survivor in report["survivors"]], ["other"] * half)

    def test_what_is_killed_in_an_accepted_function_is_killed(self):
        report = self.report("f.c | function hash | * | a hash\n", "killed")
        self.assertEqual(report["killed"], len(self.mutants))

    def test_one_change_is_accepted_wherever_the_line_stands(self):
        report = self.report("f.c | return a + 1; | return a - 1; | why not\n", "survived")
        self.assertEqual(report["files"]["f.c"]["accepted"], 2)

    def test_a_line_without_a_reason_or_with_half_a_function_is_refused(self):
        for line in ("f.c | a | b |", "f.c | a | b", "f.c | function hash | b | why", "f.c | a | * | why"):
            with self.assertRaises(program.BuildError, msg=line):
                program.accepted(line)

    def test_a_function_that_is_gone_is_refused(self):
        program.check_functions(program.accepted("f.c | function hash | * | why"), self.mutants)
        program.check_functions(program.accepted("x.c | function y | * | another file"), self.mutants)
        with self.assertRaises(program.BuildError):
            program.check_functions(program.accepted("f.c | function hush | * | why"), self.mutants)


class Mutants(unittest.TestCase):
    def test_relations_and_numbers_change_by_one_step(self):
        found = changes("    if (a < 3) {\n        b = 1;\n    }\n")
        self.assertEqual(found["if (a <= 3) {"], "relation")
        self.assertEqual(found["if (a < 4) {"], "number")
        self.assertEqual(found["if (!(a < 3)) {"], "condition")

    def test_a_statement_is_dropped_and_a_declaration_is_not(self):
        found = changes("    int a = 0;\n    call(s);\n")
        self.assertEqual(found[";"], "dropped")
        self.assertEqual(sum(kind == "dropped" for kind in found.values()), 1)

    def test_what_is_returned_is_turned_round(self):
        self.assertIn("return false;", changes("    return true;\n"))
        found = changes("    return a + b;\n")
        self.assertIn("return a - b;", found)
        self.assertIn("return 0;", found)
        self.assertIn("return !(a + b);", found)

    def test_comments_texts_and_pointers_stay(self):
        found = changes('    /* 1 < 2 */\n    x = s->at; // 3\n    put("a < 4");\n    y = *p;\n')
        self.assertEqual({kind for kind in found.values()}, {"dropped"})

    def test_the_same_text_gives_the_same_mutants(self):
        text = (ROOT / "domain" / "wide.c").read_text()
        first = [mutant.name for mutant in mutate.mutants("domain/wide.c", text)]
        self.assertGreater(len(first), 50)
        self.assertEqual(first, [mutant.name for mutant in mutate.mutants("domain/wide.c", text)])
        self.assertEqual(len(first), len(set(first)))

    def test_each_mutant_differs_in_one_place(self):
        text = (ROOT / "domain" / "position.c").read_text()
        for mutant in mutate.mutants("domain/position.c", text):
            before, after = text.splitlines(), mutant.text.splitlines()
            self.assertNotEqual(before, after)
            if len(before) == len(after):  # a condition may stand on several lines
                places = [number for number, pair in enumerate(zip(before, after)) if pair[0] != pair[1]]
                self.assertLessEqual(places[-1] - places[0], 8)


if __name__ == "__main__":
    unittest.main()
