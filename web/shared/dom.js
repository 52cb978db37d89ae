// Elements, made by hand. Text is only ever text: nothing here takes markup.

// make('a', { href: '#/', class: 'x', onclick() {} }, 'text', child): an element. `on…` adds a listener; true sets an
// attribute without a value; false, null and undefined leave it out.
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) {
      element.addEventListener(name.slice(2), value);
    } else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, value === true ? '' : value);
    }
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

// Sets the text only when it is another, so that nothing is laid out for nothing.
export function setText(element, text) {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}

// Says it to a screen reader, politely; the page has an element of this id.
export function announce(text) {
  setText(document.getElementById('said'), text);
}
