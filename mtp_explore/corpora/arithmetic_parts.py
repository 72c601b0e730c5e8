"""Kinds of problem about fractions, percentages, ratios, recipes and averages."""

from mtp_explore.corpora import arithmetic_words as words
from mtp_explore.corpora.arithmetic_kinds import a_food, a_good, a_piece, kind, two
from mtp_explore.corpora.arithmetic_text import noun

FRACTIONS = {
    (2, 3): "two thirds", (3, 4): "three quarters", (2, 5): "two fifths", (3, 5): "three fifths",
    (4, 5): "four fifths", (5, 6): "five sixths", (2, 7): "two sevenths", (3, 7): "three sevenths",
    (4, 7): "four sevenths", (5, 7): "five sevenths", (3, 8): "three eighths", (5, 8): "five eighths",
    (7, 8): "seven eighths", (2, 9): "two ninths", (4, 9): "four ninths", (5, 9): "five ninths",
    (3, 10): "three tenths", (7, 10): "seven tenths",
}  # fmt: skip


def a_fraction(rng):
    (a, b), name = rng.choice(list(FRACTIONS.items()))
    return a, b, name


@kind("""
    story: {A} has {x t}, and {f} of them [are from {town}|come from {B}|are damaged|lie on the {place}
           table].
    story: Of {A}'s {x t}, {f} [are|were] [sold|bought|painted|found] [near|at] the {place} on
           {weekday}.
    story: {B} [sees|counts] {x t} [at the {place}|in {town}] and [takes|wants|marks] {f} of them.
    asks: What is {f} of {x}?
    asks: How many [{t} is that|of the {t} are these]?
    works: {x} in {b} equal parts: {p = x / b} [each|in one part]. [{g} of the parts|So {f}]:
           {s = p * g} {t}.
    works: One part of {b} is {p = x / b}, so {f} [are|make] {s = g * p} {t}.
    answer: {s t}.
""")
def fraction_of(rng):
    a, b, f = a_fraction(rng)
    return {"g": a, "b": b, "f": f, "x": b * rng.randint(3, 24), "t": a_piece(rng)}


@kind("""
    story: {A} [brings|buys|gets] {x t}. The {c} [eat|take] {f} of them [at the {place}|on {weekday}].
    story: [At the {place},|In {town},] {A} had {x t}, but {f} [went|were given] to {B}.
    story: {f} of {x t} [disappear|are sold] near the {place}; {A} [keeps|stores] the rest [in
           {town}|for {B}].
    asks: How many {t} [are left|remain]?
    asks: How many {t} [does {A} still have|stay with {A}]?
    works: One part [is|of {b} is] {p = x / b}. [Gone|Taken]: {y = p * g}. [Left|Rest]: {s = x - y} {t}.
    works: {p = x / b}, and {y = g * p} {t} are gone. [There remain|That leaves] {s = x - y} {t}.
    answer: {s t}.
""")
def rest_of_fraction(rng):
    a, b, f = a_fraction(rng)
    c = noun(rng.choice(words.CROWDS))
    return {"g": a, "b": b, "f": f, "x": b * rng.randint(3, 24), "t": a_food(rng), "c": c}


@kind("""
    story: {A} has {x t}. {A he} gives {f} to {B} and then half of the rest to {C} [at the {place}|on
           {weekday}].
    story: {f} of {x t} [go|are sent] to {B}, and half of what is left [goes|is sent] to {C}. {A}
           [keeps|stores] the others.
    story: From {x t} at the {place}, {B} takes {f}. {C} takes half of those [left|remaining], {A} the
           others.
    asks: How many {t} does {A} [have|get] [now|in the end]?
    asks: How many {t} [remain for|stay with] {A}?
    works: {B} gets {p = x / b}. [Left|Then there are]: {y = x - p}. Half [of that|of these]:
           {s = y / 2} {t}.
    works: {p = x / b} for {B}, {y = x - p} [left|after that], {s = y / 2} for {C} and as many for {A}.
    answer: {s t}.
""")
def fraction_then_half(rng):
    b, f = rng.choice(((3, "a third"), (4, "a quarter"), (5, "a fifth"), (6, "a sixth"), (10, "a tenth")))
    x = b * rng.randint(2, 24)
    return {"b": b, "f": f, "x": x, "t": a_piece(rng)} if (x - x // b) % 2 == 0 else None


@kind("""
    story: Of {x c} [in|from] {town}, {r} percent [like|know|visit] the {place}, [says|writes] {A}.
    story: {A} asks {x c} near the {place}; {r} percent of them [own|want|like] {t}.
    story: {r} percent of the {x c} [at the {place}|in {town}] [carry|bring|need] {t} on {weekday}.
    asks: How many {c} is that?
    asks: How many of the {c} [are they|does that mean]?
    works: One percent of {x} is {p = x / 100}; {r} percent [is|makes] {s = p * r}.
    works: {r} percent [means|is] {r} of 100: {y = x * r} and {s = y / 100} {c}.
    answer: {s c}.
""")
def percent_of(rng):
    x, r = 20 * rng.randint(2, 40), 5 * rng.randint(1, 19)
    return (
        {"x": x, "r": r, "c": noun(rng.choice(words.CROWDS)), "t": a_good(rng)}
        if x * r % 100 == 0 and r != 50
        else None
    )


@kind("""
    story: Of {x t} [at the {place}|in {town}], {k} are [sold|broken|{A}'s|new] [by|on] {weekday}.
    story: {A} [checks|tests|counts] {x t} from {town}; {k} [are good|pass|please {B}].
    story: {B} owns {x t}, and {k} of them [came|are] from {town}, [bought|found] by {A}.
    asks: What percentage is {k} of {x}?
    asks: How many percent [of the {t} is that|are {k} of {x}]?
    works: {y = k * 100}, [divided|shared] by {x}: {s = y / x} percent.
    works: {k} of {x}, times 100: {s = k * 100 / x} percent.
    answer: {s} percent.
""")
def what_percent(rng):
    x, k = rng.choice((20, 25, 40, 50, 60, 75, 80, 120, 150, 200, 250, 300, 400, 500)), rng.randint(3, 480)
    return {"x": x, "k": k, "t": a_good(rng)} if k < x and k * 100 % x == 0 else None


@kind("""
    story: {A} and {B} [share|split] {x t} in the ratio {g} to {b} [at the {place}|in {town}].
    story: {x t} [from|at] the {place} are [divided|shared] between {A} and {B} as {g} to {b}.
    story: For every {g t} that {A} gets, {B} gets {b}. [Together|In {town}] they [share|receive] {x} in
           this way.
    asks: How many {t} does {B} [get|receive]?
    asks: What is {B}'s [share|part] of the {t}?
    works: {n = g + b} parts; one [part is|of them is] {p = x / n}. {B}: {s = b * p} {t}.
    works: [There are|Count] {n = g + b} parts of {p = x / n}. {B} gets {b}: {s = p * b} {t}.
    answer: {s t}.
""")
def ratio(rng):
    a, b = rng.sample((2, 3, 4, 5, 6, 7, 8, 9), 2)
    if a % 2 == b % 2 == 0 or a % 3 == b % 3 == 0 or {a, b} == {4, 8}:
        return None
    return {"g": a, "b": b, "x": (a + b) * rng.randint(3, 20), "t": a_piece(rng)}


@kind("""
    story: {A}'s recipe for {n person} takes {g gram} of {i}. {A he} makes {dish} for {m} people at the
           {place}.
    story: {dish} for {n person} needs {g gram} of {i}. [On {weekday},|In {town},] {A} cooks for {m}
           people.
    story: [At the {place},|For {B},] {A} makes {dish} for {m person}. The [card|book] says {g gram} of
           {i} for {n}.
    asks: How many grams of {i} [are needed|does {A} need]?
    asks: What [weight|amount] of {i} [is that|goes in], in grams?
    works: One [portion|person] needs {p = g / n} grams. For {m}: {s = p * m} grams.
    works: {g} grams for {n} is {p = g / n} [each|per person]; {m} people need {s = m * p} grams.
    answer: {s gram}.
""")
def recipe(rng):
    n, m = rng.sample(range(2, 13), 2)
    return {
        "n": n, "m": m, "g": n * 5 * rng.randint(3, 24),
        "i": rng.choice(words.INGREDIENTS), "dish": rng.choice(words.DISHES),
    }  # fmt: skip


@kind("""
    story: {A} [mixes|stirs] {g litre} of {i} with {b litre} of {j}. [Later|For the {place}] {A he}
           needs {x litre} of the mixture.
    story: A [mixture|blend] at the {place} has {g litre} of {i} to {b litre} of {j}. {A} wants
           {x litre} of it.
    story: {B} [says|knows]: {g litre} of {i}, {b litre} of {j}. [In {town},|So] {A} makes {x litre} in
           this way.
    asks: How many litres of {j} [go in|are needed]?
    asks: How much {j} does {A} use, in litres?
    works: One batch has {n = g + b} litres, so {A} makes {k = x / n} [batches|times that]. {j}:
           {s = k * b} litres.
    works: {n = g + b} litres a batch, {k = x / n} batches, {s = b * k} litres of {j}.
    answer: {s litre}.
""")
def mixture(rng):
    a, b = rng.sample(range(2, 9), 2)
    i, j = rng.sample(words.LIQUIDS, 2)
    return {"g": a, "b": b, "i": i, "j": j, "x": (a + b) * rng.randint(2, 15)}


@kind("""
    story: {A} [counts|sells|finds] {g t} on Monday, {b} on Tuesday, {c} on Wednesday and {d} on
           Thursday [at the {place}|in {town}].
    story: Four {crowd} [bring|carry|make] {g}, {b}, {c} and {d t} [to|for] the {place} [on
           {weekday}|for {A}].
    story: {A} has {g t}, {B} has {b}, {C} has {c} and [the {one crowd}|their neighbour] has {d}.
    asks: What is the average number of {t}?
    asks: How many {t} on average [is that|are these]?
    works: The sum is {x = g + b + c + d}; [divided by four|the average is] {s = x / 4}.
    works: {x = g + b + c + d} [in all|together], so {s = x / 4} on average.
    answer: {s}.
""")
def average(rng):
    a, b, c, d = (rng.randint(2, 60) for _ in "abcd")
    if (a + b + c + d) % 4:
        return None
    return {"t": a_piece(rng), "g": a, "b": b, "c": c, "d": d}


@kind("""
    story: {A} [scores|has] {p}, {q} and {r} [points|marks] in three [tests|games] at the {place}, and
           wants an average of {m} [after|over] four.
    story: [Three|So far, three] [games|tests] in {town} gave {A} {p}, {q} and {r} points. [With|After]
           a fourth {A he} [wants|needs] {m} on average.
    story: {B} [needs|expects] {m} points on average [of {A}|from {A}] in four [games|tests]. The first
           three are {p}, {q}, {r}.
    asks: How many points does {A} [need|want] [next|then]?
    asks: What [score|result] does {A} need next?
    works: Four times {m}: {x = 4 * m}. [So far|Already]: {y = p + q + r}. [Missing|Needed]:
           {s = x - y}.
    works: {A} needs {x = m * 4} and has {y = p + q + r}, so {s = x - y} more.
    answer: {s point}.
""")
def average_goal(rng):
    p, q, r = (rng.randint(20, 95) for _ in "pqr")
    m = (p + q + r) // 3 + rng.randint(-4, 6)
    return {"p": p, "q": q, "r": r, "m": m} if 5 <= 4 * m - p - q - r <= 100 else None


@kind("""
    story: On {A}'s map one centimetre [is|means] {k unit}. {town} and the {place} lie {x centimetre}
           apart on it.
    story: A map [of|near] {town} shows {k unit} as one centimetre. {A} measures {x centimetre} to the
           {place}.
    story: {A} draws {town} so that {k unit} take one centimetre. From {B}'s house to the {place} it is
           {x centimetre}.
    asks: How many {unit} [are both ways|does {A} cover both ways]?
    asks: How many {unit} is the way [there and back|both ways]?
    works: One way: {y = x * k} {unit}. Both ways: {s = 2 * y} {unit}.
    works: {x} times {k} [gives|is] {y = x * k} {unit}, and [twice|double] that {s = y * 2} {unit}.
    answer: {s unit}.
""")
def map_scale(rng):
    unit = noun(rng.choice(("kilometre", "mile", "metre")))
    return {"k": rng.randint(2, 40), "x": rng.randint(2, 30), "unit": unit}


@kind("""
    story: {A} has {g t} and {b u}. {A he} [swaps|trades] them with {B}: {k v} for each {one t}, {m v}
           for each {one u}.
    story: At the {shop}, {B} gives {k v} for {a t} and {m v} for {a u}. {A} brings {g t} and {b u}.
    story: [In {town}|On {weekday}] {A} trades {g t} and {b u} for {v}: {k} for each {one t}, {m} for
           each {one u}.
    asks: How many {v} does {A} [get|receive]?
    asks: How many {v} is that [in all|altogether]?
    works: [For the {t}|First] {x = g * k}, [for the {u}|then] {y = b * m}, [together|in all]
           {s = x + y} {v}.
    works: {x = k * g} and {y = m * b} {v}: {s = x + y}.
    answer: {s v}.
""")
def barter(rng):
    t, u = two(rng, a_good)
    a, b, k, m = (rng.randint(2, 12) for _ in "abkm")
    return {"t": t, "u": u, "v": a_food(rng), "g": a, "b": b, "k": k, "m": m}
