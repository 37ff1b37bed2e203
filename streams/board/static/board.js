"use strict";
// The server tells what changed since the revision of this page; what it sends is escaped there.
const places = ["open", "over"];
const byId = (id) => document.getElementById(id);

function put(id, html) {
  const box = document.createElement("template");
  box.innerHTML = html;
  const fresh = box.content.firstElementChild;
  const old = byId(id);
  if (old) {
    // What a reader opened or stands on stays so.
    for (const part of fresh.querySelectorAll("details")) {
      const before = byId(part.id);
      if (before && old.contains(before)) part.open = before.open;
    }
    old.remove();
  }
  return fresh;
}

function arrange(place, ids, crises) {
  const box = byId(place);
  const focus = document.activeElement && document.activeElement.closest("details, .crisis");
  const held = focus && focus.id;
  ids.forEach((id, at) => {
    const element = crises[id] ? put(id, crises[id]) : byId(id);
    if (element && box.children[at] !== element) box.insertBefore(element, box.children[at] || null);
  });
  while (box.children.length > ids.length) box.lastElementChild.remove();
  if (held && byId(held) && !byId(held).contains(document.activeElement)) {
    const target = byId(held).querySelector("summary, a, [tabindex]");
    if (target) target.focus({ preventScroll: true });
  }
}

function take(news) {
  document.title = news.title;
  for (const line of ["status", "watch"]) {
    const box = byId(line);
    if (box.innerHTML !== news[line]) box.innerHTML = news[line];
  }
  for (const place of places) arrange(place, news.order[place], news.crises);
  const log = byId("news");
  if (news.whole) log.replaceChildren();
  for (const line of news.news) log.insertAdjacentHTML("afterbegin", line);
  while (log.children.length > news.most) log.lastElementChild.remove();
  if (news.alert) byId("alert").textContent = news.alert;
}

const stream = new EventSource(document.body.dataset.stream);
stream.onopen = () => { byId("lost").hidden = true; };
stream.onerror = () => { byId("lost").hidden = false; };
stream.onmessage = (event) => take(JSON.parse(event.data));
