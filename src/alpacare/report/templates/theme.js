// Before anything is painted: the theme that was chosen here, or the system's.
const dark = matchMedia("(prefers-color-scheme: dark)");

function remembered() {
  try {
    return localStorage.getItem("alpacare-theme");
  } catch {
    return null; // a browser that keeps nothing for files
  }
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  document.getElementById("theme")?.setAttribute("aria-pressed", theme === "dark");
}

const system = () => (dark.matches ? "dark" : "light");
setTheme(remembered() ?? system());
dark.addEventListener("change", () => setTheme(remembered() ?? system()));

document.addEventListener("DOMContentLoaded", () => {
  setTheme(document.documentElement.dataset.theme);
  document.getElementById("theme").addEventListener("click", () => {
    const theme = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    setTheme(theme);
    try {
      if (theme === system()) localStorage.removeItem("alpacare-theme");
      else localStorage.setItem("alpacare-theme", theme);
    } catch {
      // it holds until the page is closed
    }
  });
});
