"""Kinds of problem about lengths, areas, volumes and angles."""

from mtp_explore.corpora import arithmetic_words as words
from mtp_explore.corpora.arithmetic_kinds import kind
from mtp_explore.corpora.arithmetic_text import noun


def a_plot(rng):
    return rng.choice(words.PLOTS)


def a_room(rng):
    return rng.choice(words.ROOMS)


def sides(rng, low=4, high=40):
    """Two different sides, the longer one first."""
    p, q = sorted(rng.sample(range(low, high), 2), reverse=True)
    return {"p": p, "q": q}


@kind("""
    story: {A}'s {plot} [in|near] {town} is {p length} long and {q length} wide. [A shed|The {place}]
           takes {e} square {length}.
    story: [Behind|Beside] the {place} lies {a plot}, {p} by {q length}. {A} [keeps|leaves] {e} square
           {length} [for {B}|unused].
    story: {A} [sweeps|waters|rents] {a plot} of {p} by {q length}, [all but|except] {e} square {length}
           near the {place}.
    asks: How many square {length} of {one plot} are [left|free]?
    asks: What area [does {A} have left|is left to {A}], in square {length}?
    works: [Whole area|The {plot} has]: {x = p * q}. [Without {e}|Left]: {s = x - e} square {length}.
    works: {p} times {q} is {x = p * q}, [and so|there remain] {s = x - e} square {length}.
    answer: {s} square {length}.
""")
def area(rng):
    shape = sides(rng)
    return shape | {"plot": a_plot(rng), "e": rng.randint(3, shape["p"] * shape["q"] // 2)}


@kind("""
    story: {A} [fences|walls in] {a plot} of {p} by {q length} [near {town}|behind the {place}], with a
           gate of {e length}.
    story: The {plot} [of|beside] the {place} is {p length} long and {q length} wide. {A} [fences|walls]
           it [in|round], [except|but leaves] {e length}.
    story: [For {B},|In {town},] {A} builds a fence around {a plot} ({p} by {q length}). A gate of
           {e length} needs none.
    asks: How [long is|many {length} has] the fence?
    asks: How many {length} of fence [are needed|does {A} need]?
    works: [Round|All around|Around] the {one plot} it is {x = 2 * (p + q)} {length}, [without|minus]
           the gate {s = x - e}.
    works: {t = p + q} is half way round, {x = 2 * t} all round, and {s = x - e} {length} [of
           fence|without the gate].
    answer: {s length}.
""")
def fence(rng):
    return sides(rng) | {"plot": a_plot(rng), "e": rng.randint(2, 6)}


@kind("""
    story: {A}'s {room} is {p length} by {q length}. [A|One] square {one length} of {t} costs {k money}
           [at the {shop}|in {town}].
    story: For {a room} {p length} long and {q length} wide {A} buys tiles at {k money} per square
           {one length} [in {town}|from {B}].
    story: {B} [paints|covers] the floor of {A}'s {room}, {p} by {q length}, for {k money} per square
           {one length}.
    asks: How many {money} [is that|does {A} pay]?
    asks: What does the {one room} floor cost [{A}|in all], in {money}?
    works: The floor has {x = p * q} square {length}. [Price|At {k} each]: {s = x * k} {money}.
    works: {x = p * q} square {length} [cost|at {k} are] {s = x * k} {money}.
    answer: {s money}.
""")
def floor_cost(rng):
    t = rng.choice(("carpet", "cork", "oak", "stone", "felt", "marble", "bamboo", "linoleum", "slate", "pine"))
    return sides(rng, 3, 13) | {"room": a_room(rng), "k": rng.randint(3, 30), "t": t}


@kind("""
    story: {A}'s {plot} is {p} by {q length}. Inside lies a [pond|stage|pool|terrace|flower bed] of {k}
           by {e length}, the rest is [grass|gravel|sand].
    story: [Near {town},|Behind the {place},] {A} cuts {k} by {e length} out of {a plot} of {p} by
           {q length}.
    story: {a plot} of {p} by {q length} [belongs to|is owned by] {A}. {B} rents a corner, {k} by
           {e length}.
    asks: How many square {length} [remain|are left]?
    asks: How [large|big] is the rest of the {one plot} in square {length}?
    works: [Whole|All of it]: {x = p * q}. [Part|Cut out]: {y = k * e}. [Rest|Left]: {s = x - y}.
    works: {x = p * q} less {y = k * e} [is|leaves] {s = x - y} square {length}.
    answer: {s} square {length}.
""")
def area_with_hole(rng):
    shape = sides(rng, 6, 40)
    return shape | {
        "k": rng.randint(2, shape["q"] - 2),
        "e": rng.randint(2, shape["q"] - 2),
        "plot": a_plot(rng),
    }


@kind("""
    story: {A} lays square tiles of {k centimetre} on {a room} floor, {x} by {y centimetre} [at the
           {place}|in {town}].
    story: The {room} of {A}'s house [near {town}|by the {place}] is {x} by {y centimetre}. Its tiles
           are {k} by {k centimetre}.
    story: {B} sells tiles {k centimetre} wide and long. {A}'s {room} [measures|has] {x} by
           {y centimetre}.
    asks: How many tiles [cover it|are needed]?
    asks: How many tiles does {A} [buy|need]?
    works: One way {n = x / k} tiles, the other {m = y / k}. [In all|Together]: {s = n * m} tiles.
    works: {n = x / k} in a row and {m = y / k} rows [make|give] {s = n * m} tiles.
    answer: {s tile}.
""")
def tiles(rng):
    k, n, m = rng.choice((20, 25, 30, 40, 50)), *rng.sample(range(6, 25), 2)
    return {"k": k, "x": n * k, "y": m * k, "room": a_room(rng)}


@kind("""
    story: {A}'s {box} is {p centimetre} long, {q} wide and {h} high. {B} [fills|packs] it with cubes of
           one cubic centimetre [at the {place}|for {town}] and takes {e} out [again|later].
    story: [At the {place},|On {weekday},] {A} fills {a box} of {p} by {q} by {h centimetre} with unit
           cubes. {e} are [lost|taken].
    story: {a box} [from|in] {town}, {p} by {q} by {h centimetre}, [is full of|holds only] unit cubes;
           {A} removes {e} [for {B}|of them].
    asks: How many cubes [are left|remain|stay] in the {one box}?
    asks: How many cubes [remain|stay inside]?
    works: [One layer|The bottom] has {x = p * q} cubes, {h} layers {y = x * h}. [Then|Left]:
           {s = y - e}.
    works: {y = p * q * h} cubes fit, and without {e} [it is|there are] {s = y - e}.
    answer: {s cube}.
""")
def volume(rng):
    shape = sides(rng, 3, 16)
    box = rng.choice(("box", "crate", "tray", "tin", "case", "chest", "drawer", "basin", "carton", "bin"))
    return (
        shape | {"h": rng.randint(2, 9), "e": rng.randint(3, 60), "box": box} if shape["p"] * shape["q"] > 40 else None
    )


@kind("""
    story: {A} needs {x length} of fence for {a plot} {p length} long [near {town}|behind the {place}];
           {e} of them are spare.
    story: {a plot} [of|beside] the {place} is {p length} long. {A} buys {x length} of fence, [uses
           most|builds it] and keeps {e} [over|for {B}].
    story: With {x length} of rope {A} goes once round {a plot}, {p length} long, and has {e} left [in
           {town}|for {B}].
    asks: How [wide|broad] is the {plot}?
    asks: What is the width, in {length}?
    works: [Round it|All round] are {y = x - e} {length}, half of it {h = y / 2}. [Width|Less the
           length]: {s = h - p} {length}.
    works: {y = x - e} [go round|are used]. {h = y / 2} is length and width, so {s = h - p} {length} [is
           the width|remain].
    answer: {s length}.
""")
def missing_side(rng):
    shape, e = sides(rng), rng.randint(2, 9)
    return {"p": shape["p"], "x": 2 * (shape["p"] + shape["q"]) + e, "e": e, "plot": a_plot(rng)}


@kind("""
    story: {A} [draws|cuts out] a triangle [at the {place}|in {town}]. One angle has {p degree}, another
           {q}.
    story: [In|On] {A}'s [sketch|map] of {town} the {place}, {C}'s [farm|shop|barn] and {B}'s
           [house|door|well] make a triangle: {p} and {q degree} [are known|at two corners].
    story: A triangular [sail|flag|sign|roof] for the {place} has {p degree} at one corner and {q} at
           [the next|another], [says|writes] {A}.
    asks: [How large is|What does {A} get for] the third angle?
    asks: How many degrees [are left for|has] {A}'s third [angle|corner]?
    works: The two [have|make] {x = p + q}; [to 180|for the third] there remain {s = 180 - x} degrees.
    works: {y = 180 - p}, then {s = y - q} degrees [remain|are left].
    answer: {s degree}.
""")
def third_angle(rng):
    p, q = rng.randint(15, 120), rng.randint(15, 120)
    return {"p": p, "q": q} if p + q < 170 else None


@kind("""
    story: {A} has {x length} of {i} for {B} and cuts {n} pieces of {k length} [from it|at the {place}].
    story: From {x length} of {i} [bought in {town}|at the {place}], {A} cuts {n} pieces, each of
           {k length}.
    story: {B} [orders|needs] {n} pieces of {i}, {k length} each. {A} cuts them from a roll of
           {x length} [in {town}|at the {place}].
    asks: How [long is the rest|many {length} remain]?
    asks: How much {i} is left, in {length}?
    works: [The pieces take|Used]: {y = n * k} {length}. [Left|Rest]: {s = x - y} {length}.
    works: {n} times {k} is {y = n * k}, so {s = x - y} {length} [are left|stay].
    answer: {s length}.
""")
def cut_pieces(rng):
    n, k = rng.randint(3, 14), rng.randint(2, 12)
    i = rng.choice(
        (
            "rope",
            "ribbon",
            "wire",
            "cloth",
            "string",
            "cable",
            "hose",
            "lace",
            "silk",
            "canvas",
            "chain",
            "tape",
        )
    )
    return {"n": n, "k": k, "x": n * k + rng.randint(2, 40), "i": i}


@kind("""
    story: {A} plants trees along a road of {x length} [near {town}|to the {place}], one every
           {k length}, [also|and] at both ends.
    story: A fence of {x length} [behind the {place}|in {town}] has a post every {k length} and at both
           ends, [says|counts] {A}.
    story: [On {weekday},|For {B},] {A} sets lamps {k length} apart along {x length} of
           [path|wall|road], [end to end|both ends too].
    asks: How many [does {A} need|are there]?
    asks: How many does {A} [see|count|want] in all?
    works: There are {n = x / k} gaps and [with one more|so] {s = n + 1} [in all|places].
    works: {n = x / k} gaps; with the [first|last] one {s = n + 1}.
    answer: {s}.
""")
def posts(rng):
    k, n = rng.randint(2, 12), rng.randint(5, 40)
    return {"k": k, "x": k * n}


@kind("""
    story: {A}'s garden has two beds, one {p} by {q length}, the other {h} by {k}. {A he} plants {m t}
           on each square {one length}.
    story: Two [fields|beds] near {town}, {p} by {q} and {h} by {k length}, get {m t} per square
           {one length} from {A}.
    story: [Behind|Near] the {place}, {A} sows {m t} per square {one length} on {p} by {q} and on {h} by
           {k length}.
    asks: How many {t} [is that|are needed]?
    asks: How many {t} does {A} [plant|use]?
    works: {x = p * q} and {y = h * k} [are|make] {n = x + y} square {length}, so {s = n * m} {t}.
    works: [Areas|The beds]: {x = p * q}, {y = h * k}, [together|sum] {n = x + y}. Times {m}:
           {s = m * n} {t}.
    answer: {s t}.
""")
def two_beds(rng):
    plants = (
        "tulip",
        "bean",
        "pea",
        "leek",
        "rose",
        "pansy",
        "daisy",
        "beet",
        "kale plant",
        "onion",
        "poppy",
        "lily",
        "fern",
    )
    return sides(rng, 2, 13) | {
        "h": rng.randint(2, 12), "k": rng.randint(2, 12), "m": rng.randint(2, 9), "t": noun(rng.choice(plants)),
    }  # fmt: skip
