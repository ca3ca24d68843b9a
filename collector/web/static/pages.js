// Searching, sorting and refreshing in place. Without it every page works by its addresses.
"use strict";
(() => {
  const REFRESH_MS = 30_000;
  const plain = (text) => text.normalize("NFKC").toLowerCase();

  // Filters of the list of schools: by the same form that the server answers.
  const form = document.querySelector("form[data-filters]");
  const fits = (row, asked, words) => {
    const text = words.length ? plain(row.cells[0].textContent) : "";
    if (!words.every((word) => text.includes(word))) return false;
    if (asked.district && row.dataset.d !== asked.district) return false;
    if (asked.hearing && row.dataset.h !== asked.hearing) return false;
    const last = row.cells.length;
    if (asked.trouble && row.cells[last - (asked.trouble === "missing" ? 2 : 1)].textContent === "—") return false;
    if (!asked.verdict) return true;
    const names = [...form.elements.indicator.options].slice(1).map((one) => one.value);
    const at = names.indexOf(asked.indicator);
    const cells = at < 0 ? names.map((_, n) => row.cells[3 + n]) : [row.cells[3 + at]];
    return cells.some((cell) => cell.classList.contains(`v-${asked.verdict}`));
  };
  let whole = !form || new URLSearchParams(location.search).size === 0;
  const filter = () => {
    const asked = Object.fromEntries(new FormData(form));
    const words = plain(asked.q.trim()).split(/\s+/).filter(Boolean);
    const rows = [...document.querySelectorAll("#schools tbody tr")];
    let shown = 0;
    for (const row of rows) {
      row.hidden = !fits(row, asked, words);
      shown += !row.hidden;
    }
    const count = document.getElementById("count");
    count.textContent = count.dataset.form.replace("%n", shown).replace("%m", count.dataset.of);
    document.getElementById("none").hidden = shown > 0;
  };
  const address = () => {
    const asked = [...new FormData(form)].filter(([name, value]) => value && !(name === "sort" && value === "name"));
    const query = new URLSearchParams(asked).toString();
    return location.pathname + (query ? `?${query}` : "");
  };
  let waiting = 0;
  const changed = () => {
    history.replaceState(null, "", address());
    if (whole) return filter();
    clearTimeout(waiting); // the page holds a part only: all of it is asked for once
    waiting = setTimeout(async () => {
      await refresh(location.pathname);
      whole = true;
      filter();
      resort();
    }, 150);
  };
  if (form) {
    form.addEventListener("input", changed);
    form.addEventListener("submit", (event) => { event.preventDefault(); changed(); });
    form.querySelector(".reset").addEventListener("click", (event) => {
      event.preventDefault();
      for (const one of form.elements) if (one.name && one.type !== "hidden") one.value = "";
      changed();
    });
  }
  document.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName);
    const search = document.querySelector("input[type=search]");
    if (event.key === "/" && !typing && search) { event.preventDefault(); search.focus(); search.select(); }
  });

  // Sorting: by a column's order of verdicts and states, its numbers, or its text.
  const ORDER = ["verified", "inspected", "declared", "contradicted", "short", "unknown", "reporting", "closed", "silent", "never"];
  const key = (cell) => {
    const state = ORDER.findIndex((name) => cell.classList.contains(`v-${name}`) || cell.classList.contains(`s-${name}`));
    if (state >= 0) return state;
    const text = cell.dataset.s ?? cell.textContent.trim();
    if (text === "—" || text === "") return null;
    const number = Number(text.replace(/%$/, ""));
    return Number.isNaN(number) ? text : number;
  };
  const compare = (a, b) => {
    if (a === null || b === null) return (a === null) - (b === null);
    if (typeof a === "number" && typeof b === "number") return a - b;
    return String(a).localeCompare(String(b), document.documentElement.lang, { numeric: true });
  };
  const sort = (table, column, down) => {
    const body = table.tBodies[0];
    const rows = [...body.rows].map((row) => [key(row.cells[column]), row]);
    const empty = (pair) => pair[0] === null;
    rows.sort((a, b) => (down && !empty(a) && !empty(b) ? compare(b[0], a[0]) : compare(a[0], b[0])));
    body.append(...rows.map((pair) => pair[1]));
    [...table.tHead.rows[0].cells].forEach((cell, at) => {
      if (at === column) cell.setAttribute("aria-sort", down ? "descending" : "ascending");
      else cell.removeAttribute("aria-sort");
    });
  };
  const sorted = new Map();
  const resort = () => sorted.forEach(([column, down], at) => {
    const table = document.querySelectorAll("table[data-sorts]")[at];
    if (table) sort(table, column, down);
  });
  const sortable = () => {
    for (const cell of document.querySelectorAll("table[data-sorts] thead th")) {
      if (cell.querySelector("a, button")) continue;
      const button = document.createElement("button");
      button.append(...cell.childNodes);
      cell.append(button);
    }
  };
  document.addEventListener("click", (event) => {
    const head = event.target.closest("table[data-sorts] thead th");
    if (!head || !event.target.closest("a, button") || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const table = head.closest("table");
    const down = head.getAttribute("aria-sort") === "ascending";
    sort(table, head.cellIndex, down);
    sorted.set([...document.querySelectorAll("table[data-sorts]")].indexOf(table), [head.cellIndex, down]);
    if (form) {
      form.elements.sort.value = new URLSearchParams(head.querySelector("a").search).get("sort");
      form.elements.down.value = down ? "1" : "";
      history.replaceState(null, "", address());
    }
  });

  // Refreshing: the parts that change, not under the hands of whoever uses them.
  const refresh = async (url) => {
    let text;
    try {
      const answer = await fetch(url, { headers: { "X-Refresh": "1" } });
      if (!answer.ok || answer.redirected) return;
      text = await answer.text();
    } catch { return; }
    const fresh = new DOMParser().parseFromString(text, "text/html");
    for (const part of document.querySelectorAll("[data-live]")) {
      const other = fresh.getElementById(part.id);
      if (!other || (part.contains(document.activeElement) && document.activeElement !== document.body)) continue;
      const open = [...part.querySelectorAll("details[open]")].map((one) => one.id);
      const places = [...part.querySelectorAll(".scroll")].map((one) => one.scrollLeft);
      part.replaceChildren(...document.adoptNode(other).childNodes);
      for (const id of open) if (id) document.getElementById(id)?.setAttribute("open", "");
      [...part.querySelectorAll(".scroll")].forEach((one, at) => { one.scrollLeft = places[at] ?? 0; });
    }
    sortable();
  };
  const again = async () => {
    if (document.hidden || !document.querySelector("[data-live]")) return;
    await refresh(form && whole ? location.pathname : location.href);
    if (form && whole) filter();
    resort();
  };
  sortable();
  setInterval(again, REFRESH_MS);
  document.addEventListener("visibilitychange", again);
  window.schoolpulse = { again };
})();
