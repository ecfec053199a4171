"use strict";

// One click copies the text for a ticket. Without this script the text can be selected by hand.
(() => {
  const select = (source) => {
    source.closest("details").open = true;
    source.focus();
    source.select();
  };

  // The clipboard exists on secure pages only; the older way needs the text to be visible and selected.
  const copy = async (source) => {
    if (navigator.clipboard && window.isSecureContext) {
      try {
        await navigator.clipboard.writeText(source.value);
        return true;
      } catch {
        // Not permitted: fall through.
      }
    }
    select(source);
    return document.execCommand("copy");
  };

  for (const button of document.querySelectorAll("[data-flowlix-copy]")) {
    const source = document.getElementById(button.dataset.flowlixCopy);
    const status = document.getElementById(button.dataset.flowlixStatus);
    button.hidden = false;
    button.addEventListener("click", async () => {
      status.textContent = "";
      const copied = await copy(source);
      if (copied) button.focus();
      status.textContent = copied ? button.dataset.flowlixDone : button.dataset.flowlixByHand;
    });
  }
})();
