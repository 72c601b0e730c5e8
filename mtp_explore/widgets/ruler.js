/* The ruler over the markup of ruler.py, for every root named `name`. A state is [picks, strips, [[picks, strips, agreement]
   per drafter]]; a strip is a place in `bins`, there [token, from, to, token, from, to, ...] in parts of 1 / fine, -1 where
   none is known. Text of the model enters the page through text nodes only. */
function ruler(name) {
  const STEP = 0.01, PATIENCE = 4000, STILL = 250; /* of an arrow key with a kernel; milliseconds */
  const LOW = "₀₁₂₃₄₅₆₇₈₉";

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
  const low = (k) => [...String(k)].map((digit) => LOW[digit]).join("");

  function start(root) {
    const data = JSON.parse(root.querySelector('script[type="application/json"]').textContent);
    const last = data.w.length - 1, fine = data.fine, pieces = { ...data.pieces };
    const parts = data.states[0].length, names = data.names;
    let w = [...data.w], side = 0, live = false, held = -1, asked = null, again = false, timer = null, number = 0, told = "";

    const unpack = ([picks, strips, sides], pool) => ({
      picks, strips: strips.map((i) => pool[i] ?? null),
      sides: sides.map(([p, s, a]) => ({ picks: [null, ...p], strips: [null, ...s.map((i) => pool[i] ?? null)], agree: [null, ...a] })),
    });
    const first = unpack(data.start, data.bins);
    let now = first;

    /* Die k at the i-th part, the others as they were at first. */
    function stored(k, i) {
      const [picks, strips, sides] = data.states[k][i];
      const strip = (x) => data.bins[x] ?? null;
      return {
        picks: [...first.picks.slice(0, k), ...picks], strips: [...first.strips.slice(0, k + 1), ...strips.map(strip)],
        sides: sides.map(([p, s, a], n) => ({
          picks: [...first.sides[n].picks.slice(0, Math.max(k, 1)), ...p],
          strips: [...first.sides[n].strips.slice(0, k + 1), ...s.map(strip)],
          agree: [...first.sides[n].agree.slice(0, k + 1), ...a],
        })),
      };
    }

    const piece = (token) => pieces[token] ?? `⟨${token}⟩`;
    const word = (token) => {
      const node = el("bdi", "mtp-word");
      for (const part of piece(token).split(/( )/)) if (part) node.append(part === " " ? el("i", "", " ") : part);
      return node;
    };
    const at = (strip, x) => { /* the token in whose bin x lies, null in a gap */
      for (let i = 0; strip && i < strip.length; i += 3) if (x * fine >= strip[i + 1] && x * fine < strip[i + 2]) return strip[i];
      return null;
    };
    const kept = () => {
      let n = 0;
      while (names.length && n < last && now.sides[side].picks[n + 1] === now.picks[n + 1]) n += 1;
      return n;
    };

    /* The parts of the page that stay. */
    const text = el("div", "mtp-ruler-text"), sentence = set(el("p", "mtp-ruler-sentence"), { "aria-live": "polite" });
    const state = el("span", "mtp-ruler-state");
    const chooser = el("span", "mtp-ruler-names", ...names.map((title, n) => {
      const input = set(el("input"), { type: "radio", name: `${name}-side`, value: n });
      input.checked = n === 0;
      input.onchange = () => { side = n; draw(); };
      return el("label", "", input, title);
    }));
    const button = (title, act) => {
      const node = set(el("button", "mtp-ruler-button", title), { type: "button" });
      node.onclick = act;
      return node;
    };
    const back = button("First throw", () => { w = [...data.w]; now = first; told = ""; draw(); if (live) send(); });
    const anew = button("Throw again", () => { w = w.map(() => Math.random()); told = ""; send(); });
    const rows = data.w.map((_, k) => {
      const top = el("span", "mtp-strip p"), same = el("span", "mtp-same"), bottom = el("span", "mtp-strip q");
      const handle = set(el("span", "mtp-handle"), { role: "slider", tabindex: 0, "aria-valuemin": 0, "aria-valuemax": 1, "aria-label": `die ${k}` });
      const track = el("span", "mtp-track", top, ...(names.length ? [same, bottom] : []), handle);
      const verdict = el("span", "mtp-ruler-verdict"), value = el("span", "mtp-ruler-value");
      const row = el("div", "mtp-ruler-row", el("span", "mtp-ruler-place", el("b", "", `w${low(k)}`), value), track, verdict);
      const place = (event) => {
        const box = track.getBoundingClientRect();
        move(k, (event.clientX - box.left) / box.width);
      };
      track.onpointerdown = (event) => {
        if (event.button) return;
        track.setPointerCapture(event.pointerId);
        handle.focus({ preventScroll: true });
        held = k;
        event.preventDefault();
        place(event);
      };
      track.onpointermove = (event) => { if (held === k && track.hasPointerCapture(event.pointerId)) place(event); };
      track.onpointerup = track.onpointercancel = () => { held = -1; settle(); };
      handle.onkeydown = (event) => {
        const step = (live ? STEP : 1 / parts) * (event.shiftKey ? 5 : 1);
        const to = { ArrowRight: w[k] + step, ArrowUp: w[k] + step, ArrowLeft: w[k] - step, ArrowDown: w[k] - step,
          PageUp: w[k] + 5 * step, PageDown: w[k] - 5 * step, Home: 0, End: 1 }[event.key];
        if (to === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
        event.preventDefault();
        event.stopPropagation();
        move(k, to);
        settle();
      };
      return { row, top, same, bottom, handle, verdict, value };
    });

    function move(k, to) {
      const x = Math.max(0, Math.min(1 - 1e-6, to));
      if (!live) {
        const i = Math.min(parts - 1, Math.floor(x * parts));
        w = [...data.w];
        w[k] = (i + 0.5) / parts;
        now = stored(k, i);
        draw(k);
        return;
      }
      w[k] = x;
      const own = at(now.strips[k], x);
      now = { ...now, picks: now.picks.map((t, j) => j === k && own !== null ? own : t), sides: now.sides.map((s) => ({
        ...s, picks: s.picks.map((t, j) => j === k && k ? at(s.strips[k], x) ?? t : t) })) };
      draw(k);
      send();
    }

    /* With a kernel: one question at a time, the newest dice last; strips that take long once the dice lie still. */
    function send(full = false) {
      if (asked) { again = true; return; }
      asked = { id: ++number, full };
      clearTimeout(timer);
      timer = setTimeout(() => { asked = null; live = false; told = "the kernel does not answer"; draw(); }, PATIENCE);
      document.dispatchEvent(new CustomEvent("mtp-ruler-ask", { detail: { name, question: { w, full, id: asked.id } } }));
    }
    function settle() {
      if (!live) return;
      if (asked || held >= 0) { again = true; return; }
      clearTimeout(timer);
      timer = setTimeout(() => send(true), STILL);
    }
    function answer(message) {
      if (!asked || message.id !== asked.id) return;
      const full = asked.full;
      clearTimeout(timer);
      asked = null;
      if (message.error) told = message.error;
      else {
        Object.assign(pieces, message.pieces);
        now = unpack(message.state, message.bins);
        told = `re-drafted in ${message.ms} ms`;
      }
      draw();
      if (again) { again = false; send(); } else if (!full) settle();
    }

    function strip(node, bins, x, draft) {
      const shown = [];
      for (let i = 0; bins && i < bins.length; i += 3) {
        const [token, from, to] = bins.slice(i, i + 3), bin = el("span", "mtp-bin", word(token));
        bin.style.left = `${100 * from / fine}%`;
        bin.style.width = `${100 * (to - from) / fine}%`;
        bin.title = `${piece(token)}: ${((to - from) / fine).toFixed(3)}`;
        bin.classList.toggle("hit", x * fine >= from && x * fine < to);
        shown.push(bin);
      }
      if (!bins && draft != null) { /* no strip: what is named here, and nothing about its neighbours */
        const flag = el("span", "mtp-flag", word(draft));
        flag.style.left = `${100 * x}%`;
        flag.title = "named at this place; what other places of this die would name was not tried";
        shown.push(flag);
      }
      node.replaceChildren(...shown);
    }
    function overlap(node, a, b) {
      const shown = [];
      for (let i = 0; a && b && i < a.length; i += 3) for (let j = 0; j < b.length; j += 3) {
        const from = Math.max(a[i + 1], b[j + 1]), to = Math.min(a[i + 2], b[j + 2]);
        if (a[i] !== b[j] || from >= to) continue;
        const part = el("span");
        part.style.left = `${100 * from / fine}%`;
        part.style.width = `${100 * (to - from) / fine}%`;
        shown.push(part);
      }
      node.replaceChildren(...shown);
    }

    function draw(k = -1) {
      const good = kept(), drafter = names.length ? now.sides[side] : null;
      text.replaceChildren(data.prompt ? el("span", "mtp-ruler-prompt", data.prompt) : "", ...now.picks.map((token, j) => {
        const draft = drafter && j ? drafter.picks[j] : null, right = draft === token;
        const below = draft == null ? el("small", "", "\u00a0") : el("small", right ? "right" : "wrong", word(draft));
        const column = el("span", `mtp-ruler-word${j > good ? " beyond" : ""}${j === k ? " held" : ""}`, el("span", "own", word(token)), below);
        column.onclick = () => rows[j].handle.focus();
        return column;
      }));
      rows.forEach(({ row, top, same, bottom, handle, verdict, value }, j) => {
        const draft = drafter && j ? drafter.picks[j] : null, right = draft === now.picks[j];
        strip(top, now.strips[j], w[j]);
        if (names.length) {
          bottom.hidden = same.hidden = !j;
          if (j) strip(bottom, drafter.strips[j], w[j], draft);
          overlap(same, now.strips[j], j ? drafter.strips[j] : null);
          row.classList.toggle("beyond", j > good + 1);
        }
        value.textContent = w[j].toFixed(3);
        handle.style.left = `${100 * w[j]}%`;
        const said = `target ${piece(now.picks[j])}` + (draft == null ? "" : `, draft ${piece(draft)}`);
        set(handle, { "aria-valuenow": w[j].toFixed(3), "aria-valuetext": `${w[j].toFixed(3)}: ${said}` });
        const share = drafter && j && drafter.agree[j] >= 0 ? el("small", "", `agree on ${drafter.agree[j]} %`) : null;
        verdict.replaceChildren(el("span", "p", word(now.picks[j])), ...(draft == null ? [] : [el("span", `q ${right ? "right" : "wrong"}`, right ? "✓ " : "✗ ", word(draft))]), ...(share ? [share] : []));
        if (names.length && !j) verdict.append(el("small", "", "not drafted"));
      });
      const right = drafter ? now.picks.filter((t, j) => j && drafter.picks[j] === t).length : 0;
      sentence.textContent = drafter ? `${names[side]}: ${right} of ${last} drafts are right, the first ${good} of them in a row; a call commits ${good + 1} token${good ? "s" : ""}.`
        : `With these dice: ${now.picks.map(piece).join("")}`;
      state.textContent = live ? told || "kernel connected: all dice move freely" : `${told ? told + "; " : ""}without a kernel: one die at a time, in ${parts} positions`;
      anew.hidden = !live;
    }

    root.append(el("div", "mtp-ruler-live", text, el("div", "mtp-ruler-bar", chooser, back, anew, state), sentence,
      el("div", "mtp-ruler-rows", ...rows.map(({ row }) => row))));
    root.classList.add("mtp-on");
    /* JupyterLab would take plain keys that a radio button or a button knows; others, as Shift and Enter, are its own. */
    const NATIVE = { INPUT: /^(Arrow|Home|End| )/, BUTTON: /^(Enter| )$/ };
    root.addEventListener("keydown", (event) => {
      const plain = !(event.shiftKey || event.ctrlKey || event.metaKey || event.altKey);
      if (plain && NATIVE[event.target.tagName]?.test(event.key)) event.stopPropagation();
    });
    set(root, { role: "group", "aria-label": "Ruler: drag a die, or move it with the arrow keys" });
    const mine = (act) => (event) => { if (root.isConnected && event.detail.name === name) act(event.detail); };
    document.addEventListener("mtp-ruler-live", mine(() => { live = true; told = ""; draw(); }));
    document.addEventListener("mtp-ruler-gone", mine(() => { live = false; asked = null; clearTimeout(timer); draw(); }));
    document.addEventListener("mtp-ruler-told", mine(({ message }) => answer(message)));
    draw();
    document.dispatchEvent(new CustomEvent("mtp-ruler-hello", { detail: { name } }));
  }

  for (const root of document.querySelectorAll(`.${name}:not(.mtp-on)`)) if (root.querySelector("table")) start(root);
}
