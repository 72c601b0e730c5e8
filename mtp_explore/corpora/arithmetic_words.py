"""The cast of the word problems: people, things, places, units, and small facts that do not matter to the sum."""

from functools import cache
from typing import NamedTuple


class Noun(NamedTuple):
    one: str
    many: str


class Person(NamedTuple):
    name: str
    he: str
    his: str
    him: str


IRREGULAR = {
    "foot": "feet", "loaf": "loaves", "shelf": "shelves", "knife": "knives", "sheep": "sheep", "leaf": "leaves",
    "scarf": "scarves", "half": "halves", "person": "people", "child": "children", "franc": "francs",
    "potato": "potatoes", "tomato": "tomatoes", "mango": "mangoes", "goose": "geese", "calf": "calves",
    "degree": "degrees", "loss": "losses", "man": "men", "woman": "women", "fish": "fish", "chief": "chiefs",
}  # fmt: skip


@cache
def noun(words: str) -> Noun:
    """A noun from its singular; "bag of rice" and "sister of the baker" take the plural on the first word."""
    head, of, rest = words.partition(" of ")
    front, _, last = head.rpartition(" ")
    if last in IRREGULAR:
        many = IRREGULAR[last]
    elif last.endswith(("s", "x", "ch", "sh", "z")):
        many = last + "es"
    elif last.endswith("y") and last[-2] not in "aeiou":
        many = last[:-1] + "ies"
    else:
        many = last + "s"
    return Noun(words, f"{front} {many}".strip() + of + rest)


def article(words: str) -> str:
    """ "a" or "an" before `words`."""
    silent = words.startswith(("hour", "honest", "heir"))
    sounded = words.startswith(("uni", "use", "uku", "euro", "one"))
    return ("an " if silent or (words[0] in "aeiou" and not sounded) else "a ") + words


def _split(text: str) -> tuple[str, ...]:
    return tuple(" ".join(word.split()) for word in text.split(","))


def _people(text: str, he: str, his: str, him: str) -> tuple[Person, ...]:
    return tuple(Person(name, he, his, him) for name in text.split())


PEOPLE = _people(
    "Ada Alma Amina Anna Asha Bea Bella Carla Celia Chloe Clara Daria Della Dora Edith Elena Ella Emma "
    "Erika Esther Eva Fatima Fiona Flora Freya Gemma Greta Hana Hazel Heidi Helen Hilda Ida Ingrid Irene "
    "Iris Ivy Jana Jane Joan Julia Karin Katya Kira Lara Laura Leila Lena Lily Lina Lucia Luna Mabel Maria "
    "Marta Maya Meera Mia Mina Mira Molly Nadia Naomi Nell Nina Nora Olga Olive Paula Pearl Petra Pia Priya "
    "Rita Rosa Ruby Ruth Sara Selma Sofia Sonia Stella Susan Tamar Tara Tessa Thea Tina Uma Vera Viola "
    "Wanda Yara Yuki Zara Zoe",
    "she", "her", "her",
) + _people(
    "Aaron Abel Adam Ahmed Alan Albert Alfred Ali Anton Arthur Axel Ben Boris Bruno Carl Colin Cyril Daniel "
    "David Denny Dylan Edgar Edwin Emil Eric Ethan Felix Finn Frank Fred Gabriel George Gerald Gordon "
    "Gustav Harry Harold Henry Hugo Ian Igor Ivan Jack Jacob Jamal Jan Jasper Joel John Jonah Joseph Karl "
    "Kenji Kevin Kurt Lars Leo Leon Liam Lloyd Louie Luca Malik Marco Mark Martin Max Milo Nathan Neil Noah "
    "Oliver Omar Oscar Otto Owen Pablo Paul Pedro Peter Philip Ralph Ravi Rio Robert Roman Ronan Rufus "
    "Samir Samuel Simon Stefan Sven Theo Tim Tobin Tom Umar Victor Walter Willem Yusuf",
    "he", "his", "him",
)  # fmt: skip

SMALL = _split(  # several of them go into a bag
    "candle, notebook, pencil, brush, ribbon, scarf, hat, glove, mug, plate, bowl, spoon, button, badge, "
    "magnet, stamp, postcard, whistle, puzzle, doll, puppet, marble, balloon, ball, bottle, jar, fork, "
    "comb, bracelet, ring, purse, wallet, key, padlock, bell, torch, battery, envelope, marker, eraser, "
    "ruler, diary, calendar, map, book, novel, magazine, tile, hinge, shell, bead, coin, card, dice cup, "
    "peg, hook, thimble, needle, candlestick, cork, feather"
)
LARGE = _split(
    "lamp, chair, kettle, basket, teapot, jug, vase, mirror, clock, cushion, blanket, towel, rug, curtain, "
    "stool, bench, ladder, hammer, rope, lantern, bucket, broom, kite, drum, flute, bat, racket, tent, "
    "backpack, umbrella, belt, poster, frame, box, crate, tray, pot, pan, fan, cable, folder, globe, atlas, "
    "brick, plank, wheel, helmet, saw, spade, rake, wreath, bookcase, flag, model ship, statue, parasol, "
    "suitcase, hammock, violin, guitar, easel"
)
GOODS = SMALL + LARGE
FOODS = _split(
    "apple, pear, plum, peach, mango, orange, lemon, lime, melon, fig, apricot, banana, carrot, potato, "
    "tomato, onion, turnip, radish, cabbage, pumpkin, cucumber, pepper, mushroom, egg, bun, muffin, "
    "pancake, cookie, biscuit, pie, tart, bagel, pretzel, sandwich, waffle, doughnut, dumpling, walnut, "
    "almond, chestnut, date, cherry, strawberry, loaf of bread"
)
COLOURS = _split(
    "red, blue, green, yellow, white, black, brown, grey, purple, orange, pink, striped, spotted, plain, "
    "small, large, old, new, cheap, fine, spare, round, pretty, sturdy, heavy, light, shiny, painted, "
    "foreign, borrowed"
)
TASTES = _split("small, large, fresh, fine, big, tiny, ripe, local, cheap, plain")
VESSELS = _split(
    "box, bag, basket, crate, tray, carton, sack, bin, case, bucket, trunk, cart, tub, hamper, chest, barrel"
)
MONEY = _split("dollar, euro, pound, crown, franc, peso, florin, guilder, rupee, shilling, ducat, dinar")
LENGTHS = _split("metre, foot, yard, pace")
CROWDS = _split(
    "child, pupil, player, guest, worker, singer, dancer, hiker, cousin, neighbour, friend, student, scout, "
    "visitor, sailor, gardener, baker, painter, farmer, nurse, clerk, runner, rider, actor, camper, "
    "cyclist, tourist, volunteer"
)
ANIMALS = _split(
    "goat, sheep, cow, hen, duck, goose, horse, pony, donkey, rabbit, pig, turkey, calf, llama, lamb, pigeon, dog, cat"
)
SHOPS = _split(
    "market, corner shop, bazaar, village store, fair, museum shop, department store, street stall, flea "
    "market, supermarket, jumble sale, harbour shop, kiosk, school sale, craft fair, garden centre"
)
PLACES = _split(
    "library, school, museum, theatre, factory, bakery, farm, harbour, lighthouse, post office, station, "
    "hotel, hospital, church, town hall, workshop, castle, stadium, cinema, gallery, warehouse, club, camp, "
    "park, zoo, office, inn, mill, barn, tower, laundry"
)
DISHES = _split(
    "soup, stew, curry, risotto, porridge, jam, chutney, fruit salad, lemonade, pudding, bread, pasta, "
    "pizza, custard, goulash, chilli, crumble, cheesecake, gingerbread, dumplings, pancakes, noodles, "
    "paella, ratatouille"
)
INGREDIENTS = _split(
    "flour, sugar, rice, butter, milk, oats, cheese, honey, lentils, cream, beans, raisins, yoghurt, cocoa, "
    "barley, spinach"
)
LIQUIDS = _split("water, milk, juice, cider, cream, vinegar, syrup, tea, cordial, lemonade, broth, rainwater")
VEHICLES = _split("bus, train, lorry, van, car, motorboat, ferry, tram, coach, taxi, truck, minibus")
MAKES = _split("machine, press, oven crew, team, robot, loom, printer, workshop, baker, potter, carpenter, weaver")
PLOTS = _split(
    "garden, field, yard, meadow, lawn, courtyard, orchard, playground, paddock, vineyard, allotment, "
    "pasture, clearing, farmyard, rose garden"
)
ROOMS = _split("kitchen, hall, bedroom, office, studio, attic, cellar, library, classroom, workshop, gallery, lobby")
DAYS = _split("Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday")
MONTHS = {
    "January": 31, "March": 31, "April": 30, "May": 31, "June": 30, "July": 31,
    "August": 31, "September": 30, "October": 31, "November": 30,
}  # fmt: skip
TOWN_FRONT = _split(
    "Ash, Birch, Black, Bram, Bright, Clay, Cold, Crow, East, Elm, Fair, Fern, Fox, Glen, Green, Hart, "
    "Hazel, High, Holly, Iron, Kings, Lake, Long, Maple, Marsh, Mill, Moss, New, North, Oak, Pine, Raven, "
    "Red, Rose, Salt, Sand, Silver, South, Stone, Swan, Thorn, Wald, West, White, Wind, Winter, Wolf"
)
TOWN_BACK = _split(
    "bridge, brook, burn, bury, cliff, combe, dale, dean, field, ford, gate, ham, hill, hurst, leigh, ley, "
    "mere, mouth, port, ridge, side, stead, stow, ton, vale, view, wick, wood, worth"
)

FACTS = (  # sentences about A or the town that do not matter; few and many are idle numbers
    "{A} [lives at number|was born in house|grew up at number] {many} [in|near] {town}.",
    "{B} [has|owns|looks after] {few animal} [at home|near {town}|with help from {more crowd}].",
    "[The sky over|The air in|The road through] {town} is [grey|clear|quiet|warm|cold|dusty|bright|damp] on {weekday}.",
    "[It is|Today is] a [cold|warm|rainy|windy|quiet|busy|sunny|foggy] {weekday} in {town}.",
    "The {place} [of|in|near] {town} [opens|closes] at {few} [sharp|today|on {weekday}s].",
    "{A} [lives|works|studies|stays] [near|beside|behind|across from] the {place} in {town}.",
    "{C}, {A}'s [friend|cousin|neighbour|teacher], [likes|collects|sells|paints] {thing2}.",
    "[Bus|Tram|Train] {many} [stops|turns] [near|at|behind] the {place}.",
    "{A} [carries|keeps|finds|draws|cleans] {a thing2} [today|on {weekday}s|for luck|near the {place}].",
    "{B} [watches|helps|waits|listens] [at|near|outside] the {place}.",
    "[The mayor of|A letter from|A visitor from] {town} [praises|mentions|greets|forgets] {B}.",
    "[[A sign|A notice|A poster] about {thing2} hangs|[A song|A story] about {thing2} is heard]"
    " [near|behind] the {place}.",
    "[Outside|Nearby|Meanwhile], {B} [counts|sorts|mends|draws|washes|photographs] {many thing2}.",
    "{B} [asks|phones|visits|thanks] {C} about the {place}.",
    "{A} [met|saw|passed] {B} [near|at|outside] the {place} [last {weekday}|{few day} ago|in {town}].",
    "The {place} [was built|was painted|opened] {many year} ago.",
    "[It takes|One needs] {many minute} to [walk|ride|get] from the {place} to {town}.",
    "{B} and {C} [argue|talk|laugh|read] about {a thing2} [on {weekday}|all day|near {town}].",
    "[This morning|Tonight|Today|At noon], {a animal} [sleeps|waits|sits] [outside|behind|near] the {place}.",
)
