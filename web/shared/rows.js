// Rows of a list that is shown again and again: those that are still there are kept, so that focus and selection stay.

// `items` in order; keyOf(item) tells them apart; makeRow(item) gives { element, update(item) }.
export function createRows(parent, keyOf, makeRow) {
  let rows = new Map();
  return {
    show(items) {
      const kept = new Map();
      let place = parent.firstElementChild;
      for (const item of items) {
        const key = keyOf(item);
        const row = rows.get(key) ?? makeRow(item);
        row.update(item);
        kept.set(key, row);
        if (row.element === place) {
          place = place.nextElementSibling;
        } else {
          parent.insertBefore(row.element, place);
        }
      }
      for (const [key, row] of rows) {
        if (!kept.has(key)) {
          row.element.remove();
        }
      }
      rows = kept;
    },
  };
}
