// Search and filters over the schools; everything is in the page, nothing is asked for.
"use strict";
(() => {
  const form = document.querySelector(".filters");
  const rows = [...document.querySelectorAll("tr.school")];
  const bodies = [...document.querySelectorAll("tbody[data-district]")];
  const count = form.querySelector("output");
  const table = document.querySelector(".schools");
  const long = 60; // schools: more would print as a book that nobody asked for
  const none = document.querySelector(".none");

  const fits = (row, wanted) =>
    wanted.words.every((word) => row.dataset.text.includes(word)) &&
    wanted.verdicts.every(([name, verdict]) => row.dataset[name].split(" ").includes(verdict)) &&
    (!wanted.district || row.parentElement.dataset.district === wanted.district) &&
    (!wanted.open || "open" in row.dataset);

  const asked = () => {
    const given = new FormData(form);
    return {
      words: (given.get("text") || "").toLowerCase().split(/\s+/).filter(Boolean),
      district: given.get("district"),
      open: given.has("open"),
      verdicts: [...given].filter(([name, value]) => /^i\d+$/.test(name) && value),
    };
  };

  const apply = () => {
    const wanted = asked();
    for (const row of rows) row.hidden = !fits(row, wanted);
    for (const body of bodies) body.hidden = !body.querySelector("tr.school:not([hidden])");
    const shown = rows.filter((row) => !row.hidden).length;
    none.hidden = shown > 0;
    table.classList.toggle("long", shown > long);
    count.textContent = count.dataset.words.replace("{shown}", shown).replace("{all}", rows.length);
  };

  form.hidden = rows.length < 2;
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(apply));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
    event.preventDefault();
    form.elements.text.focus();
  });
  apply();
})();
