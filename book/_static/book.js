// Two gaps in the theme's accessibility: controls and tables that a screen reader can't name.
document.addEventListener("DOMContentLoaded", () => {
  for (const summary of document.querySelectorAll(".bd-links summary")) {
    const link = summary.parentElement.parentElement.querySelector("a");
    summary.setAttribute("aria-label", `Sections of ${link ? link.textContent.trim() : "this part"}`);
  }
  document.querySelector(".bd-sidebar-primary .navbar-brand")?.setAttribute("aria-label", "Front page");
  // pandas writes empty header cells.
  for (const th of document.querySelectorAll("th:empty")) {
    const td = document.createElement("td");
    th.replaceWith(td);
  }
  // A table or code block that scrolls must be reachable by keyboard.
  for (const box of document.querySelectorAll(".cell_output .text_html, div.highlight > pre, div.math")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
  }
});
