"""The corpus "stories": its law is exact, its documents agree with themselves, its figures hold."""

import hashlib
import math
import random
import subprocess
import sys
from itertools import islice

import pytest

from mtp_explore.corpora.splits import SPLITS, split_of
from mtp_explore.corpora.stories import END, Stories, lexicons, repeated, text, words
from mtp_explore.corpora.stories_automaton import Call, Choice, Grammar, Slot
from mtp_explore.corpora.stories_words import WORDS


@pytest.fixture(scope="module")
def stories():
    return Stories()


@pytest.fixture(scope="module")
def train(stories):
    return list(islice(stories.documents("train"), 2000))


def sentences(grammar, seed, script):
    """One text of a script over shared variables, with all its agreements (a story cut down to chosen scenes)."""
    short = Grammar.__new__(Grammar)
    short.__dict__.update(grammar.__dict__)
    short.start = grammar._parse(script), 0, None
    return short.sample(random.Random(seed))


# The law of the next word sums to one after every prefix, and the document's probability is the product of its words'.
def test_law_sums_to_one_and_multiplies(stories, train):
    for document in train[:2]:
        belief, total = stories.start(), 0.0
        for word in words(document):
            law = belief.law()
            assert abs(math.fsum(law.values()) - 1) < 1e-12
            assert min(law.values()) > 0
            total += math.log(law[word])
            belief = belief.advance(word)
        law = belief.law()
        logs = stories.log_law(words(document))
        assert len(logs) == len(words(document)) + 1
        assert math.isclose(sum(logs), total + math.log(law[END]), rel_tol=1e-12)


# On a grammar small enough to list every document, the filter's law is the law of that list: articles, hidden gender,
# remembered entries, options and alternatives with a common beginning included.
def test_law_equals_enumeration():
    tables = {"role": {"any": "actor, baker"}, "fruit": {"any": "apple, egg cup, pear"}}
    rules = {
        "story": ["<who> saw [a|a {fruit} and] {fruit}.", "{role} saw a {~fruit} [|and {~fruit}]."],
        "who": ["a {role}, {role.he}, too,", "{role}"],
    }
    grammar = Grammar(rules, lexicons(tables | {"thing": {}}), {"role": "role", "fruit": "fruit"})
    listed = {}

    def write(items, env, done, weight):
        if not items:
            out = [
                ("an" if n[:1] in "aeiou" else "a") if w is None else w
                for w, n in zip(done, [*done[1:], ""], strict=True)
            ]
            listed[tuple(out)] = listed.get(tuple(out), 0) + weight
            return
        item, rest = items[0], items[1:]
        if isinstance(item, str):
            write(rest, env, [*done, item], weight)
        elif isinstance(item, Slot):
            known = env.get(item.variable) if item.variable is not None else None
            taken = {e.key for e in env.values() if e.kind == item.kind}
            free = [e for e in grammar.lexicons[item.kind] if e.key not in taken]
            options = [known] if known else free
            for entry in options:
                bound = env if item.variable is None else env | {item.variable: entry}
                write(rest, bound, done + entry.forms[item.form].items, weight / len(options))
        elif isinstance(item, (Choice, Call)):
            options = (item if isinstance(item, Choice) else grammar.rules[item.rule]).alternatives
            for option in options:
                write(option.items + rest, env, done, weight / len(options))
        else:
            write(rest, env, [*done, None], weight)

    write(grammar.start[0].items, {}, [], 1.0)
    assert len(listed) > 40 and math.isclose(sum(listed.values()), 1)
    states = {}
    for document, weight in listed.items():
        for i in range(len(document) + 1):
            after = states.setdefault(document[:i], {})
            word = document[i] if i < len(document) else END
            after[word] = after.get(word, 0) + weight
    for prefix, after in states.items():
        beliefs = {(grammar.start, grammar.blank): 1.0}
        for word in (*prefix, None):
            steps = [s for (cont, env), w in beliefs.items() for s in grammar.expand(cont, env, w)]
            if word is None:
                break
            beliefs = {}
            for shown, cont, env, weight in steps:
                if shown == word:
                    beliefs[cont, env] = beliefs.get((cont, env), 0) + weight
        law = {word: sum(s[3] for s in steps if s[0] == word) for word in {s[0] for s in steps}}
        assert law.keys() == after.keys()
        assert all(math.isclose(law[word], after[word], rel_tol=1e-12) for word in law)


# The sampler and the law are written apart: frequencies of first words, and of words after "Nobody in", are the law's.
def test_sampler_follows_the_law(stories):
    rng, n = random.Random(5), 6000
    samples = [stories.sample(rng) for _ in range(n)]
    for prefix in ([], ["In"], ["Nobody", "in"]):
        law = stories.next_word_law(prefix)
        drawn = [s[len(prefix)] for s in samples if s[: len(prefix)] == prefix]
        assert len(drawn) > 100 and set(drawn) <= set(law)
        chi2 = sum((drawn.count(w) - len(drawn) * p) ** 2 / (len(drawn) * p) for w, p in law.items())
        assert abs(chi2 - (len(law) - 1)) < 6 * math.sqrt(2 * len(law)) + 6


# Surprise and entropy agree: along samples, -log p(word) minus the entropy of the law there has mean zero.
def test_surprise_is_the_entropy(stories):
    rng, gaps = random.Random(11), []
    for _ in range(6):
        belief, gap = stories.start(), 0.0
        for word in [*stories.sample(rng), END]:
            law = belief.law()
            gap += -math.log2(law[word]) + math.fsum(p * math.log2(p) for p in law.values())
            belief = belief.advance(word) if word != END else belief
        gaps.append(gap)
    mean = sum(gaps) / len(gaps)
    spread = math.sqrt(sum((g - mean) ** 2 for g in gaps) / (len(gaps) - 1) / len(gaps))
    assert abs(mean) < 5 * spread and spread < 20


# Beliefs never change: two continuations of one belief do not disturb each other, and prefixes may come in any order.
def test_beliefs_are_independent(stories, train):
    first, second = words(train[0])[:30], words(train[1])[:30]
    alone = [stories.start().advance(w[0]).law() for w in (first, second)]
    root = stories.start()
    assert [root.advance(w[0]).law() for w in (first, second)] == alone
    whole = stories.next_word_law(first)
    assert stories.next_word_law(second) != whole == stories.next_word_law(first)


# Text and words are two writings of one thing.
def test_round_trip(train):
    assert all(text(words(d)) == d for d in train)
    assert text(['"', "No", ",", '"', "said", "Mia", "."]) == '"No," said Mia.'


# A promise made at the start is the one kept or broken at the end: same deed, same deadline, same two people.
def test_promise_comes_back(stories):
    deeds = {e.key: " ".join(e.forms["past"].items) for e in stories.grammar.lexicons["deed"]}
    for seed in range(60):
        start = sentences(stories.grammar, seed, "{hero} promised {friend} to {deed} before {deadline}. <kept>")
        story = " ".join(start)
        deed = story.split(" to ", 1)[1].split(" before ")[0]
        assert deeds[deed] in story.split(" . ", 1)[1]
    for seed in range(60):
        story = " ".join(sentences(stories.grammar, seed, "{hero} promised {friend} to {deed} by {deadline}. <broken>"))
        deed = story.split(" to ", 1)[1].split(" by ")[0]
        end = story.split(" . ", 1)[1]
        assert deed in end or deeds[deed] in end or "broke" in end


# What was found is what is given back, to the one who lost it, with the same adjective where there is one.
def test_found_object_comes_back(stories):
    for seed in range(80):
        script = "{hero} met {friend} near a {place2}. {hero} found: {look}, {thing}. <return>"
        story = " ".join(sentences(stories.grammar, seed, script))
        opening, end = story.split(" . ", 2)[0], story.split(" . ", 2)[2]
        look, thing = story.split("found : ")[1].split(" . ")[0].split(" , ")
        friend = opening.split(" met ")[1].split(" near ")[0]
        assert thing in end
        assert friend in end or end.startswith('" my')
        assert f"the {look} {thing}" in end or look not in end or look in end.split()


# Who holds what is kept straight through a chain of trades: what is given is what was held, and the wish comes true.
def test_trades_are_consistent(stories):
    things = [entry.key for entry in stories.grammar.lexicons["thing"]]

    def named(part):
        return {thing for thing in things if f" {thing} " in f" {part} "}

    for seed in range(80):
        script = "{hero} {friend} / <own> / {look3} {thing3} / <swap> / {thing2} / <swap2> / <count>"
        story = " ".join(sentences(stories.grammar, seed, script))
        names, own, wish, swap, second, swap2, end = story.split(" / ")
        first, third = named(own) & named(swap), named(wish) & named(swap2)
        assert names.split()[1] in swap and first and third
        assert named(second) & named(swap) & named(swap2)
        assert (named(end) & third) or (named(end) & named(second))


# Pronouns agree with the name's gender, whoever else is in the story.
def test_pronouns_agree(stories):
    girls = {e.key for e in stories.grammar.lexicons["person"] if e.group == "girl"}
    pattern = "{hero} lost {hero.his} way; {hero.he} asked {friend}. {friend.he} helped {hero.him}, the {hero.girl}."
    for seed in range(100):
        s = sentences(stories.grammar, seed, pattern)
        hero, friend = s[0], s[s.index("asked") + 1]
        assert (s[2], s[5], s[11], s[14]) == (
            ("her", "she", "her", "girl") if hero in girls else ("his", "he", "him", "boy")
        )
        assert s[9] == ("she" if friend in girls else "he")
        assert hero != friend


# A choice of the past rules the law far ahead: after "a brave girl named" only girls' names are possible.
def test_law_knows_the_gender(stories):
    belief = stories.start()
    for word in words("In Ashford lived a brave girl named"):
        belief = belief.advance(word)
    names, girls = set(belief.law()), {e.key for e in stories.grammar.lexicons["person"] if e.group == "girl"}
    assert names == girls


# Every rule, slot and form named in a template exists, so no document can fail while it is written.
def test_grammar_is_complete(stories):
    grammar, called = stories.grammar, {"story"}

    def walk(seq):
        for item in seq.items:
            if isinstance(item, Slot):
                assert all(e.forms[item.form].items for e in grammar.lexicons[item.kind]), (item.kind, item.form)
            elif isinstance(item, Call):
                groups = {e.group for e in grammar.lexicons["thing"]}
                called.update([item.rule] if item.variable is None else {f"{item.rule}.{g}" for g in groups})
            elif isinstance(item, Choice):
                for alternative in item.alternatives:
                    walk(alternative)

    for rule in grammar.rules.values():
        for template in rule.alternatives:
            walk(template)
    assert called == set(grammar.rules)


# The same documents in every process, whatever the hash seed.
def test_deterministic_across_processes(train):
    code = (
        "import hashlib; from itertools import islice; from mtp_explore.corpora.stories import Stories;"
        "c = Stories(); d = list(islice(c.documents('train'), 50));"
        "print(hashlib.sha256('\\n'.join(d).encode()).hexdigest(), repr(sum(c.next_word_law([]).values())))"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1]
    assert runs[0].split()[0] == hashlib.sha256("\n".join(train[:50]).encode()).hexdigest()


# The corpus is frozen: trained models and their cards rest on exactly these documents.
def test_frozen(train):
    digest = hashlib.sha256("\n".join(train[:200]).encode()).hexdigest()
    assert digest == "b43a13afa2c51327f78725c252015e6e1282201569cfa5d425948f2a3b0e985f"


# Splits are disjoint, and each text lies where its hash says.
def test_splits(stories):
    found = {split: set(islice(stories.documents(split), 40)) for split in SPLITS}
    assert all(split_of(d) == split for split, some in found.items() for d in some)
    assert not (found["train"] & found["test"]) and not (found["train"] & found["validation"])
    with pytest.raises(ValueError, match="split='dev': .*'train', 'validation', 'test'"):
        stories.documents("dev")


# Rich, not repetitive: no duplicate, few shared 8-grams, a length fit for small models, at least 3 bits per word.
def test_figures(stories, train):
    assert len(set(train)) == len(train)
    assert repeated(train[:1000], train[1000:]) < 0.05
    lengths = [len(words(d)) for d in train]
    assert min(lengths) >= 80 and sum(n > 220 for n in lengths) < 0.01 * len(lengths)
    assert len({w for d in train for w in words(d)}) > 1500
    rate, half = stories.entropy(train[:8])
    assert 2.8 < rate < 3.4 and 0 < half < 0.4


# What the grammar cannot write is refused with the place and the word, never scored.
def test_impossible_prefix(stories, train):
    with pytest.raises(ValueError, match="word 1 is 'zebra'"):
        stories.next_word_law(["In", "zebra"])
    with pytest.raises(ValueError, match="cannot end after 10 words"):
        stories.log_law(words(train[0])[:10])
    with pytest.raises(ValueError, match="at least 2"):
        stories.entropy(train[:1])
    with pytest.raises(ValueError, match="unmatched"):
        Grammar({"story": ["a b] c"]}, lexicons(WORDS), {})
