// A list of thousands: only the rows in sight are in the page.

const ROW = 52; // pixels, as in report.css
const SPARE = 6; // rows kept ready above and below

class List {
  // `fill(row, entry)` writes an entry into an empty row; `chosen(entry)` hears of the selection.
  constructor(box, { fill, chosen }) {
    Object.assign(this, { box, fill, chosen, entries: [], at: -1, shown: "" });
    this.inner = box.firstElementChild;
    box.addEventListener("scroll", () => this.draw(), { passive: true });
    box.addEventListener("click", (event) => {
      const row = event.target.closest("[role=option]");
      if (row) this.select(Number(row.dataset.place));
    });
    new ResizeObserver(() => this.draw()).observe(box);
  }

  // Show these entries; the one that was selected stays so if it is among them. Say whether another
  // one is selected now.
  show(entries) {
    const selected = this.entries[this.at];
    this.entries = entries;
    this.at = entries.indexOf(selected);
    this.inner.style.height = `${entries.length * ROW}px`;
    this.shown = "";
    if (this.at >= 0) this.reveal();
    else this.box.scrollTop = 0;
    this.draw();
    if (this.at >= 0) return false;
    if (entries.length) this.select(0);
    else this.chosen(null);
    return true;
  }

  select(place) {
    if (place < 0 || place >= this.entries.length) return;
    this.at = place;
    this.reveal();
    this.shown = "";
    this.draw();
    this.chosen(this.entries[place]);
  }

  // Tell of the selection again, as it is shown otherwise now.
  again() {
    if (this.at >= 0) this.chosen(this.entries[this.at]);
  }

  move(by) {
    this.select(Math.max(0, Math.min(this.entries.length - 1, this.at + by)));
  }

  reveal() {
    const top = this.at * ROW;
    const { scrollTop, clientHeight } = this.box;
    if (top < scrollTop) this.box.scrollTop = top;
    else if (top + ROW > scrollTop + clientHeight) this.box.scrollTop = top + ROW - clientHeight;
  }

  draw() {
    const first = Math.max(0, Math.floor(this.box.scrollTop / ROW) - SPARE);
    const last = Math.ceil((this.box.scrollTop + this.box.clientHeight) / ROW) + SPARE;
    if (this.shown === `${first} ${last}`) return;
    this.shown = `${first} ${last}`;
    const rows = this.entries.slice(first, last).map((entry, n) => this.row(entry, first + n));
    this.inner.replaceChildren(...rows);
    const active = this.at >= first && this.at < last ? `row-${this.at}` : null;
    if (active) this.box.setAttribute("aria-activedescendant", active);
    else this.box.removeAttribute("aria-activedescendant");
  }

  row(entry, place) {
    const row = make("div", "row");
    row.setAttribute("role", "option");
    row.setAttribute("aria-selected", place === this.at);
    row.setAttribute("aria-setsize", this.entries.length);
    row.setAttribute("aria-posinset", place + 1);
    row.id = `row-${place}`;
    row.dataset.place = place;
    row.style.transform = `translateY(${place * ROW}px)`;
    this.fill(row, entry);
    return row;
  }
}

// An element; its text is never read as markup.
function make(tag, name = "", text = null) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  if (text !== null) element.textContent = text;
  return element;
}
