"""One hand-made trace for these tests: partly kept, partly refused calls over a small vocabulary."""

from mtp_explore.trace.records import Drafted, Step, Trace

WORDS = {0: "Once", 1: " there", 2: " was", 3: " a", 4: " fox", 5: " who", 6: " ran"}


def drafted(token: int, verdict: str) -> Drafted:
    p, q = {"kept": (0.6, 0.5), "refused": (0.1, 0.4), "ignored": (0.2, 0.2)}[verdict]
    top = [(token, p), ((token + 1) % 7, 1 - p)], [(token, q), ((token + 2) % 7, 1 - q)]
    return Drafted(token, q, p, min(1, p / q), 0.5, verdict, 0 if verdict == "kept" else None, *top)


def step(index: int, verdicts: str) -> Step:
    """A call whose drafts have these verdicts: k(ept), r(efused), i(gnored)."""
    names = {"k": "kept", "r": "refused", "i": "ignored"}
    drafts = [drafted((index + k) % 7, names[v]) for k, v in enumerate(verdicts)]
    a = verdicts.count("k")
    source = ("plain" if not drafts else "bonus") if a == len(drafts) else "residual"
    return Step(index, 0 if index else None, drafts, a, 6, [d.token for d in drafts[:a]] + [6], source, 0.5, 0.3)


TRACE = Trace(
    prompt=[0],
    prompt_text="Once",
    steps=[step(i, v) for i, v in enumerate(["", "kri", "rii", "kkk", "kkr", "rii", "kkri", "kr"])],
    pieces=WORDS,
    settings={"rule": "rejection", "horizon": 4, "temperature": 1.0},
)
