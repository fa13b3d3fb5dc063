// One test item in full: the task, all answers side by side, what every judge said.

const ORDERS = { model_first: "model first", reference_first: "reference first" };
const MARKS = { won: "W", lost: "L", tied: "T", unreadable: "?" };
const ENDS = { length: "cut off at the limit of tokens", shortened: "shortened for this page" };
const MOST = 4; // marks in a row of the list

function linkTo({ test, against, item }) {
  return `#item=${[test, against, item.id].map(encodeURIComponent).join("/")}`;
}

const nameOf = (model, seed) => (seed ? `${model}, seed ${seed}` : model);

// A letter for what a judge said; dashed where its two orders disagree.
function mark(of, [outcome, same]) {
  const sign = make("span", `mark ${outcome}${same ? "" : " unlike"}`, MARKS[outcome]);
  sign.title = `${of}: ${outcome}${same ? "" : ", and the two orders disagree"}`;
  return sign;
}

// A mark for each verdict, or how many there are of each kind.
function marksOf(heard) {
  if (heard.length <= MOST) return heard.map(({ of, said }) => mark(of, said));
  const counts = Object.keys(MARKS).map((outcome) => [outcome, heard.filter(({ said }) => said[0] === outcome).length]);
  return counts.filter(([, count]) => count).map(([outcome, count]) => {
    const sign = make("span", `mark many ${outcome}`, `${count}${MARKS[outcome]}`);
    sign.title = `${count} ${outcome}`;
    return sign;
  });
}

// `compared`: the models, their seeds and what judges said, as the filters let them through.
function showItem(box, entry, compared) {
  if (!entry) {
    box.replaceChildren(make("p", "nothing", "No item fits these filters."));
    return;
  }
  const { item, against, test } = entry;
  const head = make("header");
  const title = make("h3", "", `${test}, against ${against}`);
  title.id = "item-title";
  const link = make("a", "", "Link to this item");
  link.href = linkTo(entry);
  const kinds = [...item.kind, item.difficulty === null ? null : `difficulty ${item.difficulty}`];
  head.append(title, link, make("p", "kind", kinds.filter(Boolean).join(" · ")));
  box.replaceChildren(head, ...task(item), answers(item, against, compared), verdicts(against, compared),
    ...replies(compared), name(item));
}

// The reference's answers, one for each seed that is shown if it is trained here, then the models'.
function answers(item, against, compared) {
  const box = make("div", "answers");
  const given = item.answers[against] ?? {};
  const seeds = "" in given ? [""] : [...new Set(compared.map(({ seed }) => seed))].filter((seed) => seed in given);
  box.append(...seeds.map((seed) => answer(nameOf(against, seed), given[seed], "other")));
  for (const { model, seed } of compared) {
    box.append(answer(nameOf(model, seed), item.answers[model]?.[seed], "student"));
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
  box.append(make("h4", "", who));
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

function verdicts(against, compared) {
  const table = make("table", "verdicts");
  const head = make("tr");
  for (const title of ["Model", "Judge", ...Object.values(ORDERS), "both"]) {
    const cell = make("th", "", title);
    cell.scope = "col";
    head.append(cell);
  }
  table.append(make("caption", "hidden", "Verdicts"), make("thead"), make("tbody"));
  table.tHead.append(head);
  for (const { model, seed, judges } of compared) {
    for (const [judge, entry] of Object.entries(judges)) {
      table.tBodies[0].append(line(nameOf(model, seed), judge, entry, { model, reference: against, tie: "tie" }));
    }
  }
  const box = make("div", "scroll");
  box.tabIndex = 0;
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", "Verdicts");
  box.append(table);
  return box;
}

// `sides`: who won, by the verdict.
function line(who, judge, entry, sides) {
  const [outcome, same, said] = entry;
  const row = make("tr");
  const name = make("th", "", who);
  name.scope = "row";
  row.append(name, make("td", "", judge));
  for (const order of Object.keys(ORDERS)) {
    const given = said.filter((each) => each[0] === order).map((each) => sides[each[1]] ?? "unreadable");
    row.append(make("td", "", given.join(", ")));
  }
  const both = make("td");
  both.append(mark(`${who}, ${judge}`, entry), ` ${outcome}${same ? "" : ", orders disagree"}`);
  row.append(both);
  return row;
}

function replies(compared) {
  return compared.flatMap(({ model, seed, judges }) =>
    Object.entries(judges)
      .filter(([, [, , said]]) => said.some(([, , raw]) => typeof raw === "string"))
      .map(([judge, [, , said]]) => reply(nameOf(model, seed), judge, said)));
}

function reply(who, judge, said) {
  const box = make("details");
  box.append(make("summary", "", `What ${judge} replied on ${who}`));
  for (const [order, , raw, ratings] of said) {
    const rated = Object.entries(ratings ?? {}).map(([what, [ours, theirs]]) => `${what} ${ours} and ${theirs}`);
    box.append(make("p", "kind", [ORDERS[order], ...rated].join(", ")), words("answer", raw));
  }
  return box;
}

function name(item) {
  return make("p", "kind", `Item ${item.id}; alpacare trace ${item.id} shows where it comes from.`);
}
