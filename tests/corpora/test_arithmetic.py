"""The arithmetic corpus: true equations, right answers, many kinds, little boilerplate, the same text everywhere."""

import re
import subprocess
import sys
from fractions import Fraction
from functools import cache
from hashlib import sha256
from itertools import islice

import pytest

from mtp_explore.corpora import arithmetic
from mtp_explore.corpora.arithmetic import DOCUMENTS, Arithmetic, attempt, check, kinds, problem
from mtp_explore.corpora.arithmetic_text import evaluate
from mtp_explore.corpora.splits import SPLITS, split_of

EXAMPLE = "Ada has 12 bags of 7 figs. How many?\n12 * 7 = 84, and 84 - 4 = 80 figs.\nAnswer: 80 figs."


@cache
def some(split, count):
    return list(islice(Arithmetic().documents(split), count))


def ngrams(documents, n=8):
    for document in documents:
        words = re.findall(r"\w+|[^\w\s]", document)
        yield from zip(*(words[i:] for i in range(n)), strict=False)


def worth(sides):
    """Value of an expression, the slow way: innermost parentheses first, then * and /, then + and -."""
    while "(" in sides:
        sides = re.sub(r"\(([^()]*)\)", lambda inner: str(worth(inner[1])), sides)
    first, *rest = sides.split(" ")
    terms = [Fraction(first)]
    for sign, number in zip(rest[::2], map(Fraction, rest[1::2]), strict=True):
        if sign in "*/":
            terms[-1] = terms[-1] * number if sign == "*" else terms[-1] / number
        else:
            terms.append(number if sign == "+" else -number)
    return sum(terms)


# Every equation holds and every answer is the last result, in all splits.  Two readers must agree: `check`, and a
# second one here, `worth`, that shares no code with it.
def test_equations_are_true():
    documents = some("train", 1600) + some("validation", 200) + some("test", 200)
    for document in documents:
        check(document)
        story, working, answer = document.split("\n")
        assert "=" not in story + answer and "=" in working
        sums = re.findall(r"([\d(][\d ().+*/-]*) = (\d+(?:\.\d+)?)", working)
        assert len(sums) == working.count("=")
        for left, right in sums:
            left = re.split(r"(?<=\d) (?=[\d(])", left)[-1]  # "with 5 more 210 + 5": the sum is "210 + 5"
            assert worth(left) == Fraction(right), document
        assert re.findall(r"\d+(?:\.\d+)?", answer), document


# Whatever their kind, documents have three lines, 40 to 120 words, and no traces of a template or a wrong article.
def test_text_is_clean():
    for document in some("train", 1600):
        assert re.fullmatch(r"[A-Z0-9].*[?]\n[A-Z0-9].*[.]\nAnswer: .+[.]", document), document
        assert 40 <= len(document.split()) <= 120
        slips = (
            r"[\[\]{}|_]|  | [.,?!;:]|[.,;:?]{2}|\b[Aa] [aeiou](?!uro|uku)|\b[Aa]n [^aeiouh]|\b1 [a-z]+s\b|(?<!\d )-\d"
        )
        assert not re.search(slips, document), document


# At least forty kinds, each with three stories, two questions and two workings; each one turns up, and passes.
def test_kinds(monkeypatch):
    assert len(kinds()) >= 40
    for kind in kinds():
        assert len(kind.story) >= 3 and len(kind.asks) >= 2 and len(kind.works) >= 2, kind.name
        documents = [problem(index, kind=kind) for index in range(12)]
        assert len(set(documents)) == 12
        for document in documents:
            check(document)
    drawn = set()
    monkeypatch.setattr(arithmetic, "attempt", lambda kind, rng: drawn.add(kind.name) or attempt(kind, rng))
    for index in range(1000):
        problem(index)
    assert drawn == {kind.name for kind in kinds()}


# The checker refuses a planted fault: a false equation, one in the middle, a false answer, an unreadable equation.
@pytest.mark.parametrize(
    "old, new",
    [
        ("12 * 7 = 84", "12 * 7 = 85"),
        ("84 - 4 = 80", "84 - 4 = 81"),
        ("Answer: 80", "Answer: 84"),
        ("Answer: 80", "Answer: 8"),
        ("Answer: 80 figs", "Answer: many figs"),
        ("Answer: ", "So "),
        ("12 * 7 = 84", "x * 7 = 84"),
        ("12 * 7 = 84", "12 * 7 = many"),
        ("12 * 7 = 84", "12 / 0 = 84"),
    ],
)
def test_check_refuses(old, new):
    check(EXAMPLE)
    assert old in EXAMPLE
    with pytest.raises(ValueError):
        check(EXAMPLE.replace(old, new, 1))


# A fault planted in any number of real working is found: one more than the true result never passes.
def test_check_refuses_in_real_documents():
    for document in some("validation", 100):
        for match in re.finditer(r"= (\d+)(?![.\d]*\d)", document):
            wrong = document[: match.start(1)] + str(int(match[1]) + 1) + document[match.end(1) :]
            with pytest.raises(ValueError):
                check(wrong)


# The evaluator does sums and nothing else.
def test_evaluate():
    assert evaluate("2 * (3 + 4) / 4") == Fraction(7, 2) and evaluate("0.1 + 0.2") == Fraction(3, 10)
    for bad in ("2 ** 3", "__import__('os')", "a + 1", "1 / 0", "2 +", "'2'"):
        with pytest.raises(ValueError):
            evaluate(bad)


# The text depends on nothing but seed and index: another process with another hash seed writes the same.
def test_same_in_another_process():
    code = "from mtp_explore.corpora.arithmetic import problem\nprint('\\n'.join(map(problem, range(300))))"
    for seed in ("1", "2"):
        environment = {"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)}
        printed = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True).stdout
        assert sha256(printed).digest() == sha256(("\n".join(map(problem, range(300))) + "\n").encode()).digest()


# A document lies in the split its own text hashes to, and the first of each split come in the order of their index.
def test_splits():
    for split in SPLITS:
        assert all(split_of(document) == split for document in some(split, 100))
    drawn = [problem(index) for index in range(400)]
    for split in SPLITS:
        of_split = [document for document in drawn if split_of(document) == split]
        assert of_split and some(split, len(of_split)) == of_split
    with pytest.raises(ValueError, match="train"):
        next(iter(Arithmetic().documents("dev")))
    assert DOCUMENTS == 40_000


# Little boilerplate: fewer than 5 % of the word 8-grams of 1,000 documents occur in another 1,000.
def test_little_overlap():
    documents = [problem(index) for index in range(2000)]
    assert len(set(documents)) == 2000
    known = set(ngrams(documents[:1000]))
    others = list(ngrams(documents[1000:]))
    assert sum(gram in known for gram in others) / len(others) < 0.05
