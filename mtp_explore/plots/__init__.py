"""Floor 5: figures from traces and arrays. Opens without torch; plotly loads when the first figure is drawn.

acceptance(traces)       how often the k-th draft is kept, with 95% intervals
histogram(traces)        how many drafts a call keeps
overlap(p, q, labels)    two laws: where they agree, and what is left of the target's
meter(tv, noise)         distance from the target's law as samples accumulate, beside chance
areas(p, q, labels)      the proof of losslessness: the refused area equals the residual's
emitted(law)             an enumerated law beside the target's, and their difference
race(runs)               tokens per call of several methods, prompt by prompt
tallies(values, title)   one number per name
"""

from .laws import areas, emitted, evidence, tallies
from .race import race
from .verdicts import acceptance, histogram, meter, overlap

__all__ = ["acceptance", "areas", "emitted", "evidence", "histogram", "meter", "overlap", "race", "tallies"]
