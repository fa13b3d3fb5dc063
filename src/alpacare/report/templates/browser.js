// The browser of items. Its data is unpacked when it is first needed.

const element = (id) => document.getElementById(id);
const filters = element("filters");
let list = null;
let entries = []; // each item with its test set
let wanted = {}; // the filters' values
let against = ""; // the reference whose tab is open

async function readEntries() {
  const letters = atob(element("items").textContent);
  const packed = new Uint8Array(letters.length);
  for (let n = 0; n < letters.length; n++) packed[n] = letters.charCodeAt(n);
  const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const sets = await new Response(unpacked).json();
  return sets.flatMap(({ test, items }) => items.map((item) => ({ test, item })));
}

const difficultyOf = ({ item }) => (item.difficulty === null ? "unknown" : String(item.difficulty));

// What is searched: text, id and all answers, in small letters; made once.
function textOf(entry) {
  const { id, instruction, input, answers } = entry.item;
  const told = Object.values(answers).flatMap(Object.values).map(([text]) => text);
  entry.text ??= [id, instruction, input, ...told].join("\n").toLowerCase();
  return entry.text;
}

const shownModels = () =>
  [...new Set([wanted.model, wanted.second, wanted.third])].filter((name) => name && name !== "none");

// What the chosen judge says of a model against the chosen reference; a model that is not trained
// here has no seed.
function verdictOn({ item }, model) {
  const seeds = item.against[wanted.against]?.[model];
  return seeds?.[seedOf(seeds, wanted.seed)]?.[wanted.judge];
}

const MARKED = {
  disagree: (entry) => !read(verdictOn(entry, wanted.model)).agree,
  differ: (entry) => new Set(shownModels().map((model) => verdictOn(entry, model)?.[0]).filter(Boolean)).size > 1,
};

function showCount(id, number) {
  const place = element(`count-${id}`);
  if (place) place.textContent = number.toLocaleString("en");
}

// Each item has one outcome, so their counts add up to all.
function applyFilters() {
  const before = wanted.against;
  wanted = Object.fromEntries(new FormData(filters));
  if (wanted.against !== before) against = wanted.against;
  const search = wanted.search.trim().toLowerCase();
  const compared = entries.filter((entry) => verdictOn(entry, wanted.model));
  let among = compared.filter(
    (entry) =>
      (wanted.test === "all" || entry.test === wanted.test) &&
      (wanted.difficulty === "all" || difficultyOf(entry) === wanted.difficulty) &&
      (!search || textOf(entry).includes(search)),
  );
  for (const [name, fits] of Object.entries(MARKED)) {
    const marked = among.filter(fits);
    showCount(name, marked.length);
    if (wanted[name]) among = marked;
  }
  const ended = (outcome) => among.filter((entry) => read(verdictOn(entry, wanted.model)).outcome === outcome);
  for (const outcome of Object.values(OUTCOMES)) showCount(outcome, ended(outcome).length);
  showCount("all", among.length);
  const found = wanted.outcome === "all" ? among : ended(wanted.outcome);
  element("who").textContent = wanted.model;
  element("count").textContent =
    `${found.length.toLocaleString("en")} of ${compared.length.toLocaleString("en")} items: ` +
    `${wanted.model} against ${wanted.against}, judged by ${wanted.judge}.`;
  if (!list.show(found)) list.again();
}

function fillRow(row, entry) {
  const marks = make("span", "marks");
  for (const model of shownModels()) {
    const code = verdictOn(entry, model);
    if (code) marks.append(mark(model, code));
  }
  const { difficulty, kind } = entry.item;
  const where = [entry.test, kind[0], difficulty === null ? null : `difficulty ${difficulty}`];
  row.append(marks, make("span", "what", entry.item.instruction.slice(0, 200)),
    make("span", "where", where.filter(Boolean).join(", ")));
}

function choose(entry) {
  // a reference that did not answer this test set has no tab
  const open = !entry || against in entry.item.against ? against : Object.keys(entry.item.against)[0];
  const view = { against: open, models: shownModels(), seed: wanted.seed, judge: wanted.judge };
  showItem(element("item"), entry, view, (chosen) => {
    against = chosen;
    choose(entry);
    element("item").querySelector("[aria-selected=true]").focus();
  });
  if (entry && started) history.replaceState(null, "", linkTo(entry, open));
}

// Select the item that the address names; filters that hide it are taken back.
async function follow() {
  const parts = /^#item=([^/]+)\/([^/]+)\/([^/]+)$/.exec(location.hash);
  if (!parts) return;
  let [test, reference, id] = [];
  try {
    [test, reference, id] = parts.slice(1).map(decodeURIComponent);
  } catch {
    return; // an address that was cut off
  }
  await start();
  const is = (entry) => entry.test === test && entry.item.id === id;
  const entry = entries.find(is);
  if (!entry || !(reference in entry.item.against)) {
    element("count").textContent = `This report has no item ${test}/${reference}/${id}.`;
    return;
  }
  if (!list.entries.includes(entry)) {
    filters.reset();
    filters.elements.against.value = reference;
    filters.elements.model.value = Object.keys(entry.item.against[reference])[0];
    applyFilters();
  }
  against = reference;
  list.select(list.entries.indexOf(entry));
  element("browse").scrollIntoView();
}

let starting = null;
let started = false; // the address changes when somebody chooses, not when the page opens
function start() {
  starting ??= readEntries().then((unpacked) => {
    entries = unpacked;
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
    element("fold").open = true;
    element("search").focus();
    element("search").select();
  } else {
    element("list").focus({ preventScroll: inList });
    list.move(steps[event.key]);
  }
}

if (filters) {
  const phone = matchMedia("(max-width: 47rem)");
  const fold = () => { element("fold").open = !phone.matches; };
  phone.addEventListener("change", fold);
  fold();
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
