// Runs before the page is drawn, so that chosen colors do not flash. See theme.js.
try {
  const chosen = localStorage.getItem("theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch {
  // A browser without storage shows the system's colors.
}
