"""Kinds of problem about numbers themselves: sequences, riddles, counting arguments."""

from mtp_explore.corpora import arithmetic_words as words
from mtp_explore.corpora.arithmetic_kinds import a_good, a_piece, kind
from mtp_explore.corpora.arithmetic_text import noun


@kind("""
    story: {A} [stacks|lays out] {t} at the {place}: {p} on day one, [later|afterwards] {d} more
           [every|each] day.
    story: [In {town}|For {B}] {A} [makes|paints|mends] {p t} on day one, then every day {d} more than
           the day before.
    story: Each day {A} [sells|brings] {d} more {t} than [before|the last]; it [begins|starts] with {p}
           [at the {place}|in {town}].
    asks: How many {t} is it on day {n}?
    asks: What is the number of {t} on day {n}?
    works: Up to day {n} there are {k = n - 1} steps, {x = k * d} more, so {s = p + x}.
    works: {k = n - 1} times {d} [more|is added]: {x = d * k}. [On that day|Then]: {s = x + p} {t}.
    answer: {s t}.
""")
def growing_sequence(rng):
    return {"p": rng.randint(2, 40), "d": rng.randint(2, 12), "n": rng.randint(4, 15), "t": a_good(rng)}


@kind("""
    story: {A} has {p t} on {d1}. [In {town}|At the {place}] the number doubles [every|each] day.
    story: On {d1} {B} [sees|counts] {p t} [at the {place}|in {town}]. [From then on they double
           daily|Each day they double], [says|writes] {A}.
    story: {A}'s {t} [double|become twice as many] each day; there are {p} on {d1} [at the {place}|in
           {town}].
    asks: How many {t} are there on {d4}?
    asks: [What|Which] number does {A} [see|expect] on {d4}?
    works: {d2}: {x = p * 2}. {d3}: {y = x * 2}. {d4}: {s = y * 2} {t}.
    works: First {x = 2 * p}, then {y = 2 * x}, on {d4} {s = 2 * y} {t}.
    answer: {s t}.
""")
def doubling(rng):
    i = rng.randrange(7)
    days = {f"d{k + 1}": words.DAYS[(i + k) % 7] for k in range(4)}
    return days | {"p": rng.randint(3, 75), "t": a_piece(rng)}


@kind("""
    story: {A} thinks of a number [at the {place}|near {town}], [multiplies|times] it by {k}, adds {p}
           and gets {x}, [says|writes] {B}.
    story: [On {weekday}|In {town}] {A} asks {B}: my number, taken {k} times and [then|made] larger by
           {p}, is {x}.
    story: {x} is what {A} [gets|has] after taking a number {k} times and adding {p} [at the {place}|for
           {B}].
    asks: What [is|was] the number?
    asks: [With which|From what] number did {A} start?
    works: [Backwards|Before adding]: {y = x - p}. [Divided by {k}|Then]: {s = y / k}.
    works: {y = x - p} is {k} times the number, [so it is|which is] {s = y / k}.
    answer: {s}.
""")
def think_of_a_number(rng):
    k, p, s = rng.randint(2, 12), rng.randint(2, 60), rng.randint(2, 50)
    return {"k": k, "p": p, "x": k * s + p}


@kind("""
    story: {A} and {B} have {x t} together [at the {place}|in {town}]. {A} has {d} more than {B}.
    story: {B} has {d t} fewer than {A}. [Together|Between them] they [bring|carry] {x} to {town}.
    story: [At the {place},|On {weekday},] {A} and {B} put {x t} together, {A} {d} more than {B}.
    asks: How many {t} does {A} have?
    asks: How many of the {t} are {A}'s?
    works: Without the {d} [more|extra] it is {y = x - d}; [half|each then] {p = y / 2}. {A}:
           {s = p + d}.
    works: {y = x - d}, half of it {p = y / 2} [is {B}'s|for {B}], and {s = p + d} [is {A}'s|for {A}].
    answer: {s t}.
""")
def sum_and_difference(rng):
    p, d = rng.randint(3, 60), rng.randint(2, 40)
    return {"x": 2 * p + d, "d": d, "t": a_piece(rng)}


@kind("""
    story: {A}'s farm near {town} has {two} and {four}. {B} counts {h} heads and {x} legs [on
           {weekday}|at noon].
    story: [Behind the {place}|In {town}] {A} keeps {four} and {two}, {h} animals with {x} legs.
    story: {h} heads and {x} legs: so many {two} and {four} does {A} [feed|count] [near the {place}|near
           {town}].
    asks: How many {four} are [there|among them]?
    asks: How many {four} does {A} have?
    works: [If all were|With only] {two}: {y = 2 * h} legs. [Too few by|Missing]: {d = x - y}. {four}:
           {s = d / 2}.
    works: {y = 2 * h} legs [for|are] two each. {d = x - y} more, two per {one four}: {s = d / 2}
           {four}.
    answer: {s four}.
""")
def heads_and_legs(rng):
    m, n = rng.randint(2, 40), rng.randint(2, 40)
    low = noun(rng.choice(("hen", "duck", "goose", "turkey", "pigeon", "quail", "swan")))
    high = noun(rng.choice(("goat", "sheep", "cow", "horse", "rabbit", "pig", "llama", "donkey", "dog", "cat")))
    return {"two": low, "four": high, "h": m + n, "x": 2 * m + 4 * n}


@kind("""
    story: {n c} [meet|come together] at the {place} [in {town}|on {weekday}], and everyone
           [greets|shakes hands with|writes to] each of the others, says {A}.
    story: In {A}'s chess club [near {town}|at the {place}], {n c} play; each pair [plays|meets] once,
           {e} games are already over.
    story: {A} wants a [string|wire] between every two of {n t} [at the {place}|for {B}]. {e} [hang|are
           there] already.
    asks: How many pairs [remain|are left] after {e}?
    asks: How many pairs [remain|are left], when {e} are done?
    works: {x = n * (n - 1)} [count|have] each pair twice, [half is|so] {y = x / 2}. [Left|Without {e}]:
           {s = y - e}.
    works: Pairs: {y = n * (n - 1) / 2}. [After|Without] {e} there are {s = y - e}.
    answer: {s}.
""")
def pairs(rng):
    return {
        "n": rng.randint(5, 20),
        "e": rng.randint(2, 8),
        "t": a_good(rng),
        "c": noun(rng.choice(words.CROWDS)),
    }


@kind("""
    story: [On three days in a row|Three days running] {A} [sells|finds] {t}, one more each day, {x} in
           all [at the {place}|in {town}].
    story: {A}, {B} and {C} have three consecutive numbers of {t}, {A} the smallest. [Together|In
           {town}] they have {x}.
    story: Three neighbouring [houses|doors] [in {town}|near the {place}] have consecutive numbers that
           [make|add up to] {x}; {A} lives in [one|the first].
    asks: What is the [largest|highest] of [the three|these numbers]?
    asks: Which [of the three|number] is the [greatest|largest]?
    works: The middle one is {m = x / 3}, the [largest|last] {s = m + 1}.
    works: {m = x / 3} [in the middle|on average], and one more [is|makes] {s = m + 1}.
    answer: {s}.
""")
def consecutive(rng):
    return {"x": 3 * rng.randint(4, 99), "t": a_piece(rng)}


@kind("""
    story: {A} [builds|lays] a triangle of {t} [at the {place}|in {town}]: [row one has one|one first],
           then two, [up to|until] row {n}, and {e} beside it.
    story: A heap of {t} [at the {place}|in {town}] has {n} rows: one, [below|then] two, [and so
           on|three below]. {A} [puts|sets] {e} beside it.
    story: [For {B},|On {weekday},] {A} sorts {t} in {n} rows, one, two, three [and more|and so on],
           with {e} [over|left].
    asks: How many {t} are [there|that] in all?
    asks: How many {t} does {A} [use|have]?
    works: The rows [hold|have] {x = n * (n + 1) / 2}; [with {e} more|in all] {s = x + e} {t}.
    works: {y = n * (n + 1)}, half of that {x = y / 2}, [and then|with the others] {s = x + e} {t}.
    answer: {s t}.
""")
def triangle_number(rng):
    return {"n": rng.randint(4, 20), "e": rng.randint(2, 30), "t": a_good(rng)}


@kind("""
    story: {A} has {n t}, {m u} and {k v}, and wears one of each [at the {place}|in {town}] every day in
           a new way.
    story: [For the {place}|On {weekday}] {A} [picks|chooses] one of {n t}, one of {m u} and one of
           {k v}.
    story: {n t}, {m u} and {k v} [hang|lie] in {A}'s [trunk|cupboard]. {A he} takes one of each to
           {town}.
    asks: How many [ways|choices] are there?
    asks: In how many ways can {A} choose?
    works: {x = n * m} ways for the {t} and {u}, [with the {v}|then] {s = x * k}.
    works: [First|For two of them] {x = n * m}, [then|for all three] {s = k * x} ways.
    answer: {s way}.
""")
def outfits(rng):
    wear = (
        "hat",
        "scarf",
        "coat",
        "shirt",
        "belt",
        "skirt",
        "ring",
        "cap",
        "jacket",
        "sweater",
        "badge",
        "tie",
        "vest",
        "cloak",
    )
    t, u, v = (noun(f"{rng.choice(words.COLOURS[:13])} {word}") for word in rng.sample(wear, 3))
    n, m, k = (rng.randint(2, 9) for _ in "nmk")
    return {"t": t, "u": u, "v": v, "n": n, "m": m, "k": k}


@kind("""
    story: A [bus|tram|train] [leaves|starts from] {town} with {x} people. At the {place} {p} get off
           and {q} get on; at the next stop {r} get off, [says|counts] {A}.
    story: {A} drives {x} people from {town}. {p} leave at the {place}, where {q} [join|get in]; {r}
           leave near {B}'s house.
    story: {x} people are [on the ferry|in the hall] with {A}. {p} leave, {q} come [at the {place}|from
           {town}], and {r} more leave.
    asks: How many people [are left|remain] with {A}?
    asks: How many [remain|are there] after {p} and {r} [left|went]?
    works: {y = x - p}, then {m = y + q}, [finally|at last] {s = m - r}.
    works: [Gone|Left]: {y = p + r}. [Came|New]: {q}. So {m = x + q} and {s = m - y}.
    answer: {s}.
""")
def passengers(rng):
    p, rest, q = rng.randint(2, 30), rng.randint(4, 60), rng.randint(2, 30)
    return {"x": p + rest, "p": p, "q": q, "r": rng.randint(2, rest + q - 2)}


@kind("""
    story: {A} [plays|throws rings] at the {place}: a [hit|win] gives {p} points, a [miss|loss] takes
           {q} away. {A he} has {n} of the first and {m} of the second.
    story: [In {town},|On {weekday},] a right answer brings {p} points and a wrong one costs {q}. {A}
           has {n} right and {m} wrong.
    story: {B}'s game [about|with] {t} gives {p} points for a win and takes {q} for a loss. {A} wins {n}
           times and loses {m} times.
    asks: How many points does {A} [have|get] [now|in the end]?
    asks: What is {A}'s [score|sum of points]?
    works: [Won|Plus]: {x = n * p}. [Lost|Minus]: {y = m * q}. [Score|Points]: {s = x - y}.
    works: {x = n * p} less {y = m * q} [is|leaves] {s = x - y} points.
    answer: {s point}.
""")
def score(rng):
    n, p, m, q = rng.randint(3, 20), rng.randint(2, 15), rng.randint(2, 12), rng.randint(2, 8)
    return {"n": n, "p": p, "m": m, "q": q, "t": a_good(rng)} if n * p > m * q + 1 else None


@kind("""
    story: [At the {place},|In {town},] one lamp flashes every {p minute}, another every {q}. {A} sees
           both flash together.
    story: Two [buses|trams] leave {town} together [at noon|at dawn], says {A}. One returns every
           {p minute}, the other every {q}.
    story: {A} [waters|turns] {t} every {p minute} and {B} every {q}. At [noon|dawn|dusk] both do it [at
           the {place}|in {town}].
    asks: After how many minutes [does|can] {A} [see|note] that again?
    asks: How many minutes [later|on] does {A} [note|see] it [again|next]?
    works: The largest number that divides {p} and {q} is {g}. So {x = p * q} and {s = x / g} minutes.
    works: {p} and {q} share the factor {g}: {x = p / g}, then {s = x * q} minutes.
    answer: {s minute}.
""")
def together_again(rng):
    p, q, t = rng.randint(4, 24), rng.randint(4, 24), a_good(rng)
    g = next(d for d in range(min(p, q), 0, -1) if p % d == q % d == 0)
    return {"p": p, "q": q, "g": g, "t": t} if 1 < g < min(p, q) else None
