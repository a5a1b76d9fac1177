"use strict";
(() => {
  const page = document.documentElement;

  // Theme: the system's, or the reader's choice until the page is closed.
  const themes = ["system", "light", "dark"];
  const theme = document.getElementById("theme");
  theme.hidden = false;
  theme.addEventListener("click", () => {
    const next = themes[(themes.indexOf(page.dataset.theme || "system") + 1) % themes.length];
    if (next === "system") delete page.dataset.theme;
    else page.dataset.theme = next;
    theme.textContent = `Theme: ${next}`;
  });

  // On a phone, what is looked up rather than read begins closed; a link to it opens it.
  const long = Array.from(document.querySelectorAll("details.long"));
  const openAt = (place) => {
    const section = (part) => `#${part.closest("section").id}`;
    long.filter((part) => place === section(part)).forEach((part) => { part.open = true; });
  };
  if (window.matchMedia("(max-width: 800px)").matches) long.forEach((part) => { part.open = false; });
  openAt(window.location.hash);
  document.querySelectorAll("nav a").forEach((link) => {
    link.addEventListener("click", () => openAt(link.hash));
  });
  window.addEventListener("beforeprint", () => long.forEach((part) => { part.open = true; }));

  // Columns in view.
  const table = document.getElementById("results");
  const views = document.getElementById("views");
  views.hidden = false;
  const show = () => { table.dataset.view = views.querySelector("input:checked").value; };
  views.addEventListener("change", show);
  show();

  // Sorting: missing values last either way, ties in the order of the results.
  const body = table.tBodies[0];
  const rows = Array.from(body.rows);
  const headers = Array.from(table.tHead.rows[0].cells);
  const said = document.getElementById("sorted");
  const words = new Intl.Collator("en", { numeric: true });
  const sortBy = (column, descending) => {
    const numeric = headers[column].classList.contains("numeric");
    const value = (row) => row.cells[column].dataset.sort;
    const sign = descending ? -1 : 1;
    const sorted = rows.slice().sort((a, b) => {
      const [x, y] = [value(a), value(b)];
      if (x === undefined || y === undefined) return (x === undefined) - (y === undefined);
      return sign * (numeric ? Number(x) - Number(y) : words.compare(x, y));
    });
    body.append(...sorted);
    headers.forEach((header, i) => {
      header.setAttribute("aria-sort", i !== column ? "none" : descending ? "descending" : "ascending");
    });
    said.textContent =
      `Sorted by ${headers[column].dataset.title}, ${descending ? "descending" : "ascending"}.`;
  };
  headers.forEach((header, column) => {
    header.querySelector("button").addEventListener("click", () => {
      sortBy(column, header.getAttribute("aria-sort") === "ascending");
    });
  });

  // Tooltip of the plot's points, by pointer, touch or keyboard.
  const tip = document.getElementById("tip");
  const facts = new Map();
  let shown = null;
  const hide = () => { shown = null; tip.hidden = true; };
  const place = () => {
    if (shown === null) return;
    const at = shown.getBoundingClientRect();
    tip.hidden = at.bottom < 0 || at.top > window.innerHeight;
    tip.style.left = tip.style.top = "0";  // else the window's edge would narrow it
    const box = tip.getBoundingClientRect();
    const left = Math.min(at.right + 8, page.clientWidth - box.width - 8);
    const above = at.top - box.height - 8;
    tip.style.left = `${Math.max(left, 8)}px`;
    tip.style.top = `${above > 8 ? above : at.bottom + 8}px`;
  };
  const reveal = (point) => {
    tip.replaceChildren(...facts.get(point).split("\n").map((fact) => {
      const line = document.createElement("div");
      line.textContent = fact;
      return line;
    }));
    shown = point;
    place();
  };
  document.querySelectorAll(".point").forEach((point) => {
    // The browser's own tooltip would stand beside this one.
    const title = point.querySelector("title");
    facts.set(point, title.textContent);
    title.remove();
    ["pointerenter", "focus", "click"].forEach((kind) => {
      point.addEventListener(kind, () => reveal(point));
    });
    ["pointerleave", "blur"].forEach((kind) => point.addEventListener(kind, hide));
  });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
  ["scroll", "resize"].forEach((kind) => window.addEventListener(kind, place, { passive: true }));
})();
