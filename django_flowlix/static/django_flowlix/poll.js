// Asks the shop (never the gateway) how the payment stands, and moves on when there is somewhere to go.
// Without this file the page refreshes itself, see pending.html.
(() => {
  "use strict";

  const FIRST_PAUSE_MS = 2000;
  const LONGEST_PAUSE_MS = 5000;
  const HIDDEN_PAUSE_MS = 20000;
  const SLOW_AFTER_MS = 20000;
  const ANSWER_TIMEOUT_MS = 15000;

  const card = document.querySelector("[data-flowlix-status-url]");
  if (!card) return;

  const startedAt = Date.now();
  let pause = FIRST_PAUSE_MS;
  let timer = 0;
  let asking = false;

  const plan = () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(ask, document.hidden ? HIDDEN_PAUSE_MS : pause);
  };

  const moveOn = (address) => {
    const url = new URL(address, window.location.href);
    // An address that runs script must not get here; if one does, it is not followed.
    if (url.protocol === "https:" || url.protocol === "http:") window.location.replace(url.href);
  };

  const read = ({ state, next }) => {
    if (next) {
      moveOn(next);
      return true;
    }
    if (card.dataset.flowlixState === "created" && state && state !== "created") {
      window.location.reload(); // the page for a payment that exists says something else
      return true;
    }
    return false;
  };

  const ask = async () => {
    if (asking) return;
    asking = true;
    let finished = false;
    try {
      const answer = await fetch(card.dataset.flowlixStatusUrl, {
        headers: { Accept: "application/json" },
        cache: "no-store",
        signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
      });
      if (answer.ok) finished = read(await answer.json());
    } catch {
      // Offline, or the server is busy: nothing is known about the payment, so nothing is said about it.
    }
    asking = false;
    if (finished) return;
    if (Date.now() - startedAt > SLOW_AFTER_MS) {
      for (const text of card.querySelectorAll("[data-flowlix-slow]")) text.hidden = false;
    }
    pause = Math.min(pause * 1.25, LONGEST_PAUSE_MS);
    plan();
  };

  // Back in front of the customer's eyes, perhaps after the card was entered in another tab: ask at once.
  document.addEventListener("visibilitychange", () => (document.hidden ? plan() : ask()));
  window.addEventListener("pageshow", (event) => event.persisted && ask());
  plan();
})();
