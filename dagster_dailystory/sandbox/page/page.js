"use strict";
// The pages work without this script. It renews the live parts of the open page, and searches while you type.
{
  const search = document.getElementById("search"), connection = document.getElementById("connection");
  let timer = 0, tag = "", latest = 0;

  function address() {
    const url = new URL(location.href);
    if (search && search.value !== (url.searchParams.get("search") ?? "")) {
      url.searchParams.delete("page");
      if (search.value) url.searchParams.set("search", search.value);
      else url.searchParams.delete("search");
    }
    return url;
  }

  function isInUse() {
    return document.hidden || String(getSelection()) !== "";
  }

  function show(text) {
    const fresh = new DOMParser().parseFromString(text, "text/html");
    for (const part of document.querySelectorAll("[data-live]")) {
      const now = fresh.getElementById(part.id);
      if (!now || now.isEqualNode(part)) continue;
      for (const opened of part.querySelectorAll("details[open]")) {
        const same = now.querySelector(`details[id="${opened.id}"]`);
        if (same) same.open = true;
      }
      if (!now.isEqualNode(part)) part.replaceChildren(...now.childNodes);
    }
  }

  function connected(isLive) {
    connection.textContent = isLive ? "live" : "the sandbox does not respond";
    connection.className = isLive ? "live" : "lost";
  }

  async function renew() {
    clearTimeout(timer);
    const current = ++latest, started = performance.now(), url = address();
    const isNew = url.href !== location.href;
    try {
      if (isNew || !isInUse()) {
        const response = await fetch(url, { headers: tag && !isNew ? { "If-None-Match": tag } : {} });
        const text = response.status === 304 ? "" : await response.text();
        if (current !== latest) return;
        if (isNew) history.replaceState(null, "", url);
        if (text) show(text);
        tag = response.headers.get("ETag") ?? "";
        connected(response.status !== 421);
      }
    } catch {
      if (current !== latest) return;
      tag = "";
      connected(false);
    }
    timer = setTimeout(renew, Math.max(1000, 10 * (performance.now() - started)));
  }

  search?.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(renew, 150); });
  document.addEventListener("visibilitychange", renew);
  renew();
}
