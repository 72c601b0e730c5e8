"""A grammar with memory as a left-to-right automaton: templates, sampling, and the expansion of one state.

Templates are plain English with four marks, expanded strictly from left to right:
    [a|b|]        one alternative, all equally likely (an empty one makes the rest optional)
    {hero}        the entry bound to `hero`, drawn and bound now if there is none.  {hero.his}: another form
    {~food}       an entry of the lexicon `food`, drawn afresh and forgotten
    <rule>        a rule: one of its templates.  <rule:thing>: the rule named "rule.<group of thing>"
The word "a" stands for the article and becomes "an" by the word that follows.

A state is (cont, env): what is still to be written, as a linked stack `(sequence, position, parent)`, and the
entry bound to every variable.  Nothing else is remembered, so ways of reaching the same state merge: their
weights add up.
"""

import re
from dataclasses import dataclass

END = ""
MARKS = re.compile(r"\[|\]|\||\{[^}]*\}|<[^>]*>|[A-Za-z]+(?:['-][A-Za-z]+)*|[.,!?;:\"]|\S")
VOWEL = re.compile(r"(?i)(?!uni(?![nm])|use|uku|one|eu)[aeiou]|hour|honest|heir")


class Seq:
    """Items to be written one after another; compared by identity."""

    def __init__(self, items):
        self.items = items


class Article:
    """The indefinite article, written by the sound of the next word."""


@dataclass(eq=False)
class Guard:
    """Set by an article already written: the next word must (not) begin with a vowel."""

    vowel: bool


@dataclass(eq=False)
class Choice:
    alternatives: list


@dataclass(eq=False)
class Call:
    rule: str
    variable: int | None


@dataclass(eq=False)
class Slot:
    kind: str
    variable: int | None
    form: str


@dataclass(eq=False)
class Entry:
    """One line of a lexicon: `forms` maps a form's name ("" is the plain one) to its words."""

    key: str
    kind: str
    group: str
    forms: dict


GUARDS = {vowel: Seq([Guard(vowel)]) for vowel in (False, True)}


class Grammar:
    """Rules and lexicons, ready to be sampled and expanded.

    rules: name -> list of templates; "story" is the start.  lexicons: kind -> list of Entry.
    variables: name -> kind; two variables of one kind are never bound to entries of the same key.
    """

    def __init__(self, rules, lexicons, variables):
        self.lexicons = lexicons
        self.kinds = variables
        self.index = {name: i for i, name in enumerate(variables)}
        self.rules = {name: Choice([self._parse(t) for t in templates]) for name, templates in rules.items()}
        self.start = Seq([Call("story", None)]), 0, None
        self.blank = (None,) * len(variables)

    def _parse(self, template):
        marks = MARKS.findall(template)
        seq, at = self._sequence(marks, 0)
        if at != len(marks):
            raise ValueError(f"template has an unmatched {marks[at]!r}: {template!r}")
        return seq

    def _sequence(self, marks, at):
        items = []
        while at < len(marks) and marks[at] not in "|]":
            if marks[at] == "[":
                alternatives, mark = [], "|"
                while mark == "|":
                    seq, at = self._sequence(marks, at + 1)
                    alternatives.append(seq)
                    mark = marks[at]
                items.append(Choice(alternatives))
            else:
                items.append(self._item(marks[at]))
            at += 1
        return Seq(items), at

    def _item(self, mark):
        if mark[0] == "<":
            rule, _, variable = mark[1:-1].partition(":")
            return Call(rule, self.index[variable] if variable else None)
        if mark[0] == "{":
            name, _, form = mark[1:-1].partition(".")
            if name[0] == "~":
                return Slot(name[1:], None, form)
            return Slot(self.kinds[name], self.index[name], form)
        return Article() if mark == "a" else mark

    def choice(self, call, env):
        """The alternatives behind a call, given what is bound."""
        return self.rules[call.rule if call.variable is None else f"{call.rule}.{env[call.variable].group}"]

    def entries(self, slot, env):
        """The entries a slot can take: the bound one, or every entry bound to no variable."""
        if slot.variable is not None and env[slot.variable] is not None:
            return (env[slot.variable],)
        taken = {e.key for e in env if e is not None and e.kind == slot.kind}
        every = self.lexicons[slot.kind]
        return [e for e in every if e.key not in taken] if taken else every

    def sample(self, rng):
        """One document as a list of words, drawn with `rng.random()` alone."""
        env, words, stack = list(self.blank), [], [*reversed(self.start[0].items)]
        while stack:
            item = stack.pop()
            if type(item) is str:
                words.append(item)
            elif type(item) is Slot:
                entries = self.entries(item, env)
                entry = entries[int(rng.random() * len(entries))] if len(entries) > 1 else entries[0]
                if item.variable is not None:
                    env[item.variable] = entry
                words.extend(entry.forms[item.form].items)
            elif type(item) is Article:
                words.append(item)
            else:
                choices = (item if type(item) is Choice else self.choice(item, env)).alternatives
                stack.extend(reversed(choices[int(rng.random() * len(choices))].items))
        following = words[1:] + [""]
        return [w if type(w) is str else article(VOWEL.match(n)) for w, n in zip(words, following, strict=True)]

    def expand(self, cont, env, weight):
        """Every (word, cont, env, weight) that one state leads to; the weights add up to `weight`."""
        found, stack = [], [(cont, env, weight)]
        while stack:
            cont, env, weight = stack.pop()
            if cont is None:
                found.append((END, None, env, weight))
                continue
            seq, at, parent = cont
            if at == len(seq.items):
                stack.append((parent, env, weight))
                continue
            item = seq.items[at]
            rest = (seq, at + 1, parent) if at + 1 < len(seq.items) else parent
            if type(item) is str:
                found.append((item, rest, env, weight))
            elif type(item) is Slot:
                entries = self.entries(item, env)
                share, variable = weight / len(entries), item.variable
                for entry in entries:
                    bound = env if variable is None else (*env[:variable], entry, *env[variable + 1 :])
                    form = entry.forms[item.form]
                    found.append((form.items[0], (form, 1, rest) if len(form.items) > 1 else rest, bound, share))
            elif type(item) is Article:
                nexts = self.expand(rest, env, weight)
                for vowel in (False, True):
                    mass = sum(n[3] for n in nexts if bool(VOWEL.match(n[0])) == vowel)
                    if mass:
                        found.append((article(vowel), (GUARDS[vowel], 0, rest), env, mass))
            elif type(item) is Guard:
                nexts = [n for n in self.expand(rest, env, 1.0) if bool(VOWEL.match(n[0])) == item.vowel]
                mass = sum(n[3] for n in nexts)
                found.extend((w, c, e, weight * p / mass) for w, c, e, p in nexts)
            else:
                choices = (item if type(item) is Choice else self.choice(item, env)).alternatives
                stack.extend(((seq, 0, rest), env, weight / len(choices)) for seq in choices)
        return found


def article(vowel):
    """The indefinite article before a word that does (not) begin with a vowel."""
    return "an" if vowel else "a"
