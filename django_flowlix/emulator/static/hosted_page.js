// Comfort only: the page works without it. Groups digits, fills in test cards, and sends the form once.
"use strict";

const form = document.querySelector("[data-card-form]");
const { number, expiry, cvc } = form.elements;

const digitsOf = (text) => text.replace(/\D/g, "");

// Reformatting in the middle of the text would throw the caret to the end, so only typing at the end is helped.
function formatWhileTyping(input, format) {
  input.addEventListener("input", (event) => {
    const atEnd = input.selectionStart === input.value.length;
    if (atEnd && !(event.inputType || "").startsWith("delete")) input.value = format(input.value);
  });
}

formatWhileTyping(number, (text) => digitsOf(text).slice(0, 19).replace(/(.{4})(?=.)/g, "$1 "));
formatWhileTyping(expiry, (text) => {
  const digits = digitsOf(text).slice(0, 4);
  return digits.length < 2 ? digits : `${digits.slice(0, 2)}/${digits.slice(2)}`;
});

for (const button of document.querySelectorAll("[data-number]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    number.value = button.dataset.number;
    expiry.value = `12/${String(new Date().getFullYear() + 3).slice(-2)}`;
    cvc.value = digitsOf(number.value).startsWith("3") ? "1234" : "123";
    button.closest("details").open = false;
    form.querySelector('[value="pay"]').focus();
  });
}

let sent = false;
form.addEventListener("submit", (event) => {
  if (sent) event.preventDefault();
  sent = true;
  for (const button of form.querySelectorAll("button")) button.setAttribute("aria-disabled", "true");
});

// The browser may bring the page back as it was left; it has to be usable then.
window.addEventListener("pageshow", () => {
  sent = false;
  for (const button of form.querySelectorAll("button")) button.removeAttribute("aria-disabled");
});

const firstWrong = form.querySelector("[aria-invalid]");
if (firstWrong) firstWrong.focus();
