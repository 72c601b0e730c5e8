/* The token player's upper layer: controls, lanes and details over the markup of html.py, for every root named `name`.
   A step is [pending, drafts, accepted, committed, own, belief]; a draft [token, q, p, chance, coin, verdict], where it was
   looked at with [..., who took its place, p top, q top]; own [token, p, u, source, p top, residual top]; a top list
   [token, probability, token, probability, ...]. Text of the trace enters the page through text nodes only. */
function player(name) {
  const PACE = 1100; /* milliseconds per call while playing */
  const FROM = new Map([["target", "own pick"], ["plain", "own pick"]]); /* others are said as they are */

  const el = (tag, className, ...children) => {
    const node = document.createElement(tag);
    if (className) node.className = className;
    node.append(...children.filter((child) => child != null));
    return node;
  };
  const set = (node, attributes) => {
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    return node;
  };
  const number = (x) => x == null ? "" : x === 0 || x === 1 ? String(x) : x < 1e-4 ? x.toExponential(0)
    : x >= 0.01 ? x.toFixed(2) : String(+x.toPrecision(1));
  const against = (coin, chance, won) => { /* `won` decides the sign where rounding hides it */
    let [left, right] = [coin, chance].map(number);
    for (let d = 3; d < 6 && coin !== chance && left === right; d++) [left, right] = [coin.toFixed(d), chance.toFixed(d)];
    return `${left} ${won ?? coin < chance ? "<" : coin > chance ? ">" : "≥"} ${right}`;
  };
  const bar = (kind, share) => {
    const node = el("span", `mtp-bar ${kind}`, el("span"));
    node.style.setProperty("--w", Math.max(0, Math.min(1, share || 0)));
    return node;
  };
  const meter = (kind, share) => el("span", "mtp-cell", el("span", "", number(share)), share == null ? null : bar(kind, share));

  function start(root) {
    const data = JSON.parse(root.querySelector('script[type="application/json"]').textContent);
    const steps = data.steps, last = steps.length - 1, greedy = data.rule === "greedy", match = data.rule === "match";
    const chunks = root.querySelectorAll(".mtp-text > span"), calls = root.querySelectorAll(".mtp-calls > details");
    const most = Math.max(1, ...steps.map((s) => s[1].length));
    const pieces = new Map(Object.entries(data.pieces)), piece = (token) => pieces.get(String(token)) ?? `⟨${token}⟩`;
    const verdicts = [["✓", "kept"], ["✗", "refused"], ["·", data.rule === "block" ? "dropped" : "unseen"]];
    let now = data.start, chosen = 0, timer = null;

    /* A piece with its spaces marked, isolated from the direction of its neighbours. */
    const word = (token) => {
      const node = el("bdi", "mtp-word");
      for (const part of piece(token).split(/( )/)) if (part) node.append(part === " " ? el("i", "", " ") : part);
      node.title = piece(token);
      return node;
    };

    const button = (icon, label, act) => {
      const node = set(el("button", "mtp-button", el("span", `mtp-icon ${icon}`)), { type: "button", "aria-label": label, title: label });
      node.onclick = act;
      return node;
    };
    const back = button("back", "Previous call", () => go(now - 1)), next = button("next", "Next call", () => go(now + 1));
    const run = button("play", "Play", () => play(timer === null));
    const range = set(el("input"), { type: "range", min: 1, max: last + 1, step: 1, "aria-label": "Call" });
    range.oninput = () => go(range.value - 1);
    const sparks = steps.map((s) => {
      const node = el("span", "", el("span"));
      node.style.setProperty("--n", s[1].length / most);
      node.style.setProperty("--a", Math.min(s[2], s[3]) / most);
      return node;
    });
    const scrub = el("span", "mtp-scrub", ...sparks, range);
    scrub.style.setProperty("--calls", steps.length);
    const tally = Array(most + 1).fill(0);
    for (const s of steps) if (s[1].length) tally[Math.min(s[2], s[3])] += 1;
    scrub.title = `Drafts kept per call, in front of drafts made; calls that kept ${tally.map((n, kept) => `${kept}: ${n}`).join(", ")}`;
    const count = el("span", "mtp-count");
    const lanes = el("div", "mtp-lanes");
    const sentence = set(el("p", "mtp-sentence"), { "aria-live": "polite" });
    const detail = el("div", "mtp-detail");
    const panel = el("div", "mtp-panel", el("div", "mtp-bar-row", back, run, next, scrub, count), lanes, sentence, detail);

    function lane(kind, head, token, rows, label, place) {
      const node = el(place ? "button" : "div", `mtp-lane ${kind}`, el("span", "mtp-place", head), word(token), ...rows);
      if (!place) return node;
      set(node, { type: "button", "aria-label": label });
      node.onfocus = node.onmouseenter = node.onclick = () => choose(place);
      return node;
    }

    /* The toss: a tick where the coin fell, on the bar of the chance, or where u fell on the bare unit interval. */
    function toss(text, coin, chance) {
      if (greedy) return null;
      const track = bar("chance", chance);
      track.style.setProperty("--coin", coin);
      track.append(el("b"));
      return el("span", "mtp-cell mtp-toss", el("span", "", text), track);
    }

    function draftLane([token, q, p, told, coin, verdict], k) {
      const chance = data.rule === "block" ? told : q ? Math.min(1, p / q) : 1;
      const won = data.rule === "block" || verdict === 2 ? undefined : verdict === 0;
      const [sign, said] = verdicts[verdict];
      const label = `Draft ${k + 1} ${piece(token)}: target ${number(p)}, draft ${number(q)}, ${said}`;
      return lane(["kept", "refused", "ignored"][verdict], `d${k + 1}`, token, [meter("q", q), meter("p", p),
        match ? toss(number(coin), coin, 0) : toss(against(coin, chance, won), coin, chance),
        el("span", "mtp-verdict", `${sign} ${said}`)], label, k + 1);
    }

    function ownLane([token, p, u, source], committed, place) {
      const said = committed ? FROM.get(source) ?? source : "cut off";
      const empty = () => el("span", "mtp-cell");
      return lane(committed ? "own" : "own cut", "y′ ★", token, [empty(), meter("p", p), match ? toss(number(u), u, 0) : greedy ? null : empty(),
        el("span", "mtp-verdict", said)], `The target's ${piece(token)}: probability ${number(p)}, ${said}`, place);
    }

    function drawLanes([pending, drafts, accepted, committed, own]) {
      const names = ["", "", "draft q", "target p", ...(greedy ? [] : [match ? "u" : "coin"]), ""];
      const rows = names.map((text) => el("span", "", text));
      const nodes = [el("div", "mtp-names", ...rows)];
      if (pending !== null) nodes.push(lane("pending", "y", pending, [...rows.slice(2, -1).map(() => el("span")), el("span", "mtp-verdict", "read now")]));
      drafts.forEach((draft, k) => nodes.push(draftLane(draft, k)));
      nodes.push(ownLane(own, committed > accepted, drafts.length + 1));
      const inside = lanes.contains(document.activeElement) ? document.activeElement.mtpPlace : 0;
      lanes.replaceChildren(...nodes);
      [...lanes.querySelectorAll("button")].forEach((node, i) => { node.mtpPlace = i + 1; });
      if (inside) (lanes.querySelectorAll("button")[inside - 1] ?? root).focus({ preventScroll: true });
    }

    function list(title, kind, law, marked, star) {
      const table = el("div", "mtp-law", el("b", "", title));
      for (let i = 0; i < law.length; i += 2) {
        const shown = word(law[i]);
        if (law[i] === marked) shown.classList.add("drafted");
        if (law[i] === star) shown.append(el("sup", "", "★"));
        table.append(el("span", "mtp-row", shown, bar(kind, law[i + 1]), el("span", "", number(law[i + 1]))));
      }
      return table;
    }

    function beliefs(belief) {
      if (!belief.length) return null;
      const box = el("div", "mtp-law mtp-belief", el("b", "", "The drafter's belief"));
      for (const [key, value] of belief) {
        const rows = typeof value === "string" ? [] : Array.isArray(value[0]) ? value : [value];
        const top = Math.max(...rows.flat().map(Math.abs), 1e-9);
        const strips = rows.length && rows[0].length === 1 ? [String(rows[0][0])] : rows.map((row) => {
          const strip = el("span", "mtp-strip", ...row.map((x) => {
            const cell = set(el("span"), { title: String(x) });
            cell.style.setProperty("--h", Math.abs(x) / top);
            return cell;
          }));
          return strip;
        });
        box.append(el("span", "mtp-row", el("bdi", "", key), el("span", "mtp-strips", ...(rows.length ? strips : [value]))));
      }
      return box;
    }

    function choose(place) {
      const [, drafts, , , own, belief] = steps[now], draft = drafts[place - 1], fallen = drafts.find((d) => d[5] === 1);
      chosen = place;
      lanes.querySelectorAll("button").forEach((node, i) => node.setAttribute("aria-pressed", i + 1 === place));
      const refused = draft && draft[5] === 1, star = refused || !draft ? own[0] : draft[5] === 0 ? draft[0] : null;
      const lists = !draft ? [list("Target p", "p", fallen ? fallen[7] : own[4], null, star)]
        : draft[7] ? [list("Draft q", "q", draft[8], draft[0], star), list("Target p", "p", draft[7], draft[0], star)]
          : [el("div", "mtp-law", el("b", "", "Not looked at"), el("span", "", "An earlier draft fell, so this one was dropped unseen."))];
      if ((refused || !draft) && own[5].length) lists.push(list(data.rule === "block" ? "Residual (P p − q)₊, scaled" : "Residual (p − q)₊, scaled", "residual", own[5], null, star));
      const rank = draft?.[6] ? ` · the token that came to stand here was ${draft[6]}` : "";
      const head = el("div", "mtp-head", draft ? `Draft ${place} ` : "The target's own ", word(draft ? draft[0] : own[0]), rank);
      detail.replaceChildren(head, ...lists, ...(beliefs(belief) ? [beliefs(belief)] : []));
    }

    function go(step) {
      now = Math.max(0, Math.min(last, step));
      const s = steps[now];
      chunks.forEach((chunk, i) => {
        chunk.classList.toggle("now", i === now);
        chunk.classList.toggle("later", i > now);
      });
      calls.forEach((call, i) => { call.hidden = i !== now; });
      sparks.forEach((spark, i) => spark.classList.toggle("now", i === now));
      range.value = now + 1;
      sentence.textContent = calls[now].querySelector("p").textContent;
      range.setAttribute("aria-valuetext", `call ${now + 1} of ${last + 1}`);
      const tokens = steps.slice(0, now + 1).reduce((sum, each) => sum + each[3], 0);
      count.textContent = `call ${now + 1} of ${last + 1} · ${tokens} tokens · ${(tokens / (now + 1)).toFixed(1)} per call`;
      back.disabled = now === 0;
      next.disabled = now === last;
      drawLanes(s);
      const fallen = s[1].findIndex((draft) => draft[5] === 1);
      choose(fallen >= 0 ? fallen + 1 : s[1].length + 1);
      const box = chunks[now].parentNode, chunk = chunks[now];
      if (box.scrollHeight > box.clientHeight) box.scrollTop = chunk.offsetTop - box.clientHeight / 2;
    }

    function play(on) {
      clearInterval(timer);
      timer = on ? setInterval(() => root.isConnected && now < last ? go(now + 1) : play(false), PACE) : null;
      run.firstChild.className = `mtp-icon ${on ? "pause" : "play"}`;
      set(run, { "aria-label": on ? "Pause" : "Play", title: on ? "Pause" : "Play" });
      if (on && now === last) go(0);
    }

    /* JupyterLab would take plain keys that a button, the slider or a fold knows. */
    const NATIVE = { INPUT: /^(Arrow|Page|Home|End)/, BUTTON: /^(Enter| )$/, SUMMARY: /^(Enter| )$/ };
    const KEYS = { ArrowRight: () => go(now + 1), ArrowLeft: () => go(now - 1), Home: () => go(0), End: () => go(last), " ": () => play(timer === null) };
    root.addEventListener("keydown", (event) => {
      const act = KEYS[event.key], own = event.key === " " && event.target.closest("summary, .mtp-button");
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (!event.shiftKey && NATIVE[event.target.tagName]?.test(event.key)) event.stopPropagation();
      if (!act || own) return;
      event.preventDefault();
      event.stopPropagation();
      act();
    });
    chunks.forEach((chunk, i) => { chunk.onclick = () => go(i); });
    root.classList.add("mtp-live", `mtp-${data.rule}`);
    set(root, { role: "group", tabindex: 0, "aria-label": "Token player: arrow keys step, Home and End jump, space plays",
      "data-lm-suppress-shortcuts": "true" }); /* the last: JupyterLab leaves the arrow keys to the player */
    root.querySelector(".mtp-text").after(panel);
    play(false);
    go(now);
  }

  for (const root of document.querySelectorAll(`.${name}:not(.mtp-live)`)) if (root.querySelector("details")) start(root);
}
