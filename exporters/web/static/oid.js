// Search as you type on /oid. Without it the form asks the server for a page of results.
"use strict";
(() => {
  const input = document.getElementById("oid-query");
  const list = document.getElementById("oid-results");
  const status = document.getElementById("oid-status");
  const waitMilliseconds = 120;
  let timer = 0;
  let running = null;

  const result = (item) => {
    const link = document.createElement("a");
    link.href = "oid?" + new URLSearchParams({ name: item.name });
    link.textContent = item.name;
    const facts = document.createElement("span");
    facts.className = "hint";
    facts.textContent = [item.oid, item.kind, item.type, item.access].filter(Boolean).join(" · ");
    const entry = document.createElement("li");
    entry.append(link, facts);
    return entry;
  };

  const show = (answer) => {
    list.replaceChildren(...answer.results.map(result));
    const count = answer.results.length;
    status.textContent =
      count === 0 ? "Nothing has that in its name."
      : answer.more ? `The first ${count} objects.`
      : count === 1 ? "1 object." : `${count} objects.`;
  };

  const search = async () => {
    const query = input.value.trim();
    running?.abort();
    running = new AbortController();
    if (query === "") {
      list.replaceChildren();
      status.textContent = "";
      return;
    }
    try {
      const response = await fetch("oid.json?" + new URLSearchParams({ q: query }), {
        signal: running.signal,
      });
      if (!response.ok) throw new Error(`HTTP ${response.status}`);
      show(await response.json());
    } catch (error) {
      if (error.name !== "AbortError") status.textContent = `No answer: ${error.message}.`;
    }
  };

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(search, waitMilliseconds);
  });

  // Down from the field into the results and back; Tab and Enter work as everywhere.
  const move = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const stops = [input, ...list.querySelectorAll("a")];
    const next = stops[stops.indexOf(document.activeElement) + step];
    if (next) {
      event.preventDefault();
      next.focus();
    }
  };
  input.addEventListener("keydown", move);
  list.addEventListener("keydown", move);
})();
