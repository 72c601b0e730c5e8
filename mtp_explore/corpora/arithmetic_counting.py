"""Kinds of problem about having, giving, packing, sharing and comparing."""

from mtp_explore.corpora import arithmetic_words as words
from mtp_explore.corpora.arithmetic_kinds import a_food, a_good, a_piece, a_small, kind, two
from mtp_explore.corpora.arithmetic_text import noun


@kind("""
    story: {A} shares {x t} [fairly|evenly] among {n c} [at the {place}|in {town}], each [gets|taking]
           as many as [possible|there can be].
    story: {n c} [come to|meet at] the {place}. {A} deals {x t} out [evenly|in equal parts] and keeps
           [the rest|any rest].
    story: [At the {place},|In {town},] {A} has {x t} for {n c}; all [get|take] equally many,
           [whatever|what] is over stays with {B}.
    asks: How many {t} [for each|does each get], and how many [over|more]?
    asks: What does [each|every] {one c} get, and what [is left|is over]?
    works: {m = n * q} is the [last|largest] multiple of {n} up to {x}. Each: {q = m / n}. Rest:
           {r = x - m}.
    works: {n} goes into {x} [just|only] {q} times, {m = n * q}. Each gets {q = m / n}, [with|leaving]
           {r = x - m}.
    answer: {q} each, {r} left over.
""")
def sharing(rng):
    n, q = rng.randint(3, 15), rng.randint(2, 14)
    return {
        "n": n,
        "q": q,
        "x": n * q + rng.randint(1, n - 1),
        "t": a_small(rng),
        "c": noun(rng.choice(words.CROWDS)),
    }


@kind("""
    story: {A} packs {x t} into {v}. [One|A] {one v} holds {n}, and [every one|all] must [go|come] to
           {town}.
    story: Each {one v} at the {place} takes {n t}. {A} must [store|carry|send] {x t} [to {town}|for
           {B}], all of them.
    story: {x t} [wait|stand] at the {place}. {A} puts [up to|at most] {n} in each {one v} and
           [packs|sends] them all.
    asks: How many {v} [are needed|does {A} need]?
    asks: What is the [least|smallest] number of {v}?
    works: {q} {v} hold only {m = q * n}, so {r = x - m} [are left|remain]. One more {one v}:
           {s = q + 1}.
    works: In {q} {v} there is room for {m = q * n}; [over|without a place]: {r = x - m}. So {s = q + 1}
           {v}.
    answer: {s v}.
""")
def enough_boxes(rng):
    n, q = rng.randint(4, 24), rng.randint(2, 15)
    v = noun(rng.choice(words.VESSELS))
    return {"n": n, "q": q, "x": n * q + rng.randint(1, n - 1), "t": a_small(rng), "v": v}


@kind("""
    story: {A} has {n v} with {k t} in each and {r} loose [ones|{t}] [at the {place}|from {B}].
    story: [At the {place},|In {town},] {A} finds {n v} of {k t} each, and {r} more {t} on the
           [floor|table|ground].
    story: {B} brings {n v}, each with {k t}. {A} adds {r} [single|more|loose] {t} at the {place}.
    asks: How many {t} [are there|are that] [in all|altogether]?
    asks: What is the [whole|total] number of {t}?
    works: The {v} hold {x = n * k}. With the [others|loose ones]: {s = x + r} {t}.
    works: {x = n * k} in the {v} and {r} [outside|more], so {s = x + r} {t}.
    answer: {s t}.
""")
def packs_and_loose(rng):
    v = noun(rng.choice(words.VESSELS))
    return {
        "n": rng.randint(3, 15),
        "k": rng.randint(4, 24),
        "r": rng.randint(2, 30),
        "t": a_small(rng),
        "v": v,
    }


@kind("""
    story: {A} has {x t}. {A he} gives {p} to {B} and [later|then] gets {q} [new ones|more] from {C}.
    story: Of {x t}, {A} [loses|sells|lends] {p} near the {place}. In {town}, {C} gives {A him} {q}
           more.
    story: [On {weekday},|At the {place},] {A} counts {x t}. {B} takes {p} of them away, [but|and] {C}
           brings {q} more.
    asks: How many {t} does {A} have [now|then|in the end]?
    asks: What is {A}'s number of {t} now?
    works: [After that|Without those] there are {y = x - p}; [then|with the new ones] {s = y + q} {t}.
    works: {y = x - p}, and {s = y + q} {t} [in the end|after {C}].
    answer: {s t}.
""")
def give_and_get(rng):
    p, rest = rng.randint(3, 60), rng.randint(2, 90)
    return {"x": p + rest, "p": p, "q": rng.randint(2, 60), "t": a_piece(rng)}


@kind("""
    story: The {place} [of|in] {town} has {n} rows of {k} seats. {e} seats stay [empty|free] on
           {weekday}.
    story: {A} sets out {n} rows of {k} chairs at the {place}. At [noon|night], {e} of them are
           [empty|unused].
    story: [On {weekday}|For {A}'s talk], all {n} rows with {k} seats each in the {place} are taken,
           except {e} seats.
    asks: How many [people|guests] [sit|are sitting] there?
    asks: How many of the seats are [taken|filled] on {weekday}?
    works: There are {x = n * k} seats. [Taken|Of these are taken]: {s = x - e}.
    works: {n} rows of {k}: {x = n * k}. Less {e} [empty|free] ones: {s = x - e}.
    answer: {s}.
""")
def rows_of_seats(rng):
    n, k = rng.randint(5, 30), rng.randint(6, 30)
    return {"n": n, "k": k, "e": rng.randint(3, n * k // 2)}


@kind("""
    story: {A} [collects|owns|counts] {p t} and {q u}. {B} has {r t} and {k u}.
    story: [At the {place},|In {town},] {B} [keeps|stores] {r t} and {k u}, while {A} has {p t} and
           {q u}.
    story: {p t} and {q u} belong to {A}; {r t} and {k u} [are {B}'s|belong to {B}].
    asks: Who has [more|the greater number], {A} or {B}, and [how many more|by how many]?
    asks: By how many is {A} or {B} [ahead|in front], and who?
    works: {A}: {x = p + q}. {B}: {y = r + k}. [Difference|Lead]: {s = x - y}.
    works: {A} has {x = p + q} and {B} {y = r + k}, so {A} [leads by|has more by] {s = x - y}.
    answer: {A}, {s} more.
""")
def who_has_more(rng):
    t, u = two(rng, a_good)
    p, q, r, k = (rng.randint(3, 60) for _ in "pqrk")
    return {"p": p, "q": q, "r": r, "k": k, "t": t, "u": u} if p + q > r + k else None


@kind("""
    story: {A} has {n t}; {B} has {k} times as many [{t}|of them]. They [meet|put them together] at the
           {place}.
    story: {B} [from {town}|near the {place}] [owns|has] {k} times as many {t} as {A}, and {A}
           [owns|has] {n}.
    story: With {n t}, {A} has few: {B} [from {town}|near the {place}] has {k} times that number.
    asks: How many {t} do [they|the two] have together?
    asks: How many {t} is that [for both|together]?
    works: {B} has {x = n * k}. Together [they have|it is] {s = n + x} {t}.
    works: {x = k * n} [are {B}'s|belong to {B}], so both have {s = x + n} {t}.
    answer: {s t}.
""")
def times_as_many(rng):
    return {"n": rng.randint(4, 60), "k": rng.randint(2, 9), "t": a_piece(rng)}


@kind("""
    story: {A} [buys|finds|gets] {n t}. {B} has {d} more than {A}, and {C} has [twice|two times] as many
           as {B}.
    story: {C} has [twice|two times] as many {t} as {B}; {B} has {d} more than {A}, [who|and {A}] has
           {n}.
    story: [In {town},|At the {place},] {A} holds {n t}, {B} {d} more than that, and {C} [twice|double]
           what {B} holds.
    asks: How many {t} does {C} have?
    asks: How many {t} [are {C}'s|belong to {C}]?
    works: {B}: {x = n + d}. {C}: {s = 2 * x}.
    works: {B} has {x = n + d} {t}, {C} [therefore|then] {s = x * 2} {t}.
    answer: {s t}.
""")
def three_people(rng):
    return {"n": rng.randint(4, 70), "d": rng.randint(2, 40), "t": a_food(rng)}


@kind("""
    story: {A} gave {p t} to {B} and {q} to {C}. Now {A he} has {r} left [at the {place}|in {town}].
    story: After {A} [sold|lost] {p t} on {weekday} and {q} [a day later|near {town}], {r} [are
           left|remain].
    story: {r t} remain at the {place}, for {B} took {p} [away|before] and {C} took {q}. All were {A}'s.
    asks: How many {t} did {A} have at [first|the start]?
    asks: [With how many {t} did {A} start|What was {A}'s first number]?
    works: [Given away|Gone]: {x = p + q}. [At first|With the rest]: {s = x + r} {t}.
    works: Backwards: {x = r + q}, and before that {s = x + p} {t}.
    answer: {s t}.
""")
def start_unknown(rng):
    return {"p": rng.randint(3, 60), "q": rng.randint(3, 60), "r": rng.randint(2, 80), "t": a_piece(rng)}


@kind("""
    story: {A} has {x t} at the {place}. {n c} [eat|need|use] {k} each [a|every] day.
    story: A [store|stock] of {x t} [stands|lies] in {town}. Every day {n c} [take|eat] {k} each, says
           {A}.
    story: Each of {n c} [eats|wants] {k t} a day. {A} [buys|brings] {x} [from {town}|to the {place}].
    asks: How many days do the {x t} last?
    asks: For how many days [can the {c} eat {t}|will {x t} do]?
    works: [One day takes|In a day they use] {d = n * k} {t}. [So they last|Days:] {s = x / d} days.
    works: Per day: {d = n * k}. [The stock lasts|Then] {s = x / d} days.
    answer: {s day}.
""")
def stock_lasts(rng):
    n, k, days = rng.randint(3, 12), rng.randint(2, 5), rng.randint(2, 14)
    return {"n": n, "k": k, "x": n * k * days, "t": a_food(rng), "c": noun(rng.choice(words.CROWDS))}


@kind("""
    story: {A} carries {n v} of {k eggs} [to|from] {town}. {b} [spoil|are lost] [on the way|near the
           {place}].
    story: On {weekday} {n v} with {k eggs} each reach the {place}. {A} throws {b} [bad|spoilt] ones
           away.
    story: [A lorry|{B}] brings {n v}, {k eggs} in each. {A} finds {b} [bad|spoilt] near the {place}.
    asks: How many {eggs} are [still good|fine]?
    asks: How many [good|whole] {eggs} are there?
    works: [There were|In all] {x = n * k} {eggs}. [Good|Fine] are {s = x - b}.
    works: {x = n * k} came, {b} [spoiled|were lost], so {s = x - b} {eggs} [are good|remain].
    answer: {s eggs}.
""")
def broken_ones(rng):
    n, k = rng.randint(3, 15), rng.randint(6, 30)
    v = noun(rng.choice(words.VESSELS))
    return {"n": n, "k": k, "b": rng.randint(2, n * k // 3), "eggs": a_food(rng), "v": v}


@kind("""
    story: {x c} from {town} and {y} from {far} [form|make up] groups of {n} at the {place}.
    story: At the {place}, {A} sorts {x c} of {town} and {y} of {far} into groups of {n}.
    story: {y c} [leave|come from] {far}, {x} [leave|come from] {town}. {A} [puts|sorts] them into
           groups of {n}.
    asks: How many groups of {c} [are there|does {A} see]?
    asks: How many [times {n}|groups of {n}] is that?
    works: [Together|All]: {t = x + y} {c}. [Divided by {n}|In groups]: {s = t / n}.
    works: {t = x + y} {c} [come|are there], and {s = t / n} [is the number|groups result].
    answer: {s}.
""")
def teams(rng):
    n, groups = rng.randint(3, 12), rng.randint(4, 16)
    x = rng.randint(4, n * groups - 4)
    far = rng.choice(words.TOWN_FRONT) + rng.choice(words.TOWN_BACK)
    return {"n": n, "x": x, "y": n * groups - x, "far": far, "c": noun(rng.choice(words.CROWDS))}


@kind("""
    story: {A} reads [a novel|an atlas|a diary] of {x page} about {t}. {A he} has read {p} and now reads
           {k} a day.
    story: [A|The] [manual|book|guide] about {t} has {x page}. {A} [read|finished] {p} in {town} and now
           reads {k} [each|every] day.
    story: {B} lends {A} a book of {x page} on {t}. After {p page}, {A} goes on with {k} [a|every] day.
    asks: In how many days is {A} [through|finished|done]?
    asks: How many [more|further] days does {A} need?
    works: [Left|To read]: {r = x - p} pages. At {k} a day: {s = r / k} days.
    works: {r = x - p} pages [remain|are left], so {A} needs {s = r / k} days.
    answer: {s day}.
""")
def reading(rng):
    k, days, p = rng.randint(6, 40), rng.randint(2, 15), rng.randint(10, 120)
    return {"x": k * days + p, "k": k, "p": p, "t": a_good(rng)}


@kind("""
    story: On Monday the {shop} has {x t}. {p} are sold on Tuesday, {q} on Wednesday, and {A} brings {r}
           on Thursday.
    story: {A} [starts|opens] with {x t}. By Tuesday {p} are gone, by Friday {q} more, [then|and] {B}
           delivers {r}.
    story: The {shop} in {town} stocks {x t}. {A} buys {p}, {B} buys {q}, and [a lorry|{C}]
           [delivers|adds] {r}.
    asks: How many {t} are [there now|in stock]?
    asks: What is the stock of {t} [then|at last]?
    works: {y = x - p}, then {m = y - q}, then {s = m + r} {t}.
    works: [Sold|Gone]: {y = p + q}. [Left|Rest]: {m = x - y}. [With the new ones|Now]: {s = m + r} {t}.
    answer: {s t}.
""")
def stock_of_week(rng):
    p, q, rest = rng.randint(5, 70), rng.randint(5, 70), rng.randint(2, 90)
    return {"x": p + q + rest, "p": p, "q": q, "r": rng.randint(10, 90), "t": a_piece(rng)}
