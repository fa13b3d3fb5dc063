// One test item in full: the task, both answers side by side, what every judge said.

const SIDES = { model: "student", reference: "reference", tie: "tie" };
const ORDERS = { model_first: "student first", reference_first: "reference first" };
const MARKS = { won: "W", lost: "L", tied: "T", unreadable: "?" };
const ENDS = { length: "cut off at the limit of tokens", shortened: "shortened for this page" };

function linkTo({ test, against, item }) {
  return `#item=${[test, against, item.id].map(encodeURIComponent).join("/")}`;
}

// A letter for what a judge said; dashed where its two orders disagree.
function mark(judge, [outcome, same]) {
  const sign = make("span", `mark ${outcome}${same ? "" : " unlike"}`, MARKS[outcome]);
  sign.title = `${judge}: ${outcome}${same ? "" : ", and the two orders disagree"}`;
  return sign;
}

function showItem(box, entry) {
  if (!entry) {
    box.replaceChildren(make("p", "nothing", "No item fits these filters."));
    return;
  }
  const { item, pair, against, test } = entry;
  const head = make("header");
  const title = make("h3", "", `${test}, against ${against}`);
  title.id = "item-title";
  const link = make("a", "", "Link to this item");
  link.href = linkTo(entry);
  const kinds = [...item.kind, item.difficulty === null ? null : `difficulty ${item.difficulty}`];
  head.append(title, link, make("p", "kind", kinds.filter(Boolean).join(" · ")));
  const answers = make("div", "answers");
  answers.append(answer("Student", item.answer, "student"), answer(against, pair.answer, "other"));
  box.replaceChildren(head, ...task(item), answers, verdicts(pair), ...replies(pair), name(item));
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

function answer(who, [text, end], side) {
  const box = make("section", side);
  const about = [`${text.length.toLocaleString("en")} characters`, ENDS[end]];
  box.append(make("h4", "", who), make("p", "kind", about.filter(Boolean).join(", ")));
  box.append(text.trim() ? words("answer", text) : make("p", "nothing", "(empty)"));
  return box;
}

function verdicts({ judges }) {
  const table = make("table", "verdicts");
  const head = make("tr");
  for (const title of ["Judge", ...Object.values(ORDERS), "both"]) {
    const cell = make("th", "", title);
    cell.scope = "col";
    head.append(cell);
  }
  table.append(make("caption", "hidden", "Verdicts"), make("thead"), make("tbody"));
  table.tHead.append(head);
  for (const [judge, entry] of Object.entries(judges)) table.tBodies[0].append(line(judge, entry));
  return table;
}

function line(judge, entry) {
  const [outcome, same, said] = entry;
  const row = make("tr");
  const name = make("th", "", judge);
  name.scope = "row";
  row.append(name);
  for (const order of Object.keys(ORDERS)) {
    const given = said.filter((each) => each[0] === order).map((each) => SIDES[each[1]] ?? "unreadable");
    row.append(make("td", "", given.join(", ")));
  }
  const both = make("td");
  both.append(mark(judge, entry), ` ${outcome}${same ? "" : ", orders disagree"}`);
  row.append(both);
  return row;
}

function replies({ judges }) {
  const told = Object.entries(judges).filter(([, [, , said]]) => said.some(([, , raw]) => raw !== null));
  return told.map(([judge, [, , said]]) => {
    const box = make("details");
    box.append(make("summary", "", `What ${judge} replied`));
    for (const [order, , raw, ratings] of said) {
      const rated = Object.entries(ratings ?? {}).map(([what, [ours, theirs]]) => `${what} ${ours} and ${theirs}`);
      const about = [ORDERS[order], ...rated].join(", ");
      box.append(make("p", "kind", about), words("answer", raw));
    }
    return box;
  });
}

function name(item) {
  return make("p", "kind", `Item ${item.id}; alpacare trace ${item.id} shows where it comes from.`);
}
