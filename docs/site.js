// A table that is wider than the screen can be scrolled with the keyboard.
document$.subscribe(() => setTimeout(() => {
  for (const part of document.querySelectorAll(".md-typeset__scrollwrap")) part.tabIndex = 0
}))
