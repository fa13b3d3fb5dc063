// What the reviewer has said, kept in the browser after every change.
const $ = (id) => document.getElementById(id);
const sample = JSON.parse($("sample").textContent);
const items = sample.items;
const store = (reviewer) => `alpacare-review:${sample.sample}:${reviewer}`;
const LAST = `alpacare-review:${sample.sample}`; // whose review it was when the page was last open

let state = null; // {reviewer, at, said: {id: {verdicts, comment}}, file}; `file`: what was last saved

function sayings(id) {
  return (state.said[id] ??= { verdicts: {}, comment: "" });
}

function openCriteria(id) {
  return sample.criteria.filter((name) => !state.said[id]?.verdicts[name]);
}

function countDone() {
  return items.filter(({ id }) => !openCriteria(id).length).length;
}

function keep() {
  try {
    localStorage.setItem(store(state.reviewer), JSON.stringify(state));
    localStorage.setItem(LAST, state.reviewer);
    $("saved").textContent = "Saved";
  } catch {
    $("saved").textContent = "Not saved: this browser keeps nothing. Save a file before you close.";
  }
}

function recall(reviewer) {
  try {
    const kept = JSON.parse(localStorage.getItem(store(reviewer)));
    if (kept?.said) return kept;
  } catch { /* nothing is kept here, or nothing that can be read */ }
  return { reviewer, at: 0, said: {}, file: "" };
}

function lastReviewer() {
  try {
    return localStorage.getItem(LAST);
  } catch {
    return null;
  }
}
