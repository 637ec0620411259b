/* parts.tsx - the controls of the page: switches, menus, and the frame of a figure with its caption and its files. */
import type { ComponentChildren, VNode } from 'preact';
import { useId, useState } from 'preact/hooks';
import { savePng, saveSvg } from '../save';

/** A button that is on or off. */
export function Switch(props: {
  on: boolean;
  onChange: (on: boolean) => void;
  /** Shown only by itself, with Alt or a double click. */
  onOnly?: () => void;
  title?: string;
  children: ComponentChildren;
}) {
  return (
    <button
      type="button"
      class="switch"
      aria-pressed={props.on}
      title={props.title}
      onClick={(event) => (event.altKey && props.onOnly ? props.onOnly() : props.onChange(!props.on))}
      onDblClick={props.onOnly}
    >
      {props.children}
    </button>
  );
}

export interface Option {
  value: string;
  label: string;
}

export function Menu(props: {
  label: string;
  value: string;
  options: readonly Option[];
  onChange: (value: string) => void;
}) {
  const id = useId();
  return (
    <span class="menu">
      <label for={id}>{props.label}</label>
      <select id={id} value={props.value} onChange={(event) => props.onChange(event.currentTarget.value)}>
        {props.options.map((o) => (
          <option key={o.value} value={o.value}>
            {o.label}
          </option>
        ))}
      </select>
    </span>
  );
}

/** A few choices side by side: exactly one is on. */
export function Choose(props: {
  label: string;
  value: string;
  options: readonly Option[];
  onChange: (value: string) => void;
}) {
  const name = useId();
  return (
    <fieldset class="choose">
      <legend>{props.label}</legend>
      {props.options.map((o) => (
        <label key={o.value}>
          <input type="radio" name={name} checked={o.value === props.value} onChange={() => props.onChange(o.value)} />
          <span>{o.label}</span>
        </label>
      ))}
    </fieldset>
  );
}

export function Check(props: { on: boolean; onChange: (on: boolean) => void; children: ComponentChildren }) {
  return (
    <label class="check">
      <input type="checkbox" checked={props.on} onChange={(event) => props.onChange(event.currentTarget.checked)} />
      {props.children}
    </label>
  );
}

/** A named row of switches. */
export function Row(props: { label: string; children: ComponentChildren }) {
  const id = useId();
  return (
    <div class="row" role="group" aria-labelledby={id}>
      <span class="row-label" id={id}>
        {props.label}
      </span>
      <div class="row-items">{props.children}</div>
    </div>
  );
}

/** A set with one key put in or taken out. */
export function toggled<T>(set: ReadonlySet<T>, key: T, on: boolean): Set<T> {
  const next = new Set(set);
  if (on) next.add(key);
  else next.delete(key);
  return next;
}

/** Buttons that save a chart, and the numbers that it shows. */
export function SaveButtons(props: { name: string; chart?: () => VNode; csv?: () => void }) {
  const [failure, setFailure] = useState('');
  const { chart, csv } = props;
  const attempt = (save: () => void | Promise<void>): void => {
    setFailure('');
    Promise.resolve()
      .then(save)
      .catch((error: unknown) => setFailure(error instanceof Error ? error.message : String(error)));
  };
  return (
    <span class="save" role="group" aria-label="Save">
      {chart && (
        <button
          type="button"
          title="Save this figure as SVG"
          onClick={() => attempt(() => saveSvg(props.name, chart()))}
        >
          SVG
        </button>
      )}
      {chart && (
        <button
          type="button"
          title="Save this figure as PNG"
          onClick={() => attempt(() => savePng(props.name, chart()))}
        >
          PNG
        </button>
      )}
      {csv && (
        <button type="button" title="Save these numbers as CSV" onClick={() => attempt(csv)}>
          CSV
        </button>
      )}
      {failure !== '' && <span role="alert">{failure}</span>}
    </span>
  );
}

/** A chart with what it is called and what its numbers mean. */
export function FigureFrame(props: {
  name: string;
  children: ComponentChildren;
  caption: ComponentChildren;
  chart?: () => VNode;
  csv?: () => void;
}) {
  return (
    <figure>
      <div class="figure-body">{props.children}</div>
      <figcaption>
        <span class="caption">{props.caption}</span>
        <SaveButtons
          name={props.name}
          {...(props.chart && { chart: props.chart })}
          {...(props.csv && { csv: props.csv })}
        />
      </figcaption>
    </figure>
  );
}

/** Something is decoded, or could not be. */
export function Pending(props: { loaded: { state: string; message?: string } }) {
  return props.loaded.state === 'failed' ? (
    <p class="failure" role="alert">
      This part of the page could not be read: {props.loaded.message}
    </p>
  ) : (
    <p class="waiting">…</p>
  );
}
