"""`/-/csrf.js`: adds the token to what a page sends to its own origin. The same for everybody.

It holds no token: a script can be loaded by any page. The token comes by a `fetch` with a header of
ours, which no page of another origin may send without being allowed to. No inline code, no `eval`,
nothing is written into the document: it works under `script-src 'self'; connect-src 'self'`.

Forms are helped by the `formdata` event, which fires for `submit()`, too; when there is no fresh
token yet, a submission waits for one and is then sent as it would have been.
"""

from troth.promises.guard.rules.csrf import NAME

SCRIPT = """\
"use strict";
(() => {
  const name = "%NAME%";
  const where = new URL(document.currentScript.src);
  where.pathname = where.pathname.replace(/\\.js$/, "");
  where.search = "";
  const plainFetch = window.fetch.bind(window);
  const safe = new Set(["GET", "HEAD", "OPTIONS", "TRACE"]);
  let token = "", until = 0, asking = null;

  const isFresh = () => token !== "" && performance.now() < until;
  const isOurs = (url, method) => {
    try {
      const to = new URL(url, document.baseURI);
      return to.origin === location.origin && !safe.has(String(method).toUpperCase());
    } catch {
      return false;
    }
  };
  // Half of a token's life is left when it is sent at the latest. One request at a time.
  const renew = () => {
    asking ||= plainFetch(where, {
      headers: {[name]: "ask"}, credentials: "same-origin", cache: "no-store",
    }).then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(answer.status))))
      .then((said) => {
        token = said.token;
        until = performance.now() + said.lasts_s * 500;
      })
      .catch(() => {})
      .finally(() => { asking = null; });
    return asking;
  };
  const fresh = () => (isFresh() ? Promise.resolve() : renew());

  window.fetch = async (input, init) => {
    const asked = input instanceof Request ? input : null;
    const method = (init && init.method) || (asked && asked.method) || "GET";
    const url = asked ? asked.url : input;
    if (!isOurs(url, method)) return plainFetch(input, init);
    await fresh();
    const headers = new Headers((init && init.headers) || (asked && asked.headers) || {});
    if (token) headers.set(name, token);
    return plainFetch(input, {...init, headers});
  };

  const {open, send} = XMLHttpRequest.prototype;
  const opened = new WeakMap();
  XMLHttpRequest.prototype.open = function (method, url, isAsync = true, ...rest) {
    opened.set(this, {ours: isOurs(url, method), isAsync});
    return open.call(this, method, url, isAsync, ...rest);
  };
  XMLHttpRequest.prototype.send = function (body) {
    const how = opened.get(this);
    opened.delete(this);
    const go = () => {
      if (how && how.ours && token && this.readyState === XMLHttpRequest.OPENED) {
        this.setRequestHeader(name, token);
      }
      return send.call(this, body);
    };
    if (!how || !how.ours || !how.isAsync || isFresh()) return go();
    renew().then(go);
  };

  let submitter = null;
  const waited = new WeakSet();
  const target = (form, button) => {
    const has = (key) => button && button.hasAttribute(key);
    return [
      has("formaction") ? button.formAction : form.getAttribute("action") || location.href,
      has("formmethod") ? button.formMethod : form.getAttribute("method") || "get",
    ];
  };
  document.addEventListener("submit", (event) => {
    const form = event.target;
    submitter = event.submitter;
    if (event.defaultPrevented || isFresh() || waited.has(form)) return;
    if (!isOurs(...target(form, submitter))) return;
    const button = submitter;
    event.preventDefault();
    renew().then(() => {
      waited.add(form);
      try {
        form.requestSubmit(button && button.form === form ? button : null);
      } finally {
        waited.delete(form);
      }
    });
  });
  document.addEventListener("formdata", (event) => {
    const button = submitter && submitter.form === event.target ? submitter : null;
    submitter = null;
    if (token && isOurs(...target(event.target, button))) event.formData.set(name, token);
  });

  renew();
  setInterval(() => { if (!isFresh() && !document.hidden) renew(); }, 30000);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && !isFresh()) renew();
  });
})();
""".replace("%NAME%", NAME)
