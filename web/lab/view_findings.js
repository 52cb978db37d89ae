// The table of findings, as it is now. Cells change in place, so that whoever reads or selects in it is not thrown out; it is
// made anew when its columns change.

import { setText } from '../shared/dom.js';
import { tableOf } from './view_table.js';

export function createFindings(place, about) {
  let columns;
  return {
    show(table, context) {
      if (columns === table.head.length) {
        const cells = place.querySelectorAll('tbody td');
        table.rows.flatMap(([, ...row]) => row).forEach((text, index) => setText(cells[index], text));
      } else {
        columns = table.head.length;
        place.replaceChildren(tableOf(table));
      }
      setText(about, context);
    },
  };
}
