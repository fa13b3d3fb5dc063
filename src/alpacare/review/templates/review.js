const fieldsets = [...document.querySelectorAll("fieldset[data-criterion]")];
const choices = { 1: "a", a: "a", 2: "tie", t: "tie", 3: "b", b: "b" };
let marked = 0; // the criterion that the keys 1, 2, 3 answer

// ---- what is shown -------------------------------------------------------------------------------

function show(id) {
  for (const part of ["start", "item", "overview"]) $(part).hidden = part !== id;
  $("bar").hidden = id === "start";
  document.body.dataset.shows = id;
  if (state) showProgress();
  showStatus("");
  window.scrollTo(0, 0);
  $(id).querySelector("h1").focus({ preventScroll: true });
}

function showItem(at) {
  state.at = Math.min(Math.max(at, 0), items.length - 1);
  const { id, instruction, input, a, b } = items[state.at];
  $("title").textContent = `Item ${state.at + 1} of ${items.length}`;
  for (const [part, text] of Object.entries({ instruction, input, a, b })) $(part).textContent = text;
  $("input").hidden = !input;
  $("comment").value = state.said[id]?.comment ?? "";
  mark(Math.max(0, sample.criteria.indexOf(openCriteria(id)[0])));
  showVerdicts();
  keep();
  show("item");
}

function showVerdicts() {
  const said = state.said[items[state.at].id]?.verdicts ?? {};
  fieldsets.forEach((fieldset, place) => {
    fieldset.classList.toggle("marked", place === marked);
    for (const button of fieldset.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", said[fieldset.dataset.criterion] === button.value);
    }
  });
  $("next").textContent = state.at + 1 < items.length ? "Next" : "Finish";
  showProgress();
}

function showProgress() {
  const done = countDone();
  $("place").textContent = `${state.at + 1} / ${items.length}`;
  $("progress").value = done;
  $("done").textContent = `${done} done`;
}

function showOverview() {
  const done = countDone();
  $("summary").textContent =
    done === items.length ? `All ${done} done. Thank you!` : `${done} of ${items.length} done`;
  $("advice").textContent = advice(done);
  $("resume").textContent = done === items.length ? "Look at item 1 again" : "Go on";
  $("other").textContent = `I am not ${state.reviewer} …`;
  $("items").replaceChildren(...items.map(overviewEntry));
  show("overview");
}

function advice(done) {
  if (state.file && state.file === writeFile(sample, state.reviewer, state.said)) {
    return `Your file has all that you have said, ${state.reviewer}. Give it to whoever asked you.`;
  }
  return done === items.length
    ? `${state.reviewer}, save your verdicts as a file now, and give it to whoever asked you.`
    : `${state.reviewer}, what you have said is kept in this browser. You can save a file at any time.`;
}

function overviewEntry({ id }, at) {
  const open = openCriteria(id).length;
  const word = !open ? "done" : open < sample.criteria.length ? "half done" : "open";
  const entry = document.createElement("li");
  const button = document.createElement("button");
  button.type = "button";
  button.className = word.replace(" ", "-");
  button.textContent = at + 1;
  button.setAttribute("aria-label", `Item ${at + 1}, ${word}`);
  button.onclick = () => showItem(at);
  entry.append(button);
  return entry;
}

let hush = 0;
function showStatus(text, { quiet = false } = {}) { // quiet: for ears only
  $("status").className = quiet ? "quiet" : "";
  $("status").textContent = text;
  clearTimeout(hush);
  hush = setTimeout(() => { $("status").textContent = ""; }, 6000);
}

// ---- what a reviewer does ------------------------------------------------------------------------

function mark(place) {
  marked = Math.min(Math.max(place, 0), fieldsets.length - 1);
  showVerdicts();
}

function choose(place, choice) {
  const fieldset = fieldsets[place];
  sayings(items[state.at].id).verdicts[fieldset.dataset.criterion] = choice;
  keep();
  mark(place + 1);
  const word = { a: "A better", b: "B better", tie: "tie" }[choice];
  showStatus(`${fieldset.querySelector("legend b").textContent}: ${word}`, { quiet: true });
}

function goOn() {
  const open = openCriteria(items[state.at].id);
  if (open.length) {
    mark(sample.criteria.indexOf(open[0]));
    const { textContent: title } = fieldsets[marked].querySelector("legend b");
    showStatus(`${title} is still open. The arrows skip this item.`);
  } else if (state.at + 1 < items.length) {
    showItem(state.at + 1);
  } else {
    showOverview();
  }
}

function move(by) {
  if (state.at + by === items.length) showOverview();
  else showItem(state.at + by);
}

function resume() {
  const open = items.findIndex(({ id }) => openCriteria(id).length);
  showItem(Math.max(0, open));
}

function save() {
  state.file = writeFile(sample, state.reviewer, state.said);
  download(fileName(sample, state.reviewer), state.file);
  keep();
  showOverview();
}

async function take(file) {
  try {
    const { reviewer, said } = readFile(sample, await file.text());
    if (state && state.reviewer !== reviewer) {
      throw new Error(`This file is by ${reviewer}, and you are ${state.reviewer}.`);
    }
    state ??= recall(reviewer);
    state.said = { ...state.said, ...said };
    keep();
    showOverview();
  } catch (error) {
    showStatus(error.message);
  }
}

function welcome(name) { // also whoever shares a computer with the last one
  state = null;
  $("name").value = name;
  show("start");
  $("name").focus();
}

function enter(event) {
  event.preventDefault();
  const name = cleanName($("name").value);
  if (!name) return showStatus("Give a name that can be seen.");
  state = recall(name);
  return showItem(state.at);
}

// ---- keys ----------------------------------------------------------------------------------------

const inItem = {
  arrowleft: () => move(-1),
  arrowright: () => move(1),
  arrowup: () => mark(marked - 1),
  arrowdown: () => mark(marked + 1),
  enter: goOn,
  c: () => $("comment").focus(),
  o: showOverview,
};
const inOverview = { enter: resume, o: resume, arrowleft: () => showItem(state.at) };

function pressed(event) {
  const { target } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || $("keys").open || !state) return;
  if (target === $("comment") && event.key === "Escape") $("title").focus({ preventScroll: true });
  if (target.matches("textarea, input")) return;
  const key = event.key.toLowerCase();
  // Enter on a button presses it; on a verdict that is given already it goes on
  if (key === "enter" && target.matches("button:not([aria-pressed=true])")) return;
  const action = actionOf(key);
  if (action) {
    event.preventDefault();
    action();
  }
}

function actionOf(key) {
  if (key === "?") return () => $("keys").showModal();
  if (key === "s") return save;
  if (!$("overview").hidden) return inOverview[key];
  if (Object.hasOwn(choices, key)) return () => choose(marked, choices[key]);
  return inItem[key];
}

// ---- start ---------------------------------------------------------------------------------------

function listen() {
  document.addEventListener("keydown", pressed);
  $("enter").addEventListener("submit", enter);
  for (const id of ["take", "take-start"]) $(id).onclick = () => $("file").click();
  $("file").onchange = () => { take($("file").files[0]); $("file").value = ""; };
  $("comment").oninput = () => { sayings(items[state.at].id).comment = $("comment").value; keep(); };
  fieldsets.forEach((fieldset, place) => fieldset.addEventListener("click", ({ target }) => {
    const button = target.closest("button");
    if (button) choose(place, button.value);
  }));
  const clicks = { back: () => move(-1), forward: () => move(1), next: goOn, save, resume,
    other: () => welcome(""),
    "open-overview": showOverview, "open-keys": () => $("keys").showModal() };
  for (const [id, action] of Object.entries(clicks)) $(id).onclick = action;
  window.addEventListener("storage", ({ key }) => { // the same page in another tab
    if (state && key === store(state.reviewer)) {
      state = { ...recall(state.reviewer), at: state.at };
      if (!$("item").hidden) showVerdicts();
    }
  });
}

listen();
if (lastReviewer()) {
  state = recall(lastReviewer());
  showItem(state.at);
} else {
  welcome(sample.reviewer);
}
