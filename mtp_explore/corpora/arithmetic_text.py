"""From a template to sentences, and from worked equations back to a verdict.

Template:  [this|that] one of the alternatives, drawn evenly (they nest)
           {k}         a value        {thing}    the plural of a noun    {A he} {A his} {A him}  a person's pronouns
           {k thing}   "3 apples"     {a thing}  "an apple"              {one thing}             "apple"
           {x = k * p} the worked equation "3 * 7 = 21", and x is 21 from here on
A noun that is no value stands for itself: {k day} is "3 days"; "_" is a space in it.
"""

import ast
import operator
import re
from fractions import Fraction
from functools import cache

from mtp_explore.corpora.arithmetic_words import Noun, Person, article, noun

OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}
SPELLED = dict(enumerate("two three four five six seven eight nine ten eleven twelve".split(), start=2))
NUMBER = r"\d+(?:\.\d+)?"
OPERAND = rf"\(*{NUMBER}\)*"
SIDE = rf"{OPERAND}(?: [-+*/] {OPERAND})*"
EQUATION = re.compile(rf"(?<![\w.]){SIDE}(?: = {SIDE})+")


def evaluate(expression: str) -> Fraction:
    """Exact value of an expression of numbers, + - * / and parentheses.  Raises ValueError for anything else."""

    def value(node):
        if isinstance(node, ast.Expression):
            return value(node.body)
        if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
            return OPERATORS[type(node.op)](value(node.left), value(node.right))
        if isinstance(node, ast.Constant) and type(node.value) in (int, float):
            return Fraction(ast.get_source_segment(expression, node))
        raise ValueError(f"cannot evaluate {expression!r}: only numbers, + - * / and parentheses are known")

    try:
        return value(ast.parse(expression, mode="eval"))
    except (SyntaxError, ZeroDivisionError) as error:
        raise ValueError(f"cannot evaluate {expression!r}: {error}") from None


def digits(value: Fraction) -> str:
    """A number in digits, exactly: "84" or "2.35".  Raises ValueError where no decimal of four places is exact."""
    value = Fraction(value)
    if value.denominator == 1:
        return str(value.numerator)
    if 10_000 % value.denominator:
        raise ValueError(f"{value} has no short exact decimal: draw numbers that divide")
    return f"{float(value):.4f}".rstrip("0")


@cache
def parse(template: str) -> tuple:
    """The template as a sequence of str (text), ("slot", content) and ("pick", (sequence, ...))."""
    tokens = iter(re.findall(r"[\[\]|]|\{[^}]*\}|[^][|{}]+", template))

    def sequence(closing):
        branches, branch = [], []
        for token in tokens:
            if token == "[":
                branch.append(("pick", tuple(sequence("]"))))
            elif token == "|":
                branches.append(tuple(branch))
                branch = []
            elif token == closing:
                break
            else:
                branch.append(("slot", token[1:-1]) if token[0] == "{" else token)
        return [*branches, tuple(branch)]

    (whole,) = sequence("")
    return whole


def write(template: str, values: dict, rng, spell: bool = False) -> str:
    """The template with its alternatives drawn by `rng` and its slots filled from `values` (equations add to it)."""

    def run(parts):
        for part in parts:
            if isinstance(part, str):
                yield part
            elif part[0] == "slot":
                yield slot(part[1], values, spell)
            else:
                yield from run(part[1][int(rng.random() * len(part[1]))])

    text = re.sub(r"\s+", " ", "".join(run(parse(template)))).strip()
    return re.sub(r"(?:^|(?<=[.?!] ))[a-z]", lambda m: m[0].upper(), text)


def slot(content: str, values: dict, spell: bool) -> str:
    """What one pair of braces says."""
    if "=" in content:
        name, formula = (side.strip() for side in content.split("="))
        shown = re.sub(r"[A-Za-z]\w*", lambda m: digits(values[m[0]]), formula)
        values[name] = evaluate(shown)
        return f"{shown} = {digits(values[name])}"
    first, _, second = content.partition(" ")
    if first in ("a", "one"):
        word = values.get(second) or noun(second.replace("_", " "))
        word = word if isinstance(word, str) else word.one
        return article(word) if first == "a" else word
    value = values[first]
    if isinstance(value, Person):
        return getattr(value, second or "name")
    if isinstance(value, str):
        return value
    if isinstance(value, Noun):
        return value.many
    if not second:
        return digits(value)
    word = values.get(second) or noun(second.replace("_", " "))
    count = SPELLED.get(value, digits(value)) if spell else digits(value)
    return f"{count} {word.one if value == 1 else word.many}"


def check(document: str) -> None:
    """Raises ValueError unless every equation of a document holds and its answer is what the working arrives at.

    Each number of the line "Answer: ..." must be the result of an equation, and the last result must be among them.
    """
    working, found, answer = document.rpartition("\nAnswer: ")
    if not found:
        raise ValueError(f"no line 'Answer: ...' in the document {document[:60]!r}")
    results, signs = [], 0
    for match in EQUATION.finditer(document):
        sides = match[0].split(" = ")
        if match.string[: match.start()].rstrip().endswith(tuple("+-*/=(")):
            raise ValueError(f"cannot read the equation before {match[0]!r}: write numbers, + - * / and =, with spaces")
        values = [evaluate(side) for side in sides]
        if len(set(values)) > 1:
            raise ValueError(f"wrong equation {match[0]!r}: {' is not '.join(digits(v) for v in values)}")
        results.append(values[-1])
        signs += len(sides) - 1
    if not results or signs != document.count("="):
        raise ValueError(f"{document.count('=')} signs '=', {signs} of them in readable equations: write 'a + b = c'")
    said = [Fraction(number) for number in re.findall(NUMBER, answer)]
    if not set(said) <= set(results) or results[-1] not in said:
        raise ValueError(f"answer {answer!r} differs from the last worked result {digits(results[-1])}")
