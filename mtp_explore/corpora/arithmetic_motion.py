"""Kinds of problem about speed, clocks, dates and ages."""

from mtp_explore.corpora import arithmetic_words as words
from mtp_explore.corpora.arithmetic_kinds import a_good, kind
from mtp_explore.corpora.arithmetic_text import noun


def a_vehicle(rng):
    return noun(rng.choice(words.VEHICLES))


def another_town(rng):
    return rng.choice(words.TOWN_FRONT) + rng.choice(words.TOWN_BACK)


@kind("""
    story: {A} takes {a v} at {k unit} an hour. After {h hour} {A he} [changes|walks] and has {e unit}
           to {far}.
    story: {a v} from {town} [drives|runs] {h hour} at {k unit} an hour. {far} is {e unit} further, says
           {A}.
    story: [On {weekday},|For {B},] {A} goes {h hour} by {one v}, {k unit} each hour, then {e unit} on
           foot to {far}.
    asks: How [long|far] is the whole way to {far}, in {unit}?
    asks: How many {unit} [is that|does it make] in all?
    works: By {one v}: {x = h * k} {unit}. [With the rest|In all]: {s = x + e} {unit}.
    works: {h} hours at {k} [make|give] {x = h * k}; [with {e} more:|the whole way is] {s = x + e}
           {unit}.
    answer: {s unit}.
""")
def distance(rng):
    unit = noun(rng.choice(("kilometre", "mile")))
    v = a_vehicle(rng)
    return {
        "v": v,
        "h": rng.randint(2, 9),
        "k": rng.randint(18, 90),
        "e": rng.randint(2, 9),
        "unit": unit,
        "far": another_town(rng),
    }


@kind("""
    story: From {town} to {far} it is {x unit}. {A}'s {one v} [makes|covers] {k unit} an hour, with
           {e hour} of [rest|stops|delay] [added|between].
    story: {A} [drives|sends] {a v} {x unit} to {far} at {k unit} per hour and [pauses|stops] for
           {e hour}.
    story: {a v} [does|makes] {k unit} an hour. To {far}, {x unit} away, {A} also [plans|needs] {e hour}
           of [rest|breaks].
    asks: How many hours [does {A} need|is {A} away]?
    asks: How [long|many hours] [is the trip|is the way|does it take] by {one v} to {far}?
    works: [Moving|On the road]: {t = x / k} hours. [With the rest|Together]: {s = t + e} hours.
    works: {x} at {k} an hour is {t = x / k} hours, and [with the stop|in all] {s = t + e}.
    answer: {s hour}.
""")
def travel_time(rng):
    k, t = rng.randint(18, 90), rng.randint(2, 9)
    unit = noun(rng.choice(("kilometre", "mile")))
    return {
        "v": a_vehicle(rng),
        "k": k,
        "x": k * t,
        "e": rng.randint(2, 4),
        "unit": unit,
        "far": another_town(rng),
    }


@kind("""
    story: {A}'s {one v} [needs|takes] {h hour} for the {x unit} to {far}. {B}'s {one u} goes {d unit}
           an hour faster.
    story: In {h hour} {a v} brings {A} {x unit} from {town} to {far}. {a u} [is faster by|gains]
           {d unit} an hour.
    story: {x unit} in {h hour}: so {A} [came|rode] by {one v} to {far}. {B} comes by {one u}, {d unit}
           an hour faster.
    asks: How [fast|quick] is the {one u}, in {unit} an hour?
    asks: What speed has the {one u}, in {unit} per hour?
    works: The {one v}: {k = x / h} {unit} an hour. The {one u}: {s = k + d}.
    works: {k = x / h} is the speed of the {one v}, and {s = k + d} that of the {one u}.
    answer: {s unit} an hour.
""")
def speed(rng):
    v, u = (noun(word) for word in rng.sample(words.VEHICLES, 2))
    h, k = rng.randint(2, 9), rng.randint(20, 80)
    unit = noun(rng.choice(("kilometre", "mile")))
    return {
        "v": v,
        "u": u,
        "h": h,
        "x": h * k,
        "d": rng.randint(2, 25),
        "unit": unit,
        "far": another_town(rng),
    }


@kind("""
    story: {A} [starts|leaves] in {town} and {B} in {far}, {x unit} apart. They [ride|travel] towards
           each other, {A} {p} and {B} {q unit} an hour.
    story: Between {town} and {far} lie {x unit}. {A} comes from one end at {p unit} an hour, {B} from
           the other at {q}.
    story: {B}'s {one v} leaves {far} at {q unit} an hour; {A}'s leaves {town}, {x unit} off, at {p},
           [straight|right] towards it.
    asks: After how many hours do [they|the two] meet?
    asks: How many hours [pass|go by] until {A} [sees|meets] {B}?
    works: [Each hour|In an hour] they come {t = p + q} {unit} nearer. [They meet|Meeting] after
           {s = x / t} hours.
    works: {p} and {q} [make|give] {t = p + q}; the way [takes|needs] {s = x / t} hours.
    answer: {s hour}.
""")
def meeting(rng):
    p, q, h = rng.randint(6, 50), rng.randint(6, 50), rng.randint(2, 9)
    unit = noun(rng.choice(("kilometre", "mile")))
    return {"p": p, "q": q, "x": (p + q) * h, "unit": unit, "far": another_town(rng), "v": a_vehicle(rng)}


@kind("""
    story: {A} is {g unit} ahead of {B} on the road [to|from] {town}. {A} makes {p unit} a minute, {B}
           {q}.
    story: {B} [chases|follows] {A} from {town}, {g unit} behind. {B} [runs|rides] {q unit} a minute and
           {A} {p}.
    story: [Near {town},|Behind the {place},] {A} has a lead of {g unit}. Each minute {A} goes {p unit}
           and {B} {q}.
    asks: After how many minutes does {B} catch {A}?
    asks: In how many minutes is {A} [level with|reached by] {B}?
    works: {B} gains {d = q - p} {unit} a minute. [The lead is gone|They are level] after {s = g / d}
           minutes.
    works: [Per minute|Each minute] the gap shrinks by {d = q - p}; [so it takes|it is closed in]
           {s = g / d} minutes.
    answer: {s minute}.
""")
def catching_up(rng):
    p, d = rng.randint(60, 290), rng.randint(5, 60)
    unit = noun(rng.choice(("metre", "yard")))
    return {"p": p, "q": p + d, "g": d * rng.randint(3, 20), "unit": unit}


def clock(hour: int, minute: int) -> str:
    return f"{hour}:{minute:02d}"


@kind("""
    story: {A}'s {one v} leaves {town} at {start} and [is on the road|runs] for {h hour} and {m minute}.
    story: [A|The] [film|concert|lesson|meeting] about {t} at the {place} [begins|starts] at {start}. It
           lasts {h hour} and {m minute}, says {A}.
    story: At {start} {A} [begins|starts] to [paint|mend|sort] {t}. The work [takes|lasts] {h hour} and
           {m minute}.
    asks: [At what time|When] [does it end|is it over] for {A}?
    asks: What does {A}'s [clock|watch] show [then|at the end]?
    works: Minutes: {x = a0 + m}. Hours: {y = b0 + h}.
    works: The hours [give|make] {y = b0 + h}, the minutes {x = a0 + m}.
    answer: {y}:{x}.
""")
def clock_end(rng):
    b0, a0, h, m = rng.randint(6, 18), rng.randint(2, 45), rng.randint(2, 5), rng.randint(5, 50)
    if not 10 <= a0 + m < 60:
        return None
    return {"a0": a0, "b0": b0, "h": h, "m": m, "start": clock(b0, a0), "v": a_vehicle(rng), "t": a_good(rng)}


@kind("""
    story: {A}'s {one v} [leaves|left] {town} at {start} and [reaches|reached] {far} at {end}, the same
           day.
    story: {A} [waits|reads|works] at the {place} from {start} to {end} [on {weekday}|for {B}].
    story: [On {weekday},|In {town},] the {shop} opens at {start} and closes at {end}; {A} [stays|works]
           all the time.
    asks: How many minutes [is that|pass]?
    asks: How many minutes [is it|are there] from {start} to {end}?
    works: {end} is minute {x = b1 * 60 + a1} of the day, {start} is minute {y = b0 * 60 + a0}. [Between
           them|Difference]: {s = x - y} minutes.
    works: Start: {y = b0 * 60 + a0}. End: {x = b1 * 60 + a1}. So {s = x - y} minutes [pass|lie
           between].
    answer: {s minute}.
""")
def duration(rng):
    b0, a0, a1 = rng.randint(6, 14), rng.randint(2, 58), rng.randint(2, 58)
    b1 = b0 + rng.randint(1, 6)
    return {
        "b0": b0, "a0": a0, "b1": b1, "a1": a1, "start": clock(b0, a0), "end": clock(b1, a1),
        "v": a_vehicle(rng), "far": another_town(rng),
    }  # fmt: skip


@kind("""
    story: On {d} {month} {A} [borrows|rents] {n t} from the {place} for {k day}. {month} has {last}
           days.
    story: {A} [writes|promises] on {d} {month}, a month of {last} days: {B} [gets|receives] {n t} in
           {k day}.
    story: {n t} for {B} [leave|are sent from] {town} on {d} {month} and [travel|need] {k day}. ({month}
           has {last} days.)
    asks: [On which|What] day of {next} is [that|it]?
    asks: Which date in {next} does {A} [note|circle]?
    works: {month} has {x = last - d} days left. [In {next}|Then]: {s = k - x}.
    works: [From|After] {d} {month}, {x = last - d} days remain, so the date [in {next} is|is]
           {s = k - x}.
    answer: {s} {next}.
""")
def date(rng):
    months = list(words.MONTHS)
    month = rng.choice([m for m in months if m not in ("January", "November")])
    order = ["March", "April", "May", "June", "July", "August", "September", "October", "November"]
    last, d = words.MONTHS[month], rng.randint(5, 28)
    return {
        "month": month, "next": order[order.index(month) + 1], "last": last, "d": d, "n": rng.randint(2, 30),
        "k": last - d + rng.randint(2, 27), "t": a_good(rng),
    }  # fmt: skip


@kind("""
    story: {A} is {n year} old, {B} is {d year} older. {C} is [as old as both|the sum of both] together.
    story: {B} is {d year} older than {A}, who is {n}. The age of {C} is the sum of [theirs|both ages].
    story: [In {town}|At the {place}] {A}, aged {n}, meets {B}, {d year} older. {C} is as old as both
           together.
    asks: How old is {C} in {k year}?
    asks: What is {C}'s age {k year} from now?
    works: {B} is {x = n + d}. {C} is {y = n + x} now, [then|later] {s = y + k}.
    works: [First|Now] {x = n + d} for {B} and {y = x + n} for {C}; in {k} years {s = y + k}.
    answer: {s year}.
""")
def ages(rng):
    n, d = rng.randint(8, 30), rng.randint(2, 20)
    return {"n": n, "d": d, "k": rng.randint(2, 15)} if 2 * n + d < 75 else None


@kind("""
    story: {A} is {k} times as old as {B}, who is {n}. [They live in|Both come from] {town}.
    story: {B} is {n year} old. [At the {place},|On {weekday},] {A} says: I am {k} times as old as {B}.
    story: [Somebody asks|{C} asks] {A}'s age. It is {k} times that of {B}, and {B} is {n}.
    asks: How old was {A} when {B} was {e}?
    asks: What was {A}'s age when {B} was {e}?
    works: {A} is {x = k * n}. That was {t = n - e} years ago: {s = x - t}.
    works: Now {A} is {x = n * k}; {t = n - e} years earlier it was {s = x - t}.
    answer: {s year}.
""")
def ages_back(rng):
    n, k = rng.randint(6, 25), rng.randint(2, 6)
    return {"n": n, "k": k, "e": rng.randint(2, n - 2)} if n * k <= 84 else None
