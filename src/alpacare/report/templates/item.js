// One item in full: the answers side by side, references as tabs, and what every judge said.

const OUTCOMES = { W: "won", L: "lost", T: "tied", "?": "unreadable" };
const SAID = { m: "won", r: "lost", t: "tied", "?": "unreadable" };
const ENDS = { length: "cut off at the limit of tokens", shortened: "shortened for this page" };

function linkTo({ test, item }, against) {
  return `#item=${[test, against, item.id].map(encodeURIComponent).join("/")}`;
}

const nameOf = (model, seed) => (seed ? `${model}, seed ${seed}` : model);

// A verdict as browser.py writes it: "T~m/r".
function read(code) {
  const agree = code[1] !== "~";
  const orders = code.slice(agree ? 1 : 2).split("/").map((said) => [...said].map((one) => SAID[one]).join(" "));
  return { outcome: OUTCOMES[code[0]], agree, orders };
}

// A letter for a verdict; dashed where the two orders disagree.
function mark(of, code) {
  const { outcome, agree } = read(code);
  const sign = make("span", `mark ${outcome}${agree ? "" : " unlike"}`, code[0]);
  sign.title = `${of}: ${outcome}${agree ? "" : ", and the two orders disagree"}`;
  return sign;
}

// `view`: the models that are shown, the seed, the judge whose marks stand on the tabs, and `against`,
// the reference that is shown; `turn` is called with the one whose tab is chosen.
function showItem(box, entry, view, turn) {
  if (!entry) {
    box.replaceChildren(make("p", "nothing", "No item fits these filters."));
    return;
  }
  const { item, test } = entry;
  const head = make("header");
  const title = make("h3", "", test);
  const link = make("a", "", "Link to this item");
  link.href = linkTo(entry, view.against);
  const kinds = [...item.kind, item.difficulty === null ? null : `difficulty ${item.difficulty}`];
  head.append(title, make("p", "kind", kinds.filter(Boolean).join(" · ")), link);
  const panel = make("div");
  panel.id = "panel";
  panel.setAttribute("role", "tabpanel");
  panel.setAttribute("aria-label", `against ${view.against}`);
  panel.append(answers(item, view), verdicts(item, view), ...replies(item, view));
  box.replaceChildren(head, ...task(item), tabs(item, view, turn), panel, name(item));
}

const seedOf = (seeds, seed) => (seeds && "" in seeds ? "" : seed);

function tabs(item, view, turn) {
  const box = make("div", "tabs");
  box.setAttribute("role", "tablist");
  box.setAttribute("aria-label", "Reference");
  for (const [against, models] of Object.entries(item.against)) {
    const chosen = against === view.against;
    const tab = make("button", "", `against ${against} `);
    tab.type = "button";
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-selected", chosen);
    if (chosen) tab.setAttribute("aria-controls", "panel");
    tab.tabIndex = chosen ? 0 : -1;
    for (const model of view.models) {
      const code = models[model]?.[seedOf(models[model], view.seed)]?.[view.judge];
      if (code) tab.append(mark(model, code));
    }
    tab.addEventListener("click", () => turn(against));
    box.append(tab);
  }
  box.addEventListener("keydown", (event) => {
    const next = { ArrowRight: "nextElementSibling", ArrowLeft: "previousElementSibling" }[event.key];
    event.target.closest("[role=tab]")?.[next]?.click();
  });
  return box;
}

// The models beside the reference, which has an answer for each seed if it is trained here.
function answers(item, { against, models, seed }) {
  const box = make("div", "answers");
  const shown = [...models.filter((model) => model !== against), against];
  for (const model of shown) {
    const own = seedOf(item.answers[model], seed);
    const side = model === against ? "reference" : "";
    box.append(answer(nameOf(model, own), item.answers[model]?.[own], side));
  }
  return box;
}

function task(item) {
  const parts = [words("instruction", item.instruction)];
  if (item.input) parts.push(words("input", item.input));
  return parts;
}

function words(kind, text) {
  const element = make("div", `text ${kind}`, text);
  element.dir = "auto";
  return element;
}

function answer(who, given, side) {
  const box = make("section", side);
  box.append(make("h4", "", side ? `${who} (reference)` : who));
  if (!given) {
    box.append(make("p", "nothing", "(left out of this page)"));
    return box;
  }
  const [text, end] = given;
  const about = [`${text.length.toLocaleString("en")} characters`, ENDS[end]];
  box.append(make("p", "kind", about.filter(Boolean).join(", ")));
  box.append(text.trim() ? words("answer", text) : make("p", "nothing", "(empty)"));
  return box;
}

// What every judge said of the models, on every training seed.
function verdicts(item, { against, models }) {
  const shown = models.filter((model) => item.against[against]?.[model]);
  const said = shown.flatMap((model) => Object.values(item.against[against][model]));
  const table = make("table", "verdicts");
  const head = make("tr");
  for (const title of ["judge", ...shown]) {
    const cell = make("th", "", title);
    cell.scope = "col";
    head.append(cell);
  }
  table.append(make("caption", "", `Every verdict against ${against}`), make("thead"), make("tbody"));
  table.tHead.append(head);
  for (const judge of new Set(said.flatMap(Object.keys))) {
    const row = make("tr");
    const name = make("th", "", judge);
    name.scope = "row";
    row.append(name, ...shown.map((model) => cell(model, judge, item.against[against][model])));
    table.tBodies[0].append(row);
  }
  const box = make("div", "scroll");
  box.tabIndex = 0;
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", "Every verdict");
  box.append(table);
  return box;
}

function cell(model, judge, seeds) {
  const box = make("td");
  for (const [seed, judges] of Object.entries(seeds)) {
    const line = make("div");
    const code = judges[judge];
    if (code) line.append(mark(nameOf(model, seed), code), ` ${seed ? `seed ${seed}: ` : ""}${inWords(code)}`);
    box.append(line);
  }
  return box;
}

function inWords(code) {
  const [first, second] = read(code).orders;
  return first === second ? `${first} in both orders` : `${first} when shown first, ${second} when second`;
}

function replies(item, { against, models, seed }) {
  return models.flatMap((model) => {
    const seeds = item.replies[against]?.[model];
    const own = seedOf(seeds, seed);
    return Object.entries(seeds?.[own] ?? {}).map(([judge, said]) => reply(nameOf(model, own), judge, said));
  });
}

function reply(who, judge, said) {
  const box = make("details");
  box.append(make("summary", "", `What ${judge} replied on ${who}`));
  for (const [order, raw, ratings] of said) {
    const rated = Object.entries(ratings ?? {}).map(([what, [ours, theirs]]) => `${what} ${ours} and ${theirs}`);
    const shown = order === "model_first" ? "model shown first" : "reference shown first";
    box.append(make("p", "kind", [shown, ...rated].join(", ")), words("answer", raw));
  }
  return box;
}

function name(item) {
  return make("p", "kind", `Item ${item.id}; alpacare trace ${item.id} shows where it comes from.`);
}
