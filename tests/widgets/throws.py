"""Throws without a model, for the tests of the ruler: four dice, and tokens that follow from all dice before them."""

from mtp_explore.widgets.ruler import Side, Throw

PARTS, PLACES = 10, 4
PIECES = ["A", " b", "<img src=x>", " d", "e", "\n", " g", "h"]


def throw(w, full: bool = True) -> Throw:
    """Two tokens per place, cut at one half; which two hangs on how many dice before lie in the upper half. The drafter
    "twin" does as the target does, "deaf" always takes the first pair, "mute" has strips only when `full`.
    """
    bins, picks, deaf = [], [], []
    for k, x in enumerate(w):
        pair = 2 * (sum(y >= 0.5 for y in w[:k]) % 4)
        bins.append([(pair, 0.0, 0.5), (pair + 1, 0.5, 1.0)])
        picks.append(pair + (x >= 0.5))
        deaf.append(int(x >= 0.5))
    sides = {
        "twin": Side(picks[1:], bins[1:], [1.0] * (PLACES - 1)),
        "deaf": Side(
            deaf[1:], [[(0, 0.0, 0.5), (1, 0.5, 1.0)]] * (PLACES - 1), [float(b[0][0] == 0) for b in bins[1:]]
        ),
        "mute": Side(picks[1:], bins[1:] if full else [None] * (PLACES - 1), [None] * (PLACES - 1)),
    }
    return Throw(list(w), picks, bins, sides)


def grid(w):
    places = [(i + 0.5) / PARTS for i in range(PARTS)]
    return [[throw([*w[:k], x, *w[k + 1 :]], full=False) for x in places] for k in range(PLACES)]


START = (0.2, 0.7, 0.3, 0.9)
