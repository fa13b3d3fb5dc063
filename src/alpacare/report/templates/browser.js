// The browser of test items. Its data is unpacked when it is first needed.

const element = (id) => document.getElementById(id);
const filters = element("filters");
const OUTCOMES = ["all", "lost", "won", "tied", "inconsistent", "unreadable"];
let list = null;
let entries = []; // each test item against each reference that answered it
let wanted = {}; // the filters' values

async function readEntries() {
  const letters = atob(element("items").textContent);
  const packed = new Uint8Array(letters.length);
  for (let n = 0; n < letters.length; n++) packed[n] = letters.charCodeAt(n);
  const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const sets = await new Response(unpacked).json();
  return sets.flatMap(({ test, items }) =>
    items.flatMap((item) =>
      Object.entries(item.against).map(([against, models]) => ({ test, against, item, models })),
    ),
  );
}

const difficultyOf = ({ item }) => (item.difficulty === null ? "unknown" : String(item.difficulty));

// What is searched: task, id, the reference's answers and those compared, in small letters; made once.
function textOf(entry) {
  const { item, against, models } = entry;
  const told = [against, ...Object.keys(models)].flatMap((name) => Object.values(item.answers[name] ?? {}));
  entry.text ??= [item.id, item.instruction, item.input, ...told.map(([text]) => text)].join("\n").toLowerCase();
  return entry.text;
}

// A model that is not trained here has no seed, and counts whichever is wanted.
const seedFits = (seed) => !seed || (wanted.seed ?? "all") === "all" || wanted.seed === seed;

// The comparisons that the filters let through: a model, its training seed, what judges said.
function compared({ models }) {
  return Object.entries(models)
    .filter(([model]) => wanted.model === "all" || model === wanted.model)
    .flatMap(([model, seeds]) =>
      Object.entries(seeds).filter(([seed]) => seedFits(seed)).map(([seed, judges]) => ({ model, seed, judges })));
}

// What judges said in those: the model's name and the judge's, and the entry.
function heard(entry) {
  return compared(entry).flatMap(({ model, seed, judges }) =>
    Object.entries(judges)
      .filter(([judge]) => wanted.judge === "all" || judge === wanted.judge)
      .map(([judge, said]) => ({ of: `${nameOf(model, seed)}, ${judge}`, said })));
}

function fits(outcome, entry) {
  if (outcome === "all") return true;
  if (outcome === "inconsistent") return heard(entry).some(({ said: [, same] }) => !same);
  return heard(entry).some(({ said: [each] }) => each === outcome);
}

function applyFilters() {
  const shown = JSON.stringify([wanted.model, wanted.seed, wanted.judge]);
  wanted = Object.fromEntries(new FormData(filters));
  const search = wanted.search.trim().toLowerCase();
  const among = entries.filter(
    (entry) =>
      (wanted.test === "all" || entry.test === wanted.test) &&
      (wanted.against === "all" || entry.against === wanted.against) &&
      compared(entry).length > 0 &&
      (wanted.difficulty === "all" || difficultyOf(entry) === wanted.difficulty) &&
      (!search || textOf(entry).includes(search)),
  );
  for (const outcome of OUTCOMES) {
    const count = among.filter((entry) => fits(outcome, entry)).length;
    element(`count-${outcome}`).textContent = count.toLocaleString("en");
  }
  const found = among.filter((entry) => fits(wanted.outcome, entry));
  element("count").textContent =
    `${found.length.toLocaleString("en")} of ${entries.length.toLocaleString("en")} tasks, each against a reference`;
  list.show(found);
  if (shown !== JSON.stringify([wanted.model, wanted.seed, wanted.judge])) list.again();
}

function fillRow(row, entry) {
  const marks = make("span", "marks");
  marks.append(...marksOf(heard(entry)));
  const where = `${entry.test}, ${entry.against}` +
    (entry.item.difficulty === null ? "" : `, difficulty ${entry.item.difficulty}`);
  row.append(marks, make("span", "what", entry.item.instruction.slice(0, 200)), make("span", "where", where));
}

function choose(entry) {
  showItem(element("item"), entry, entry && compared(entry));
  if (entry && started) history.replaceState(null, "", linkTo(entry));
}

// Select the item that the address names; filters that hide it are taken back.
async function follow() {
  const parts = /^#item=([^/]+)\/([^/]+)\/([^/]+)$/.exec(location.hash);
  if (!parts) return;
  let [test, against, id] = [];
  try {
    [test, against, id] = parts.slice(1).map(decodeURIComponent);
  } catch {
    return; // an address that was cut off
  }
  await start();
  const is = (entry) => entry.test === test && entry.against === against && entry.item.id === id;
  if (!entries.some(is)) {
    element("count").textContent = `This report has no item ${test}/${against}/${id}.`;
    return;
  }
  if (!list.entries.some(is)) {
    filters.reset();
    applyFilters();
  }
  list.select(list.entries.findIndex(is));
  element("browse").scrollIntoView();
}

let starting = null;
let started = false; // the address changes when somebody chooses, not when the page opens
function start() {
  starting ??= readEntries().then((read) => {
    entries = read;
    list = new List(element("list"), { fill: fillRow, chosen: choose });
    applyFilters();
    started = true;
  }, () => {
    element("count").textContent = "This browser is too old to unpack the items: it takes one of 2023 or newer.";
    throw new Error("the items cannot be unpacked");
  });
  return starting;
}

async function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target.closest("input[type=search], select, textarea");
  if (event.key === "Escape" && typing) element("list").focus();
  if (typing) return;
  const inList = event.target === element("list");
  const steps = { j: 1, k: -1, ...(inList && { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8, Home: -1e9, End: 1e9 }) };
  if (event.key !== "/" && !(event.key in steps)) return;
  event.preventDefault();
  await start();
  if (event.key === "/") {
    element("search").focus();
    element("search").select();
  } else {
    element("list").focus({ preventScroll: inList });
    list.move(steps[event.key]);
  }
}

if (filters) {
  const near = new IntersectionObserver((seen) => {
    if (seen.some((each) => each.isIntersecting)) start();
  }, { rootMargin: "600px" });
  near.observe(element("browse"));
  filters.addEventListener("input", () => (list ? applyFilters() : start()));
  filters.addEventListener("submit", (event) => event.preventDefault());
  filters.addEventListener("reset", () => setTimeout(() => list && applyFilters()));
  document.addEventListener("keydown", onKey);
  addEventListener("hashchange", follow);
  follow();
}
