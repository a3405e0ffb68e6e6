"""Goal: mutants change what they should, one place each, and leave comments and texts alone.
Method: small functions, and the changed lines that must and must not come out of them."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import mutate  # noqa: E402


def changes(body):
    """{changed line: kind} of a function with this body."""
    text = "static bool f(struct s *s)\n{\n" + body + "}\n"
    return {mutant.after: mutant.kind for mutant in mutate.mutants("f.c", text)}


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
        text = (pathlib.Path(__file__).resolve().parents[3] / "domain" / "wide.c").read_text()
        first = [mutant.name for mutant in mutate.mutants("domain/wide.c", text)]
        self.assertGreater(len(first), 50)
        self.assertEqual(first, [mutant.name for mutant in mutate.mutants("domain/wide.c", text)])
        self.assertEqual(len(first), len(set(first)))

    def test_each_mutant_differs_in_one_place(self):
        text = (pathlib.Path(__file__).resolve().parents[3] / "domain" / "position.c").read_text()
        for mutant in mutate.mutants("domain/position.c", text):
            before, after = text.splitlines(), mutant.text.splitlines()
            self.assertNotEqual(before, after)
            if len(before) == len(after):  # a condition may stand on several lines
                places = [number for number, pair in enumerate(zip(before, after)) if pair[0] != pair[1]]
                self.assertLessEqual(places[-1] - places[0], 8)


if __name__ == "__main__":
    unittest.main()
