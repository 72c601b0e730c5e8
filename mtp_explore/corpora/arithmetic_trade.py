"""Kinds of problem about buying, selling, wages and money."""

from mtp_explore.corpora import arithmetic_words as words
from mtp_explore.corpora.arithmetic_kinds import a_food, a_good, a_large, kind, two
from mtp_explore.corpora.arithmetic_text import noun


def priced(rng, high: int):
    """Something to buy and its price; food costs at most 6."""
    return (a_food(rng), rng.randint(2, 6)) if rng.random() < 0.4 else (a_good(rng), rng.randint(2, high))


@kind("""
    story: At the {shop}, {A} [buys|picks] {n t} for {p money} each and {m u} for {q money} each.
    story: {A} needs {n t} at {p money} each. {A he} [also|further] takes {m u}, each at {q money}, from
           the {shop}.
    story: The {shop} in {town} asks {p money} for {a t} and {q money} for {a u}. {A} [takes|orders]
           {n t} and {m u}.
    asks: How many {money} does {A} [pay|spend] [in all|altogether]?
    asks: What [is the bill|does it cost], in {money}?
    works: [For the {t},|The {t} cost] {x = n * p} {money}. [For the {u},|The {u} cost] {y = m * q}
           {money}. Together {s = x + y} {money}.
    works: {x = n * p} for the {t}, {y = m * q} for the {u}, so {A} [pays|spends] {s = x + y} {money}.
    answer: {s money}.
""")
def two_purchases(rng):
    (t, p), (u, q) = priced(rng, 15), priced(rng, 15)
    if t.one.split()[-1] == u.one.split()[-1]:
        return None
    return {"n": rng.randint(2, 12), "p": p, "m": rng.randint(2, 9), "q": q, "t": t, "u": u}


@kind("""
    story: {A} [buys|takes] {n t} for {p money} each at the {shop} and [pays with|hands over]
           {note money}.
    story: [In {town},|At the {shop},] {a t} costs {p money}. {A} [wants|picks] {n} and gives the seller
           {note money}.
    story: With {note money} in {A his} [pocket|purse|hand], {A} goes to the {shop} and buys {n t} at
           {p money} each.
    asks: How much [change|money] does {A} get [back|in return]?
    asks: How many {money} [does {A} keep|are left]?
    works: {n} [times|{t} at] {p}: {x = n * p} {money}. [The change is|So there remain] {s = note - x}
           {money}.
    works: The {t} cost {x = n * p} {money}, and [of the {note}|after that] {A} has {s = note - x}
           {money}.
    answer: {s money}.
""")
def change(rng):
    n, (t, p), note = rng.randint(2, 12), priced(rng, 16), rng.choice((20, 50, 100, 200))
    return {"n": n, "p": p, "note": note, "t": t} if note // 3 < n * p < note - 1 else None


@kind("""
    story: {A} paid {x money} for {n t} [of one kind|of equal price] at the {shop}. Later {B} [asks
           for|wants|needs] {m} more [of them|such {t}].
    story: [In {town},|Last {weekday},] {n t} cost {A} {x money}. Now {A} [orders|adds] {m} more at the
           same price.
    story: The {shop} sells {n t} for {x money}. {A} needs {m} of these {t}, [at that price|for the same
           price].
    asks: How much [do|will] the {m t} cost?
    asks: How many {money} is [the price of {m t}|that for {m t}]?
    works: One [of the {t}|of them] costs {p = x / n} {money}, so {m} cost {s = m * p} {money}.
    works: [The price of one is|For each {A} pays] {p = x / n} {money}. [For {m}|Then] it is {s = p * m}
           {money}.
    answer: {s money}.
""")
def unit_price(rng):
    n, m, (t, p) = rng.randint(3, 12), rng.randint(2, 15), priced(rng, 18)
    return {"n": n, "m": m, "x": n * p, "t": t} if n != m else None


@kind("""
    story: {a t} [at the {shop}|in {town}] costs {p cent}. {A} [buys|takes] {n} of them.
    story: {A} buys {n t} [at the {shop}|in {town}] for {p cent} each.
    story: [On {weekday},|At the {shop},] {A} [sells|hands] {B} {n t}, each for {p cent}.
    asks: What is the [price|cost|sum] in {coin}?
    asks: How many {coin} [change hands|is that]?
    works: In cents it is {x = n * p}, and in {coin} {s = x / 100}.
    works: {n} times {p} cents [makes|gives] {x = n * p} cents; [that is|so] {s = x / 100} {coin}.
    answer: {s} {coin}.
""")
def cents(rng):
    n, p, t = rng.randint(2, 9), rng.randint(15, 199), a_food(rng)
    coin = rng.choice(("dollars", "euros"))
    return {"n": n, "p": p, "t": t, "coin": coin} if n * p % 10 and n * p > 200 else None


@kind("""
    story: {A} sees {a t} for {p money} [at the {shop}|in {town}]; [today|this {weekday}] it is {r}
           percent cheaper.
    story: The {shop} takes {r} percent off [its|all] {t}. {A} [chooses|wants] {a t} that used to cost
           {p money}.
    story: {a t} was {p money}, says {B}, [but|and] on {weekday} the {shop} lowers the price by {r}
           percent.
    asks: What [is the new price|does it cost now]?
    asks: How many {money} does {A} pay [now|for it]?
    works: {r} percent of {p} is {x = p * r / 100}, so the [new price|rest] is {s = p - x} {money}.
    works: {A} saves {x = p * r / 100} {money} and [still pays|pays] {s = p - x} {money}.
    answer: {s money}.
""")
def discount(rng):
    r = rng.choice((5, 10, 15, 20, 25, 30, 35, 40, 45, 60))
    return {"p": 20 * rng.randint(2, 30), "r": r, "t": a_large(rng)}


@kind("""
    story: {A} [wants|dreams of] {a t} for {x money}. {A he} has {h money} and [saves|puts by] {k money}
           every week.
    story: {a t} at the {shop} costs {x money}. {A} already owns {h money} and earns {k money} [a|each]
           week.
    story: To buy {a t} for {x money}, {A} [adds|lays] {k money} a week to the {h money} [from {B}|in
           {A his} drawer].
    asks: [After how many weeks is there|How many weeks until there is] enough?
    asks: How many weeks must {A} [wait|save]?
    works: {A} [lacks|still needs] {m = x - h} {money}. [At {k} a week that takes|So it takes]
           {s = m / k} weeks.
    works: Missing: {m = x - h} {money}. [Weeks|Time in weeks]: {s = m / k}.
    answer: {s week}.
""")
def saving(rng):
    weeks, k, h = rng.randint(2, 15), rng.randint(3, 25), rng.randint(5, 80)
    return {"x": weeks * k + h, "k": k, "h": h, "t": a_large(rng)}


@kind("""
    story: {A} works {h hour} at the {place} for {k money} an hour and [pays|spends] {c money} on
           [lunch|tools|the bus].
    story: The {place} pays {A} {k money} per hour. On {weekday} {A he} works {h hour}, [less|minus]
           {c money} for [meals|rent].
    story: [In {town},|For {B},] {A} [mends|paints|sews] {t} at {k money} an hour, {h hour} [long|in
           all]. The [material|thread|paint] costs {A him} {c money}.
    asks: How much [is left|does {A} keep]?
    asks: How many {money} [remain|does {A} take home]?
    works: [Wage|Pay]: {x = h * k} {money}. [Kept|Left]: {s = x - c} {money}.
    works: {A} earns {x = h * k} {money}; less {c} [it is|leaves] {s = x - c} {money}.
    answer: {s money}.
""")
def wages(rng):
    return {"h": rng.randint(3, 12), "k": rng.randint(6, 28), "c": rng.randint(3, 17), "t": a_good(rng)}


@kind("""
    story: {A} buys {n t} for {p money} each in {town} and sells [them all|every one] for {q money}
           each.
    story: [On {weekday},|At the {shop},] {A} sells {n t} at {q money} apiece that had cost {A him}
           {p money} apiece.
    story: {A} [gets|orders] {n t} at {p money} each from {B} and asks {q money} for each [at the
           {shop}|of them]. All are sold.
    asks: What profit does {A} make?
    asks: How many {money} does {A} [gain|earn] [by this|in all]?
    works: [The gain on each|What {A} gains on one] is {x = q - p}. For {n} it is {s = n * x} {money}.
    works: [Income|Sales]: {x = n * q} {money}. Cost: {c = n * p} {money}. [Profit|Gain]: {s = x - c}
           {money}.
    answer: {s money}.
""")
def profit(rng):
    p = rng.randint(3, 30)
    return {"n": rng.randint(4, 30), "p": p, "q": p + rng.randint(2, 12), "t": a_good(rng)}


@kind("""
    story: {A}, {B} and [some|their] friends, {n person} [together|in all], eat for {x money} in the
           {place} and leave a tip of {k money}.
    story: {n c} [rent|share] a [boat|van|hut] near {town} for {x money}, and fuel is {k money} more.
           {A} [splits|divides] the [sum|cost] evenly.
    story: A [meal|show|trip] for {n person} costs {x money} plus {k money} for [drinks|coats|maps]. {A}
           and the others pay equal shares.
    asks: What does [each person|{A}] pay?
    asks: How many {money} [fall to each|is one share]?
    works: [Together|In all] it is {t = x + k} {money}; [one share is|each pays] {s = t / n} {money}.
    works: First {t = x + k}, then [divided by {n}|for each]: {s = t / n} {money}.
    answer: {s money}.
""")
def split_bill(rng):
    n, share, c = rng.randint(3, 12), rng.randint(6, 40), rng.randint(3, 25)
    return {"n": n, "x": n * share - c, "k": c, "c": noun(rng.choice(words.CROWDS))} if n * share > 3 * c else None


@kind("""
    story: {A} has {x money}. {A he} [spends|pays] {p money} on {a t} and {q money} on {a u} [at the
           {shop}|in {town}].
    story: From {x money}, {A} pays {p money} for {a t} and then {q money} for {a u} [at the {shop}|to
           {B}].
    story: {B} gives {A} {x money}. At the {shop} {a t} [takes|eats up] {p money} of it, {a u}
           {q money}.
    asks: How much [money is left|does {A} have left]?
    asks: How many {money} [remain|are still there]?
    works: After the {one t}: {y = x - p}. After the {one u}: {s = y - q} {money}.
    works: [Together the two cost|The sum spent is] {y = p + q} {money}. [Left|There remain]:
           {s = x - y} {money}.
    answer: {s money}.
""")
def budget(rng):
    t, u = two(rng, a_large)
    p, q, rest = rng.randint(4, 60), rng.randint(4, 60), rng.randint(2, 70)
    return {"x": p + q + rest, "p": p, "q": q, "t": t, "u": u}


@kind("""
    story: In {town} one {one money} is worth {r unit}. {A} [changes|swaps] {n money} and [spends|lays
           out] {c unit} on {a t}.
    story: {A} brings {n money} to {town}, where each {one money} [buys|gives] {r unit}. {a t} costs
           {A him} {c unit}.
    story: The [bank|clerk] near the {place} gives {r unit} for one {one money}. {A} hands over
           {n money}, then pays {c unit} for {a t}.
    asks: How many {unit} does {A} [have then|keep]?
    asks: What is left, in {unit}?
    works: {n} {money} [become|are] {x = n * r} {unit}. [After the {one t}|Then] there are {s = x - c}
           {unit}.
    works: {A} gets {x = n * r} {unit} and keeps {s = x - c} {unit}.
    answer: {s unit}.
""")
def exchange(rng):
    money, unit = (noun(word) for word in rng.sample(words.MONEY, 2))
    n, r, c = rng.randint(5, 60), rng.randint(2, 12), rng.randint(2, 40)
    values = {"money": money, "unit": unit, "n": n, "r": r, "c": c, "t": a_good(rng)}
    return values if c < n * r - 2 else None


@kind("""
    story: {A} [finds|is offered] {n t} for {x money} [at the {shop}|in {town}]. {B} [offers|has] {m}
           such {t} for {y money}.
    story: The {shop} sells {n t} for {x money}, but in {town} {m t} cost {y money}. {A} compares [one
           with one|the offers].
    story: {m t} for {y money}, says {B}. {n t} for {x money}, says the [seller|woman|man] at the
           {shop}. {A} looks for the better price.
    asks: By how [much|many {money}] does {a t} differ?
    asks: How many {money} lie between {A}'s [prices|offers] for one?
    works: {n} for {x}: {p = x / n} each. {m} for {y}: {q = y / m} each. [Difference|Between them]:
           {s = q - p} {money}.
    works: One costs {p = x / n} {money} [here|first] and {q = y / m} {money} [there|second], so
           {s = q - p} {money} more.
    answer: {s money}.
""")
def better_offer(rng):
    n, m, (t, p), more = rng.randint(2, 12), rng.randint(2, 12), priced(rng, 20), rng.randint(2, 5)
    return {"n": n, "m": m, "x": n * p, "y": m * (p + more), "t": t} if n != m else None
