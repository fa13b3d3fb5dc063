// For readers who use a keyboard or a screen reader: wide tables scroll, and the search has a name.
document$.subscribe(() => setTimeout(() => {
  for (const part of document.querySelectorAll(".md-typeset__scrollwrap")) part.tabIndex = 0
  document.querySelector(".md-search")?.setAttribute("aria-label", "Search")
}))
