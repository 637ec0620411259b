/* table.tsx - a table of numbers that shows any number of rows by drawing those in sight, and saves all of them as CSV. */
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { saveCsv, type Cell } from '../save';
import { SaveButtons } from './parts';

export interface Column<T> {
  head: string;
  /** Of the CSV file: all digits. */
  cell: (row: T) => Cell;
  /** What is shown; else the cell. */
  show?: (row: T) => ComponentChildren;
  number?: boolean;
}

const ROW = 25;
const IN_SIGHT = 18;
const SPARE = 10;

export function Table<T>(props: {
  name: string;
  caption: ComponentChildren;
  columns: readonly Column<T>[];
  rows: readonly T[];
}) {
  const { columns, rows } = props;
  const [top, setTop] = useState(0);
  const long = rows.length > 60;
  const first = long ? Math.max(0, Math.min(Math.floor(top / ROW) - SPARE, rows.length - IN_SIGHT)) : 0;
  const end = long ? Math.min(rows.length, first + IN_SIGHT + 2 * SPARE) : rows.length;
  const save = (): void =>
    saveCsv(
      props.name,
      columns.map((c) => c.head),
      rows.map((r) => columns.map((c) => c.cell(r))),
    );
  return (
    <div class="table">
      <div
        class="table-scroll"
        style={long ? { maxHeight: `${ROW * IN_SIGHT}px` } : {}}
        tabIndex={long ? 0 : undefined}
        role={long ? 'region' : undefined}
        aria-label={long ? props.name : undefined}
        onScroll={(event) => setTop(event.currentTarget.scrollTop)}
      >
        <table aria-rowcount={rows.length + 1}>
          <thead>
            <tr>
              {columns.map((c) => (
                <th key={c.head} scope="col" class={c.number ? 'number' : ''}>
                  {c.head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {first > 0 && <tr aria-hidden="true" style={{ height: `${first * ROW}px` }} />}
            {rows.slice(first, end).map((row, i) => (
              <tr key={first + i} aria-rowindex={first + i + 2}>
                {columns.map((c) => (
                  <td key={c.head} class={c.number ? 'number' : ''}>
                    {c.show ? c.show(row) : c.cell(row)}
                  </td>
                ))}
              </tr>
            ))}
            {end < rows.length && <tr aria-hidden="true" style={{ height: `${(rows.length - end) * ROW}px` }} />}
          </tbody>
        </table>
      </div>
      <div class="table-foot">
        <span class="caption">{props.caption}</span>
        <SaveButtons name={props.name} csv={save} />
      </div>
    </div>
  );
}
