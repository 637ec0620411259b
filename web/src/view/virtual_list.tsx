/* virtual_list.tsx - a list of any length of which only the rows in sight exist. Arrow keys, Page Up and Down, Home and End move
 * through it; the row that is chosen is brought into sight. */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Signal } from '@preact/signals';

const SPARE = 6;

export function VirtualList(props: {
  label: string;
  length: number;
  rowHeight: number;
  /** Place of the chosen row; -1: none. */
  chosen: number;
  onChoose: (at: number) => void;
  row: (at: number) => ComponentChildren;
  keyOf: (at: number) => number;
  scroll: Signal<number>;
}) {
  const { length, rowHeight, chosen } = props;
  const ref = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(props.scroll.value);
  const [height, setHeight] = useState(600);
  useEffect(() => {
    const element = ref.current;
    if (element === null) return;
    element.scrollTop = props.scroll.peek();
    const observer = new ResizeObserver(() => setHeight(element.clientHeight));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    const element = ref.current;
    if (element === null || chosen < 0) return;
    const above = chosen * rowHeight - element.scrollTop;
    const below = above + rowHeight - element.clientHeight;
    // One step moves the list by a row; a jump puts the row into the middle.
    if (above < -rowHeight || below > rowHeight) element.scrollTop += (above + below) / 2;
    else if (above < 0) element.scrollTop += above;
    else if (below > 0) element.scrollTop += below;
  }, [chosen, length]);

  const first = Math.max(0, Math.floor(top / rowHeight) - SPARE);
  const end = Math.min(length, Math.ceil((top + height) / rowHeight) + SPARE);
  const key = (event: KeyboardEvent): void => {
    const page = Math.max(1, Math.floor(height / rowHeight) - 1);
    const steps: Record<string, number> = {
      ArrowDown: chosen + 1,
      ArrowUp: chosen < 0 ? 0 : chosen - 1,
      PageDown: chosen + page,
      PageUp: chosen - page,
      Home: 0,
      End: length - 1,
    };
    const to = steps[event.key];
    if (to === undefined || length === 0) return;
    event.preventDefault();
    props.onChoose(Math.max(0, Math.min(length - 1, to)));
  };
  const rows = [];
  for (let at = first; at < end; at++)
    rows.push(
      <div
        key={props.keyOf(at)}
        id={`row-${props.keyOf(at)}`}
        role="option"
        aria-selected={at === chosen}
        aria-posinset={at + 1}
        aria-setsize={length}
        class="list-row"
        style={{ top: `${at * rowHeight}px`, height: `${rowHeight}px` }}
        onClick={() => props.onChoose(at)}
      >
        {props.row(at)}
      </div>,
    );
  return (
    <div
      ref={ref}
      class="list"
      role="listbox"
      aria-label={props.label}
      aria-activedescendant={chosen >= first && chosen < end ? `row-${props.keyOf(chosen)}` : undefined}
      tabIndex={0}
      onKeyDown={key}
      onScroll={(event) => {
        setTop(event.currentTarget.scrollTop);
        props.scroll.value = event.currentTarget.scrollTop;
      }}
    >
      <div class="list-all" style={{ height: `${length * rowHeight}px` }}>
        {rows}
      </div>
    </div>
  );
}
