// The script inside a flame graph: zoom by click, search by Ctrl-F or the link, details on hover.
"use strict";
(function () {
  const svg = document.getElementById("graph");
  const usable = parseFloat(svg.dataset.usable), side = parseFloat(svg.dataset.side), charWidth = 7.3, padding = 6;
  const details = document.getElementById("details"), matched = document.getElementById("matched");
  const reset = document.getElementById("reset"), search = document.getElementById("search");
  const frames = Array.from(document.querySelectorAll(".f")).map(function (g) {
    return { g: g, x: parseFloat(g.dataset.x), w: parseFloat(g.dataset.w), d: parseInt(g.dataset.d, 10), name: g.dataset.n,
             rect: g.querySelector("rect"), text: g.querySelector("text"), title: g.querySelector("title").textContent };
  });
  const tiny = 1e-9;

  // Shows the part [x, x + w) of the whole; frames below `depth` stay as dimmed, full-width ancestors.
  function zoom(target) {
    const x0 = target ? target.x : 0, w0 = target ? target.w : 1, depth = target ? target.d : 0;
    frames.forEach(function (f) {
      const ancestor = f.d < depth && f.x <= x0 + tiny && f.x + f.w >= x0 + w0 - tiny;
      const inside = f.d >= depth && f.x >= x0 - tiny && f.x + f.w <= x0 + w0 + tiny;
      f.g.classList.toggle("hide", !ancestor && !inside);
      f.g.classList.toggle("dim", ancestor);
      if (!ancestor && !inside) return;
      const x = side + (ancestor ? 0 : (f.x - x0) / w0) * usable, width = (ancestor ? 1 : f.w / w0) * usable;
      f.rect.setAttribute("x", x.toFixed(2));
      f.rect.setAttribute("width", width.toFixed(2));
      f.text.setAttribute("x", (x + 3).toFixed(2));
      const room = Math.floor((width - padding) / charWidth);
      f.text.textContent = room < 3 ? "" : f.name.length <= room ? f.name : f.name.slice(0, room - 2) + "..";
    });
    reset.classList.toggle("hide", depth === 0);
  }

  function find(pattern) {
    let expression = null;
    if (pattern) {
      try { expression = new RegExp(pattern); } catch (e) { matched.textContent = "bad expression: " + pattern; return; }
    }
    // Matching frames inside a matching frame count once.
    const spans = [];
    frames.forEach(function (f) {
      const hit = expression !== null && f.d > 0 && expression.test(f.name);
      f.g.classList.toggle("hit", hit);
      if (hit) spans.push(f);
    });
    spans.sort(function (a, b) { return a.x - b.x || b.w - a.w; });
    let end = 0, share = 0;
    spans.forEach(function (f) {
      if (f.x + tiny >= end) { share += f.w; end = f.x + f.w; }
    });
    matched.textContent = pattern ? "Matched: " + (share * 100).toFixed(2) + "%" : " ";
    search.textContent = pattern ? "Reset search" : "Search";
  }

  let searching = false;
  function toggleSearch() {
    const pattern = searching ? "" : window.prompt("Find functions (regular expression)", "") || "";
    searching = pattern !== "";
    find(pattern);
  }

  frames.forEach(function (f) {
    f.g.addEventListener("click", function () { zoom(f.d ? f : null); });
    f.g.addEventListener("mouseover", function () { details.textContent = f.title; });
    f.g.addEventListener("mouseout", function () { details.textContent = " "; });
  });
  reset.addEventListener("click", function () { zoom(null); });
  search.addEventListener("click", toggleSearch);
  window.addEventListener("keydown", function (event) {
    if ((event.ctrlKey || event.metaKey) && event.key === "f") { event.preventDefault(); toggleSearch(); }
    if (event.key === "Escape") zoom(null);
  });
})();
