// Keeps an open court page current: marks hours that somebody else takes or gives back meanwhile.
"use strict";

const list = document.querySelector("[data-live]");
if (list) {
  const stream = new EventSource(list.dataset.live);
  stream.addEventListener("taken", (event) => {
    const taken = new Set(JSON.parse(event.data).taken);
    for (const item of list.querySelectorAll("[data-slot]")) {
      const link = item.querySelector("a");
      const word = item.querySelector("span");
      if (word.textContent === "over") continue;
      const gone = taken.has(Number(item.dataset.slot));
      item.classList.toggle("gone", gone);
      word.textContent = gone ? "taken" : "free";
      if (gone) {
        link.removeAttribute("href");
        link.setAttribute("aria-disabled", "true");
      } else {
        link.setAttribute("href", `/book/${item.dataset.slot}`);
        link.removeAttribute("aria-disabled");
      }
    }
  });
}
