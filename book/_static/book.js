// The theme would ask for the system's colours only after the page has appeared.
const { dataset } = document.documentElement;
if (dataset.theme === "auto") {
  dataset.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

// From disk fonts can't be fetched ahead (tools/site/pictures.py), and would always come too late.
if (!location.protocol.startsWith("http")) {
  for (const font of document.fonts) font.display = "swap";
}

// Mends gaps in accessibility (names of controls, a withdrawn role, empty table headings), makes what
// scrolls reachable by keyboard, and enlarges figures on a tap where the screen is small.
document.addEventListener("DOMContentLoaded", () => {
  for (const summary of document.querySelectorAll(".bd-links summary")) {
    const link = summary.parentElement.parentElement.querySelector("a");
    summary.setAttribute("aria-label", `Sections of ${link ? link.textContent.trim() : "this part"}`);
  }
  document.querySelector(".bd-sidebar-primary .navbar-brand")?.setAttribute("aria-label", "Front page");
  // The role that docutils gives to an entry of the bibliography has been withdrawn.
  for (const entry of document.querySelectorAll("[role=doc-biblioentry]")) entry.setAttribute("role", "listitem");
  // pandas writes empty header cells.
  for (const th of document.querySelectorAll("th:empty")) {
    th.replaceWith(document.createElement("td"));
  }
  for (const image of document.querySelectorAll(".cell_output figure img, .cell_output > .output > img")) {
    image.addEventListener("click", () => image.parentElement.classList.toggle("enlarged"));
  }
  for (const options of document.querySelectorAll("section#check-yourself > ul")) makeQuestion(options);
  // A table or code block that scrolls must be reachable by keyboard.
  for (const box of document.querySelectorAll(".cell_output .text_html, div.highlight > pre, div.math")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
  }
});

// A question of "Check yourself": its list becomes a choice that answers at once. Without this
// script, and in the notebook, it stays a list with its answer folded below.
function makeQuestion(options) {
  const question = options.previousElementSibling;
  const answer = options.nextElementSibling;
  const right = answer.querySelector("p strong").textContent[0];
  const set = document.createElement("fieldset");
  const verdict = document.createElement("p");
  set.className = "quiz";
  verdict.setAttribute("role", "status");
  const legend = document.createElement("legend");
  legend.append(...question.childNodes);
  set.append(legend);
  for (const item of options.children) {
    const label = document.createElement("label");
    const choice = document.createElement("input");
    const letter = item.querySelector("strong").textContent[0];
    Object.assign(choice, { type: "radio", name: legend.textContent, value: letter });
    const text = document.createElement("span");
    text.append(...(item.querySelector("p") || item).childNodes);
    label.append(choice, text);
    choice.addEventListener("change", () => {
      for (const other of set.querySelectorAll("label")) other.classList.remove("right", "wrong");
      label.classList.add(letter === right ? "right" : "wrong");
      verdict.textContent = letter === right ? "Right." : `Not ${letter}. Here is why:`;
      answer.open = true;
    });
    set.append(label);
  }
  set.append(verdict, answer);
  question.remove();
  options.replaceWith(set);
}
