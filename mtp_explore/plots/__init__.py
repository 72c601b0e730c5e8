"""Floor 5: figures from traces and arrays. Opens without torch; plotly loads when the first figure is drawn.

acceptance(traces)       how often the k-th draft is kept, with 95% intervals
histogram(traces)        how many drafts a call keeps
overlap(p, q, labels)    two laws: where they agree, and what is left of the target's
meter(tv, noise)         distance from the target's law as samples accumulate, beside chance
"""

from .verdicts import acceptance, histogram, meter, overlap

__all__ = ["acceptance", "histogram", "meter", "overlap"]
