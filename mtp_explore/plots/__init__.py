"""Floor 5: figures from traces and arrays. Opens without torch; plotly loads when the first figure is drawn.

acceptance(traces)       how often the k-th draft is kept, with 95% intervals
histogram(traces)        how many drafts a call keeps
overlap(p, q, labels)    two laws: where they agree, and what is left of the target's
meter(tv, noise)         distance from the target's law as samples accumulate, beside chance
areas(p, q, labels)      the proof of losslessness: the refused area equals the residual's
emitted(law)             an enumerated law beside the target's, and their difference
evidence(distances, ..)  what one experiment of the bug hunt shows, in three panels
race(runs)               tokens per call of several methods, prompt by prompt
joint(p, q, texts)       the joint of two tokens beside a shadow of it, and their difference
slices(p, q, texts)      the same for three tokens, with a slider over the first
fidelity(rows)           rank against KL, total variation and expected accepted drafts
spectra(values)          singular values of a joint's cuts, and effective ranks
collapse(weights, ..)    mixture weights while tokens are absorbed
forward(states, tokens)  a hidden chain's states, position by position
nodes(laws, spans, ..)   the states of a tree's nodes over the window
load(weights, steps)     the components' share of the work over a training
accuracy(ranks)          how often the true token k ahead is the first choice, by distance
ranks(ranks)             its rank by distance: median and quantiles
standings(table)         the same for one method as shares: first, second, third to fifth, ...
tallies(values, title)   one number per name
curves(lines, ..)        one number against another, one line per method
spread(values, unit)     one number per context: histograms, means with intervals
microscope(views)        which key may a query see: layouts row by row, gates and positions beside them (HTML)
square(first, second)    two dice and every sentence of two words, target and independent heads
bought(shares, calls)    which slots a budget buys, and tokens per call, with a slider
break_even(points)       cost of a call against tokens per call, and the line above which it pays
"""

from .beliefs import collapse, forward, load, nodes
from .bought import bought
from .curves import curves
from .fidelity import fidelity, spectra
from .joints import joint, slices
from .knowledge import accuracy, ranks, standings
from .laws import areas, emitted, evidence, tallies
from .microscope import microscope
from .price import break_even
from .race import race
from .spread import spread
from .square import square
from .verdicts import acceptance, histogram, meter, overlap

__all__ = [
    "acceptance",
    "accuracy",
    "areas",
    "bought",
    "break_even",
    "collapse",
    "curves",
    "emitted",
    "evidence",
    "fidelity",
    "forward",
    "histogram",
    "joint",
    "load",
    "meter",
    "microscope",
    "nodes",
    "overlap",
    "race",
    "ranks",
    "slices",
    "spectra",
    "spread",
    "square",
    "standings",
    "tallies",
]
