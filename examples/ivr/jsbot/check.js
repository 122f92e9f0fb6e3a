// What the bot was promised.

// same throws unless two values are equal.
export function same(what, got, want) {
  if (got !== want) {
    throw new Error(`${what}: got ${show(got)}, want ${show(want)}`);
  }
}

// matches throws unless a value is a string of a form.
export function matches(what, got, form) {
  if (typeof got !== "string" || !form.test(got)) {
    throw new Error(`${what}: got ${show(got)}, want ${form}`);
  }
}

function show(value) {
  return JSON.stringify(value) ?? "nothing";
}
