"""Stories: a probabilistic grammar of our own, with long-range agreement and an exact next-word law.

A document is a list of words; punctuation marks are words of their own.  `text` joins them, `words` takes
them apart again.  The law is a filter (the forward algorithm): a `Belief` holds every state of the automaton
that agrees with the words so far, with its posterior weight; its law is the mean of the states' own laws.

`python -m mtp_explore.corpora.stories` prints three stories and the figures of the corpus.
"""

import math
import random
import re
from collections.abc import Iterable, Iterator
from hashlib import sha256
from itertools import islice

from mtp_explore.corpora.corpus import Corpus
from mtp_explore.corpora.splits import check_split, split_of
from mtp_explore.corpora.stories_automaton import END, Entry, Grammar, Seq
from mtp_explore.corpora.stories_plots import PLOTS
from mtp_explore.corpora.stories_scenes import SCENES, VARIABLES
from mtp_explore.corpora.stories_traits import TRAITS
from mtp_explore.corpora.stories_turns import TURNS
from mtp_explore.corpora.stories_words import WORDS

SEED = 2025
DOCUMENTS = 40_000
WORD = re.compile(r"[A-Za-z]+(?:['-][A-Za-z]+)*|[.,!?;:\"]")


def words(text: str) -> list[str]:
    """The words of a text; inverse of `text` on every document."""
    return WORD.findall(text)


def text(words: Iterable[str]) -> str:
    """One string: a space before a word, none before a mark, none just inside a pair of quotation marks."""
    out, glue, quoted = [], True, False
    for word in words:
        closing = word == '"' and quoted
        out.append(word if glue or closing or word in ".,!?;:" else " " + word)
        quoted ^= word == '"'
        glue = word == '"' and quoted
    return "".join(out)


PRONOUNS = {
    "girl": {"he": "she", "him": "her", "his": "her", "girl": "girl"},
    "boy": {"he": "he", "him": "him", "his": "his", "girl": "boy"},
}


def lexicons(tables: dict) -> dict[str, list[Entry]]:
    """kind -> entries.  A "role" is held by a woman or a man, which only a later pronoun can tell."""
    out = {}
    for kind, groups in tables.items():
        sexes = ("girl", "boy") if kind == "role" else (None,)
        out[kind] = [
            _entry(kind, sex or group, " ".join(line.split()))
            for group, lines in groups.items()
            for line in lines.split(",")
            for sex in sexes
        ]
    for group in ("wear", "toy"):
        out[group] = [entry for entry in out["thing"] if entry.group == group]
    return out


def _entry(kind, group, line):
    plain, _, past = line.partition(" / ")
    forms = {"": plain, "past": past, "s": plain + "'s"} | PRONOUNS.get(group, {})
    return Entry(plain, kind, group, {name: Seq(WORD.findall(f)) for name, f in forms.items()})


class Belief:
    """Every state that agrees with a prefix, with its posterior weight.  Never changes once made."""

    def __init__(self, grammar: Grammar, states: dict, length: int = 0, tail: tuple = ("", ""), quoted: bool = False):
        self.states, self.length = states, length
        self._grammar, self._tail, self._quoted, self._next = grammar, tail, quoted, None

    def _branches(self):
        """word -> every (word, cont, env, weight) that writes it next, not merged yet; computed once."""
        if self._next is None:
            self._next = {}
            capital = _capital(*self._tail, self._quoted)
            for (cont, env), weight in self.states.items():
                for step in self._grammar.expand(cont, env, weight):
                    shown = step[0][:1].upper() + step[0][1:] if capital else step[0]
                    self._next.setdefault(shown, []).append(step)
        return self._next

    @property
    def key(self) -> tuple:
        """What all later laws follow from: equal keys, equal laws (weights count to 12 decimals)."""
        states = frozenset((state, round(weight, 12)) for state, weight in self.states.items())
        return states, _capital(*self._tail, self._quoted), self._tail[0] == ".", self._quoted

    def law(self) -> dict[str, float]:
        """Probability of every possible next word; END ("") ends the document."""
        return {word: math.fsum(step[3] for step in branch) for word, branch in self._branches().items()}

    def probability(self, word: str) -> float:
        """The law of one word, 0 where the grammar cannot write it."""
        return math.fsum(step[3] for step in self._branches().get(word, ()))

    def advance(self, word: str) -> "Belief":
        """The belief after one more word.  ValueError if the grammar cannot write it here."""
        branch = self._branches().get(word) if word != END else None
        if branch is None:
            likely = sorted(self.law().items(), key=lambda item: -item[1])[:3]
            raise ValueError(
                f"word {self.length} is {word!r}, impossible here; the grammar allows for example {likely}"
            )
        total, states = self.probability(word), {}
        for _, cont, env, weight in branch:
            states[cont, env] = states.get((cont, env), 0.0) + weight / total
        return Belief(self._grammar, states, self.length + 1, (word, self._tail[0]), self._quoted ^ (word == '"'))


def _capital(last: str, before: str, quoted: bool) -> bool:
    """Whether the next word opens a sentence: at the start, after a full stop, inside a new quotation."""
    if last == '"':
        return quoted or before == "."
    return last in ("", ".", "!", "?")


class Stories(Corpus):
    """The corpus "stories": 40,000 documents, number i drawn from (SEED, i), of about 80 to 200 words."""

    name = "stories"

    def __init__(self):
        self.grammar = Grammar(SCENES | PLOTS | TURNS, lexicons(WORDS | TRAITS), VARIABLES)
        self._start = self.start()
        self._latest = ((), self._start)

    def sample(self, rng: random.Random) -> list[str]:
        """One document as words, END not included."""
        out, last, before, quoted = [], "", "", False
        for word in self.grammar.sample(rng):
            shown = word[0].upper() + word[1:] if _capital(last, before, quoted) else word
            out.append(shown)
            last, before, quoted = shown, last, quoted ^ (shown == '"')
        return out

    def documents(self, split: str) -> Iterator[str]:
        """The texts of one split, in order, generated as they are asked for."""
        check_split(split)
        every = (text(self.sample(random.Random(f"{SEED}/{number}"))) for number in range(DOCUMENTS))
        return (document for document in every if split_of(document) == split)

    def start(self) -> Belief:
        """The belief before the first word."""
        return Belief(self.grammar, {(self.grammar.start, self.grammar.blank): 1.0})

    def next_word_law(self, prefix: Iterable[str]) -> dict[str, float]:
        """The exact law of the word after `prefix`.  Extending the last prefix asked costs only the new words."""
        prefix, (known, belief) = tuple(prefix), self._latest
        if prefix[: len(known)] != known:
            known, belief = (), self._start
        for word in prefix[len(known) :]:
            belief = belief.advance(word)
        self._latest = (prefix, belief)
        return belief.law()

    def log_law(self, words: Iterable[str]) -> list[float]:
        """Log probabilities (nats) of every word of a whole document given the words before it, END last."""
        belief, logs = self._start, []
        for word in words:
            following = belief.advance(word)
            logs.append(math.log(belief.probability(word)))
            belief = following
        if not belief.probability(END):
            raise ValueError(f"the document cannot end after {belief.length} words; give `words` of a whole document")
        return [*logs, math.log(belief.probability(END))]

    def entropy(self, documents: Iterable[str]) -> tuple[float, float]:
        """(bits per word, half-width of its 95 % interval): -log2 of the exact law, END counted as a word.

        The ratio of two means, bits and words per text, with the spread between texts (delta method).
        """
        bits, counts = [], []
        for document in documents:
            logs = self.log_law(words(document))
            bits.append(-sum(logs) / math.log(2))
            counts.append(len(logs))
        if len(bits) < 2:
            raise ValueError(f"documents={len(bits)}: the interval needs at least 2 documents")
        rate = sum(bits) / sum(counts)
        spread = sum((b - rate * c) ** 2 for b, c in zip(bits, counts, strict=True)) / (len(bits) - 1)
        return rate, 1.96 * math.sqrt(spread / len(bits)) / (sum(counts) / len(counts))


def repeated(first: Iterable[str], second: Iterable[str], n: int = 8) -> float:
    """Share of the word n-grams of `first` that occur anywhere in `second`."""
    seen = {gram for document in second for gram in _grams(words(document), n)}
    grams = [gram for document in first for gram in _grams(words(document), n)]
    return sum(gram in seen for gram in grams) / len(grams)


def _grams(words, n):
    return [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]


def main():
    """Three stories and the figures of the corpus."""
    corpus = Stories()
    train = list(islice(corpus.documents("train"), 2000))
    lengths = sorted(len(words(d)) for d in train)
    print("\n\n".join(train[:3]), end="\n\n")
    print(f"words per document: 1 % {lengths[20]}, median {lengths[1000]}, 99 % {lengths[1980]}")
    print(f"distinct words {len({w for d in train for w in words(d)})}, distinct documents {len(set(train))}")
    print(f"8-grams of 1,000 documents found in another 1,000: {repeated(train[:1000], train[1000:]):.2%}")
    rate, half = corpus.entropy(train[:200])
    print(f"bits per word: {rate:.3f} +- {half:.3f} (200 documents)")
    print("sha256 of the first 200:", sha256("\n".join(train[:200]).encode()).hexdigest())


if __name__ == "__main__":
    main()
