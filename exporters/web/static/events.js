"use strict";

// Adds new events to the table of /events while the page is open. What a sender wrote goes into the
// page as text, never as markup.
(() => {
  const rows = document.getElementById("events");
  const status = document.getElementById("events-status");
  const pause = document.getElementById("events-pause");
  const mostRows = 500;
  let paused = false;
  let waiting = [];
  let missed = 0;

  const cell = (text, className) => {
    const td = document.createElement("td");
    td.textContent = text;
    if (className) td.className = className;
    return td;
  };

  const row = (event) => {
    const tr = document.createElement("tr");
    tr.className = "new";
    const time = document.createElement("time");
    time.dateTime = event.shown.datetime;
    time.textContent = event.shown.time;
    const first = document.createElement("td");
    first.append(time);
    if (event.shown.device_time) {
      const small = document.createElement("small");
      small.textContent = event.shown.device_time;
      first.append(small);
    }
    tr.append(
      first,
      cell(event.shown.device),
      cell(event.severity, event.shown.class),
      cell(event.event),
      cell(event.shown.name),
      cell(event.shown.text, "text"),
    );
    return tr;
  };

  const tell = () => {
    const parts = [paused ? `Paused, ${waiting.length} waiting.` : "Live: new events appear at the top."];
    if (missed) parts.push(`${missed} were too many to show.`);
    status.textContent = parts.join(" ");
  };

  const show = () => {
    const fresh = waiting;
    waiting = [];
    const empty = document.getElementById("events-empty");
    if (fresh.length && empty) empty.remove();
    for (const event of fresh) rows.prepend(row(event));
    while (rows.rows.length > mostRows) rows.lastElementChild.remove();
    tell();
  };

  const schedule = () => {
    if (paused || waiting.scheduled) return;
    waiting.scheduled = true;
    setTimeout(() => { if (!paused) show(); }, 200);
  };

  const source = new EventSource(`events/stream${location.search}`);
  source.addEventListener("event", (message) => {
    waiting.push(JSON.parse(message.data));
    if (waiting.length > mostRows) { waiting.shift(); missed += 1; }
    if (paused) tell();
    schedule();
  });
  source.addEventListener("missed", (message) => {
    missed += Number(message.data);
    tell();
  });
  source.onopen = tell;
  source.onerror = () => { status.textContent = "Not connected; trying again."; };

  pause.hidden = false;
  pause.addEventListener("click", () => {
    paused = !paused;
    pause.textContent = paused ? "Go on" : "Pause";
    pause.setAttribute("aria-pressed", String(paused));
    if (paused) { waiting.scheduled = false; tell(); } else show();
  });
})();
