"""Kinds of problem about work rates, tanks, temperature, weights and units."""

from mtp_explore.corpora import arithmetic_words as words
from mtp_explore.corpora.arithmetic_kinds import a_good, kind
from mtp_explore.corpora.arithmetic_text import noun


@kind("""
    story: {n who} make {x t} in {h hour} [at the {place}|for {A}]. All work [equally|just as] fast.
    story: [At the {place},|For {A},] {n who} finish {x t} within {h hour}, each at the same
           [pace|rate].
    story: {A} [rents|hires] {n who}. [Together|In {town}] they make {x t} in {h hour}, all equally
           fast.
    asks: How many {t} do {m who} make in {k hour}?
    asks: How many {t} [come|can come] from {m who} in {k hour}?
    works: [All {n}|Together they] make {y = x / h} an hour, one makes {p = y / n}. So {m} in {k} hours:
           {s = m * k * p} {t}.
    works: Per hour {y = x / h}, [and|that is] per {one who} {p = y / n}; [then|for the others]
           {s = p * m * k} {t}.
    answer: {s t}.
""")
def work_rate(rng):
    n, m = rng.sample(range(2, 10), 2)
    h, k, p = rng.randint(2, 8), rng.randint(2, 8), rng.randint(2, 9)
    who = noun(rng.choice(words.MAKES))
    return {"n": n, "m": m, "h": h, "k": k, "x": n * h * p, "t": a_good(rng), "who": who}


@kind("""
    story: A tank at the {place} holds {x litre} of {i}. {A} fills in {p litre} a minute, but {q} leak
           out [again|below].
    story: {A} [pours|pumps] {p litre} of {i} a minute into a tank for {x litre} [at the {place}|in
           {town}]; {q} a minute leak out.
    story: [For {B},|In {town},] {A} fills an empty tank of {x litre} with {i}: {p litre} a minute come
           in, {q} leak away.
    asks: [After|In] how many minutes is the {x}-litre tank full?
    asks: How many minutes [does {A} wait|must {A} fill] until it is full?
    works: [Each minute|Per minute] {d = p - q} litres stay. [It is full|Full] after {s = x / d}
           minutes.
    works: The tank gains {d = p - q} litres a minute and [needs|takes] {s = x / d} minutes.
    answer: {s minute}.
""")
def tank(rng):
    q, d, minutes = rng.randint(2, 15), rng.randint(3, 40), rng.randint(4, 40)
    return {"p": d + q, "q": q, "x": d * minutes, "i": rng.choice(words.LIQUIDS)}


@kind("""
    story: [At dawn|At night] it is {n degree} below zero in {town}. By noon it is {p degree}
           [warmer|milder], then it [falls|drops] by {q degree}, [notes|says] {A}.
    story: {A} reads {n degree} below zero [at the {place}|in {town}]. The air warms by {p degree} and
           then cools by {q}.
    story: On {weekday}, {town} [has|wakes to] {n degree} below zero. It rises by {p degree} before it
           falls by {q}.
    asks: How [warm|many degrees] is it in {town} [then|at last]?
    asks: What [temperature|number of degrees] does {A} [read|note] [then|last]?
    works: {n} of the {p} [lead|bring it] to zero, so {x = p - n} above. [Then|After the fall]
           {s = x - q} degrees.
    works: It rises to {x = p - n} and [sinks|falls] to {s = x - q} degrees.
    answer: {s degree}.
""")
def temperature(rng):
    n, rest, q = rng.randint(2, 14), rng.randint(2, 15), rng.randint(2, 9)
    return {"n": n, "p": n + q + rest, "q": q}


UNITS = (
    ("metre", "centimetre", 100, "rope"), ("kilogram", "gram", 1000, "flour"), ("hour", "minute", 60, "work"),
    ("kilometre", "metre", 1000, "road"), ("foot", "inch", 12, "ribbon"), ("week", "day", 7, "leave"),
    ("minute", "second", 60, "music"), ("day", "hour", 24, "rest"), ("litre", "millilitre", 1000, "juice"),
    ("pound", "ounce", 16, "cheese"), ("yard", "foot", 3, "cloth"), ("centimetre", "millimetre", 10, "wire"),
)  # fmt: skip


@kind("""
    story: {A} [has|counts on|asks for] {n big} and {m small} of {stuff} [at the {place}|in {town}].
    story: [For {B},|On {weekday},] {A} [notes|plans|orders] {n big} and {m small} of {stuff}.
    story: {A}'s [note|list|plan] [at the {place}|in {town}] [says|asks for] {n big} and {m small} of
           {stuff}.
    asks: How many {small} [is that|are they], when {a big} has {k}?
    asks: What is that in {small} ({k} to {a big})?
    works: {n} {big} are {x = n * k} {small}; [with the rest|in all] {s = x + m}.
    works: {x = n * k} {small}, and [{m} more make|then] {s = x + m} {small}.
    answer: {s small}.
""")
def units(rng):
    big, small, k, stuff = rng.choice(UNITS)
    return {
        "big": noun(big),
        "small": noun(small),
        "k": k,
        "stuff": stuff,
        "n": rng.randint(2, 15),
        "m": rng.randint(2, k - 1),
    }


@kind("""
    story: {A} has {x kilogram} of {i} and [fills|packs] bags of {k gram} [at the {place}|for {B}].
    story: [In {town},|On {weekday},] {A} [divides|weighs out] {x kilogram} of {i} in bags of {k gram}
           each.
    story: A sack with {x kilogram} of {i} [stands|lies] at the {place}. {A} [wants|makes] bags of
           {k gram}, {e} for {B}.
    asks: How many bags [has {A}|are there] [beside|without] {B}'s {e}?
    asks: How many bags stay with {A}, if {B} gets {e}?
    works: {y = x * 1000} grams [give|fill] {n = y / k} bags; [without {B}'s|then] {s = n - e}.
    works: [In grams|The weight is] {y = x * 1000}, [bags|in bags]: {n = y / k}. [Left|Rest]:
           {s = n - e}.
    answer: {s bag}.
""")
def bags_by_weight(rng):
    x, k = rng.randint(2, 12), rng.choice((100, 125, 200, 250, 400, 500))
    if x * 1000 % k:
        return None
    return {
        "x": x,
        "k": k,
        "i": rng.choice(words.INGREDIENTS),
        "e": rng.randint(2, max(2, x * 1000 // k - 2)),
    }


@kind("""
    story: {A} bakes {t} for {B}: a tray of {n} [bakes|needs] {m minute}, [always|only] one at a time.
           {A} needs {x t}.
    story: [At the {place},|On {weekday},] one tray takes {n t} and {m minute}. {A} bakes {x} with a
           single tray.
    story: {B} [orders|wants] {x t}. {A}'s only tray [holds|takes] {n} and [stays|is] in the oven for
           {m minute}.
    asks: How many minutes [for all {x}|does {A} bake]?
    asks: How [long|many minutes] [is {A} baking|do {x t} take]?
    works: It [takes|needs] {k = x / n} trays, [one after another|in turn] {s = k * m} minutes.
    works: {k = x / n} trays of {m} minutes [make|are] {s = k * m} minutes.
    answer: {s minute}.
""")
def oven(rng):
    n, k = rng.randint(4, 20), rng.randint(2, 9)
    return {"n": n, "x": n * k, "m": rng.randint(8, 45), "t": noun(rng.choice(BAKED))}


BAKED = (
    "bun",
    "muffin",
    "biscuit",
    "cookie",
    "tart",
    "pie",
    "bagel",
    "pretzel",
    "roll",
    "scone",
    "bread stick",
    "cupcake",
)
