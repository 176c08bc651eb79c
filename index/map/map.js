"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const at = (id) => document.getElementById(id);
  const canvas = at("canvas");
  const pen = canvas.getContext("2d");
  const count = data.x.length;
  const FILTERS = ["gender", "wear", "product_type", "colour"];
  // Told apart by people who see colours differently, on light and on dark ground; further types share the last one.
  const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8a5fbf", "#808000", "#a0522d", "#c2185b"];
  const REST = "#8b9199";
  const LISTED = 30;
  const LEAST_PICTURE = 14; // pixels on the screen: below, nobody tells what a picture shows

  // Places in a square of side 1.
  const x = data.x.map((value) => value / data.grain);
  const y = data.y.map((value) => value / data.grain);
  const title = data.title;
  const haystack = title.map((name, item) => `${name} ${data.brand[item]}`.toLowerCase());
  const unit = Math.min(0.3, data.cell * 0.9); // of a picture: a little is left between two of them

  const byFrequency = data.names.product_type.map((_, type) => type);
  const frequency = byFrequency.map(() => 0);
  for (const type of data.product_type) frequency[type] += 1;
  byFrequency.sort((a, b) => frequency[b] - frequency[a] || a - b);
  const colourOf = frequency.map(() => REST);
  byFrequency.slice(0, COLOURS.length).forEach((type, place) => { colourOf[type] = COLOURS[place]; });

  const sheets = data.sheets;
  const images = sheets.addresses.map((address) => {
    const image = new Image();
    image.addEventListener("load", ask);
    image.src = address;
    return image;
  });

  const shown = new Uint8Array(count).fill(1);
  const view = { scale: 0, x: 0.5, y: 0.5, width: 0, height: 0, fit: 1 };
  let current = -1; // the item on the card
  let pinned = false;
  let asked = false;
  let later = 0;

  const style = () => getComputedStyle(document.documentElement);
  let paint = {};
  function readColours() {
    const read = style();
    paint = { mark: read.getPropertyValue("--mark"), faint: read.getPropertyValue("--faint"), ground: read.getPropertyValue("--ground") };
  }

  // The view

  const screenX = (item) => (x[item] - view.x) * view.scale + view.width / 2;
  const screenY = (item) => (y[item] - view.y) * view.scale + view.height / 2;
  const size = () => Math.min(unit * view.scale, 170);
  const hasPictures = () => size() >= LEAST_PICTURE;

  function measure() {
    const box = canvas.getBoundingClientRect();
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    const first = view.scale === 0;
    view.width = box.width;
    view.height = box.height;
    canvas.width = Math.max(1, Math.round(box.width * ratio));
    canvas.height = Math.max(1, Math.round(box.height * ratio));
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    const before = view.fit;
    view.fit = Math.max(60, Math.min(box.width, box.height) / (1 + unit * 0.6));
    if (first) view.scale = view.fit;
    else view.scale *= view.fit / before;
    changed();
  }

  function all() {
    Object.assign(view, { scale: view.fit, x: 0.5, y: 0.5 });
    changed();
  }

  function zoom(factor, left = view.width / 2, top = view.height / 2) {
    const most = Math.max(view.fit * 2, 170 / unit);
    const scale = Math.min(most, Math.max(view.fit * 0.7, view.scale * factor));
    const worldX = view.x + (left - view.width / 2) / view.scale;
    const worldY = view.y + (top - view.height / 2) / view.scale;
    view.x = worldX - (left - view.width / 2) / scale;
    view.y = worldY - (top - view.height / 2) / scale;
    view.scale = scale;
    changed();
  }

  function pan(dx, dy) {
    view.x = Math.min(1.1, Math.max(-0.1, view.x - dx / view.scale));
    view.y = Math.min(1.1, Math.max(-0.1, view.y - dy / view.scale));
    changed();
  }

  function changed() {
    ask();
    at("list").setAttribute("aria-busy", "true");
    clearTimeout(later);
    later = setTimeout(list, 120);
  }

  function ask() {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => { asked = false; draw(); });
  }

  // Drawing

  function source(item) {
    const perSheet = sheets.columns * sheets.rows;
    const place = item % perSheet;
    return {
      image: images[Math.floor(item / perSheet)],
      left: (place % sheets.columns) * sheets.side,
      top: Math.floor(place / sheets.columns) * sheets.side,
      width: sheets.widths[item],
      height: sheets.heights[item],
    };
  }

  function picture(context, item, left, top, side) {
    const from = source(item);
    if (!from.image.complete || !from.image.naturalWidth) return;
    const factor = side / Math.max(from.width, from.height);
    const width = from.width * factor;
    const height = from.height * factor;
    const into = [left + (side - width) / 2, top + (side - height) / 2, width, height];
    context.drawImage(from.image, from.left, from.top, from.width, from.height, ...into);
  }

  function isInView(item, margin) {
    const left = screenX(item);
    const top = screenY(item);
    return left > -margin && top > -margin && left < view.width + margin && top < view.height + margin;
  }

  function draw() {
    const side = size();
    const radius = Math.max(2.2, Math.min(6, side * 0.32));
    pen.clearRect(0, 0, view.width, view.height);
    pen.fillStyle = paint.faint;
    for (let item = 0; item < count; item += 1) {
      if (shown[item] || !isInView(item, radius)) continue;
      pen.beginPath();
      pen.arc(screenX(item), screenY(item), Math.min(radius, 3), 0, 7);
      pen.fill();
    }
    const pictures = hasPictures();
    for (let item = 0; item < count; item += 1) {
      if (shown[item] && item !== current && isInView(item, side)) mark(item, pictures, side, radius);
    }
    if (current >= 0) mark(current, true, Math.max(side, 56), radius, true);
  }

  function mark(item, asPicture, side, radius, isCurrent = false) {
    const left = screenX(item);
    const top = screenY(item);
    const colour = colourOf[data.product_type[item]];
    if (!asPicture) {
      pen.fillStyle = colour;
      pen.beginPath();
      pen.arc(left, top, radius, 0, 7);
      pen.fill();
      return;
    }
    const half = side / 2;
    const border = isCurrent ? 3 : Math.max(1, Math.min(2, side / 30));
    pen.fillStyle = isCurrent ? paint.mark : colour;
    pen.fillRect(left - half - border, top - half - border, side + 2 * border, side + 2 * border);
    pen.fillStyle = "#fff";
    pen.fillRect(left - half, top - half, side, side);
    picture(pen, item, left - half, top - half, side);
  }

  function find(left, top) {
    const reach = hasPictures() ? size() / 2 : 9;
    let best = -1;
    let nearest = Infinity;
    for (let item = 0; item < count; item += 1) {
      if (!shown[item]) continue;
      const dx = Math.abs(screenX(item) - left);
      const dy = Math.abs(screenY(item) - top);
      const distance = dx * dx + dy * dy;
      if (dx <= reach && dy <= reach && distance < nearest) { best = item; nearest = distance; }
    }
    return best;
  }

  // The card

  const facts = (item) => FILTERS.map((name) => data.names[name][data[name][item]]).filter((word) => word !== "not known");

  function show(item) {
    if (item === current) return;
    current = item;
    at("card").hidden = item < 0;
    if (item >= 0) {
      at("name").textContent = title[item];
      const brand = data.brand[item] && !title[item].includes(data.brand[item]) ? [data.brand[item]] : [];
      at("facts").textContent = [...brand, ...facts(item)].join(" · ");
      at("cost").textContent = data.cost[item];
      at("cost").hidden = !data.cost[item];
      const link = at("link");
      link.parentElement.hidden = !/^https?:/.test(data.url[item]);
      link.href = link.parentElement.hidden ? "" : data.url[item];
      const card = at("picture").getContext("2d");
      card.fillStyle = "#fff";
      card.fillRect(0, 0, 240, 240);
      card.imageSmoothingQuality = "high";
      picture(card, item, 0, 0, 240);
      at("picture").setAttribute("aria-label", `Picture of ${title[item]}`);
      at("card").classList.remove("above");
      at("card").classList.toggle("above", isCovered(item));
    }
    ask();
  }

  // Under the pointer, the card would come and go.
  function isCovered(item) {
    const card = at("card");
    const reach = Math.max(size(), 56) / 2 + 6;
    return screenX(item) - reach < card.offsetLeft + card.offsetWidth && screenY(item) + reach > card.offsetTop;
  }

  function unpin() {
    pinned = false;
    show(-1);
  }

  // The list of what is in view

  function list() {
    const found = [];
    for (let item = 0; item < count; item += 1) {
      if (!shown[item] || !isInView(item, 0)) continue;
      const dx = x[item] - view.x;
      const dy = y[item] - view.y;
      found.push([dx * dx + dy * dy, item]);
    }
    found.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    const more = found.length > LISTED ? `, the ${LISTED} nearest to the middle of the map first` : "";
    at("in-view").textContent = `${found.length.toLocaleString("en")} of ${count.toLocaleString("en")} items${more}`;
    at("list").setAttribute("aria-busy", "false");
    if (at("list").contains(document.activeElement)) return; // what somebody reads stays
    at("list").replaceChildren(...found.slice(0, LISTED).map(([, item]) => entry(item)));
  }

  function entry(item) {
    const row = document.createElement("li");
    const isLink = /^https?:/.test(data.url[item]);
    const element = document.createElement(isLink ? "a" : "button");
    if (isLink) Object.assign(element, { href: data.url[item], target: "_blank", rel: "noopener noreferrer" });
    else element.type = "button";
    const small = document.createElement("small");
    small.textContent = [data.brand[item], ...facts(item), data.cost[item]].filter(Boolean).join(" · ");
    element.append(title[item], small);
    element.addEventListener("focus", () => { pinned = true; show(item); });
    element.addEventListener("pointerenter", () => { if (!pinned) show(item); });
    if (!isLink) element.addEventListener("click", () => { pinned = true; show(item); });
    row.append(element);
    return row;
  }

  // Filters

  function filter() {
    const words = at("words").value.toLowerCase().split(/\s+/).filter(Boolean);
    const chosen = FILTERS.map((name) => [data[name], at(name).value]).filter(([, value]) => value !== "");
    let found = 0;
    for (let item = 0; item < count; item += 1) {
      const fits = chosen.every(([column, value]) => column[item] === Number(value))
        && words.every((word) => haystack[item].includes(word));
      shown[item] = fits ? 1 : 0;
      found += shown[item];
    }
    at("count").textContent = `${found.toLocaleString("en")} item${found === 1 ? "" : "s"}`;
    for (const button of at("legend").querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(button.dataset.type === at("product_type").value));
    }
    if (current >= 0 && !shown[current]) unpin();
    changed();
  }

  function fill() {
    for (const name of FILTERS) {
      const counts = data.names[name].map(() => 0);
      for (const value of data[name]) counts[value] += 1;
      at(name).append(new Option("all", ""), ...data.names[name].map((word, value) => new Option(`${word} (${counts[value]})`, value)));
      at(name).addEventListener("change", filter);
    }
    at("words").addEventListener("input", filter);
    at("filters").addEventListener("submit", (event) => event.preventDefault());
    at("clear").addEventListener("click", () => {
      at("filters").reset();
      filter();
    });
    for (const type of byFrequency.slice(0, COLOURS.length)) {
      const button = document.createElement("button");
      button.type = "button";
      button.dataset.type = type;
      const swatch = document.createElement("i");
      swatch.style.background = colourOf[type];
      button.append(swatch, `${data.names.product_type[type]} ${frequency[type]}`);
      button.addEventListener("click", () => {
        at("product_type").value = at("product_type").value === String(type) ? "" : String(type);
        filter();
      });
      const row = document.createElement("li");
      row.append(button);
      at("legend").append(row);
    }
    const rest = byFrequency.slice(COLOURS.length);
    if (rest.length) {
      const row = document.createElement("li");
      row.className = "rest";
      row.textContent = `and ${rest.length} more, in grey`;
      at("legend").append(row);
    }
  }

  // Mouse, touch and keys

  const pointers = new Map();
  let moved = 0;
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };

  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(Math.exp(-event.deltaY * (event.deltaMode === 1 ? 0.05 : 0.0015)), ...place(event));
  }, { passive: false });

  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, place(event));
    if (pointers.size === 1) moved = 0;
  });

  canvas.addEventListener("pointermove", (event) => {
    const now = place(event);
    const before = pointers.get(event.pointerId);
    if (!before) {
      if (event.pointerType !== "mouse") return;
      const item = find(...now);
      canvas.classList.toggle("on-item", item >= 0);
      if (!pinned) show(item);
      return;
    }
    const others = [...pointers].filter(([id]) => id !== event.pointerId).map(([, other]) => other);
    pointers.set(event.pointerId, now);
    moved += Math.abs(now[0] - before[0]) + Math.abs(now[1] - before[1]);
    if (!others.length) {
      if (moved > 4) canvas.classList.add("dragged");
      pan(now[0] - before[0], now[1] - before[1]);
      return;
    }
    const [other] = others;
    const apart = (point) => Math.max(1, Math.hypot(point[0] - other[0], point[1] - other[1]));
    moved += 10; // two fingers choose nothing
    pan((now[0] - before[0]) / 2, (now[1] - before[1]) / 2);
    zoom(apart(now) / apart(before), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
  });

  function released(event) {
    if (!pointers.delete(event.pointerId)) return;
    canvas.classList.remove("dragged");
    if (event.type !== "pointerup" || moved > 4 || pointers.size) return;
    const item = find(...place(event));
    pinned = item >= 0;
    show(item);
  }
  canvas.addEventListener("pointerup", released);
  canvas.addEventListener("pointercancel", released);
  canvas.addEventListener("pointerleave", () => {
    canvas.classList.remove("on-item");
    if (!pinned && !pointers.size) show(-1);
  });

  const KEYS = {
    ArrowLeft: () => pan(60, 0), ArrowRight: () => pan(-60, 0), ArrowUp: () => pan(0, 60), ArrowDown: () => pan(0, -60),
    "+": () => zoom(1.4), "=": () => zoom(1.4), "-": () => zoom(1 / 1.4), "0": all,
  };
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !KEYS[event.key]) return;
    event.preventDefault();
    KEYS[event.key]();
  });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") unpin(); });
  at("nearer").addEventListener("click", () => zoom(1.5));
  at("farther").addEventListener("click", () => zoom(1 / 1.5));
  at("all").addEventListener("click", all);
  at("close").addEventListener("click", () => { unpin(); canvas.focus(); });

  readColours();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { readColours(); ask(); });
  fill();
  filter();
  new ResizeObserver(measure).observe(canvas);
})();
