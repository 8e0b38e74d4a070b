// The theme would ask for the system's colours only after the page has appeared.
const { dataset } = document.documentElement;
if (dataset.theme === "auto") {
  dataset.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

// Mends two gaps in the theme's accessibility (names of controls, empty table headings), makes what
// scrolls reachable by keyboard, and enlarges figures on a tap where the screen is small.
document.addEventListener("DOMContentLoaded", () => {
  for (const summary of document.querySelectorAll(".bd-links summary")) {
    const link = summary.parentElement.parentElement.querySelector("a");
    summary.setAttribute("aria-label", `Sections of ${link ? link.textContent.trim() : "this part"}`);
  }
  document.querySelector(".bd-sidebar-primary .navbar-brand")?.setAttribute("aria-label", "Front page");
  // pandas writes empty header cells.
  for (const th of document.querySelectorAll("th:empty")) {
    th.replaceWith(document.createElement("td"));
  }
  for (const image of document.querySelectorAll(".cell_output figure img, .cell_output > .output > img")) {
    image.addEventListener("click", () => image.parentElement.classList.toggle("enlarged"));
  }
  // A table or code block that scrolls must be reachable by keyboard.
  for (const box of document.querySelectorAll(".cell_output .text_html, div.highlight > pre, div.math")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
  }
});
