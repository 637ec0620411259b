/* map_patches.tsx - heat over the picture, layer by layer: cut from all of the question, or from one of its tokens. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import { useReport } from '../report';
import { paint, type Paint } from '../chart/heat_colour';
import { HeatPicture } from '../chart/heat_picture';
import { gridsOf } from '../chart/picture';
import { Strip, type Small } from '../chart/strip';
import { number } from '../format';
import { saveCsv } from '../save';
import { frameRow, strongestFrame, strongestRow, type Heat } from '../study/heat';
import { patchAt } from '../study/patches';
import { digitsOf } from './curves_section';
import { useWidth } from './hooks';
import { Profile } from './map_profile';
import { TokenGrid, tokenLabel, TokenRow } from './map_tokens';
import { Check, Choose, FigureFrame } from './parts';
import type { PatchGrid, Sample } from '../data';

const HIGHEST = 500;
/** Milliseconds a layer is shown for. */
const PACE = 450;

export function PatchMap(props: { study: number; heat: Heat; sample: Sample }) {
  const report = useReport();
  const { heat, sample } = props;
  const { map } = heat;
  const measure = report.study(props.study).measures.find((m) => m.name === map.measure);
  const digits = digitsOf(measure, false);
  const valueLabel = measure?.label ?? map.measure;
  const [frame, setFrame] = useState(() => strongestFrame(heat));
  const [row, setRow] = useState(() => strongestRow(heat, strongestFrame(heat)));
  const [column, setColumn] = useState<number | null>(null);
  const [held, setHeld] = useState<number | null>(null);
  const [tiles, setTiles] = useState<PatchGrid['kind']>('base');
  const [grid, setGrid] = useState(false);
  const [boxes, setBoxes] = useState(true);
  const [grey, setGrey] = useState(true);
  const [ref, width] = useWidth<HTMLDivElement>(560);
  const columnAt = useMemo(() => {
    const at = new Map<number, number>();
    map.columns.forEach((positions, c) => positions.forEach((p) => at.set(p, c)));
    return at;
  }, [map]);
  const changes = frameRow(heat, frame, row);
  const paintAt = (position: number): Paint | null => {
    const c = columnAt.get(position);
    return c === undefined ? null : paint(changes[c]!, heat.most);
  };
  const shownColumn = column ?? held;
  const both = new Set(sample.grids.map((g) => g.kind)).size > 1;
  const picture = {
    sample,
    picture: sample.picture === null ? null : (report.page.pictures[sample.picture] ?? null),
    width,
    height: HIGHEST,
    tiles,
    grid,
    boxes,
    grey,
    paint: paintAt,
  };
  const legend = { most: heat.most, changes: heat.changes, label: valueLabel };
  const layer = map.frames[frame] ?? 0;
  /** A map of tokens may be of one set of layers. */
  const layered = map.frames.length > 1;
  const csv = (): void =>
    saveCsv(
      'causal map',
      ['layer', 'token position', 'positions', 'value', 'change'],
      Array.from(heat.changes, (change, i) => {
        const c = i % heat.nColumns;
        const r = Math.floor(i / heat.nColumns) % heat.nRows;
        const f = Math.floor(i / (heat.nColumns * heat.nRows));
        return [map.frames[f] ?? null, map.rows[r] ?? null, map.columns[c]!.join(' '), heat.values[i]!, change];
      }),
    );
  return (
    <>
      {map.rows.length > 0 && <TokenRow heat={heat} sample={sample} frame={frame} row={row} setRow={setRow} />}
      <div class="map-top">
        <FigureFrame
          name={map.frames.length > 0 ? `map layer ${layer}` : 'map'}
          chart={() => <HeatPicture view={{ ...picture, width: 900, height: 900 }} legend={legend} />}
          csv={csv}
          caption={<span aria-live="polite">{patchText(heat, sample, frame, row, shownColumn, digits)}</span>}
        >
          <div class="picture-box" ref={ref}>
            <HeatPicture
              view={{
                ...picture,
                marked: shownColumn === null ? null : (map.columns[shownColumn]![0] ?? null),
                onHover: (p) => setColumn(p === null ? null : (columnAt.get(p) ?? null)),
                onPick: (p) => setHeld(columnAt.get(p) ?? null),
              }}
              legend={legend}
            />
          </div>
          {layered && <LayerSlider layers={map.frames} frame={frame} setFrame={setFrame} />}
          <div class="row options">
            <Check on={grey} onChange={setGrey}>
              picture in grey
            </Check>
            <Check on={grid} onChange={setGrid}>
              patches
            </Check>
            <Check on={boxes} onChange={setBoxes}>
              boxes
            </Check>
            {both && (
              <Choose
                label="Tiles"
                value={tiles}
                options={[
                  { value: 'base', label: 'base' },
                  { value: 'hd', label: 'high resolution' },
                ]}
                onChange={(kind) => setTiles(kind === 'hd' ? 'hd' : 'base')}
              />
            )}
          </div>
        </FigureFrame>
        <div>
          {layered && (
            <Profile
              heat={heat}
              row={row}
              column={shownColumn}
              layer={layer}
              setLayer={(l) => setFrame(Math.max(0, map.frames.indexOf(l)))}
              yLabel={valueLabel}
              digits={digits}
            />
          )}
          <Smalls
            heat={heat}
            sample={sample}
            grids={gridsOf(sample, tiles)}
            columnAt={columnAt}
            frame={frame}
            row={row}
            setFrame={setFrame}
            setRow={setRow}
          />
        </div>
      </div>
      {map.rows.length > 0 && (
        <TokenGrid
          heat={heat}
          sample={sample}
          frame={frame}
          row={row}
          setRow={setRow}
          setColumn={setHeld}
          valueLabel={valueLabel}
          digits={digits}
        />
      )}
    </>
  );
}

/** Small maps: of every layer, or of every token where the map has one set of layers. */
function Smalls(props: {
  heat: Heat;
  sample: Sample;
  grids: readonly PatchGrid[];
  columnAt: ReadonlyMap<number, number>;
  frame: number;
  row: number;
  setFrame: (frame: number) => void;
  setRow: (row: number) => void;
}) {
  const { heat, frame, row } = props;
  const { map } = heat;
  const [ref, width] = useWidth<HTMLDivElement>(480);
  const layered = map.frames.length > 1;
  const smalls: Small[] = layered
    ? map.frames.map((layer, f) => ({ label: String(layer), frame: f, row }))
    : map.rows.map((position, r) => ({ label: tokenLabel(props.sample, position), frame, row: r }));
  if (smalls.length === 0) return null;
  const strip = { heat, smalls, grids: props.grids, columnAt: props.columnAt };
  return (
    <FigureFrame
      name="small maps"
      chart={() => <Strip {...strip} width={900} saved />}
      caption={
        layered
          ? `Every layer${map.rows.length > 0 ? ', for the chosen token' : ''}, in one scale.`
          : 'Every token of the question, in one scale.'
      }
    >
      <div class="chart" ref={ref}>
        <Strip
          {...strip}
          width={width}
          chosen={layered ? frame : row}
          onChoose={layered ? props.setFrame : props.setRow}
        />
      </div>
    </FigureFrame>
  );
}

function patchText(
  heat: Heat,
  sample: Sample,
  frame: number,
  row: number,
  column: number | null,
  digits: number,
): string {
  const { map } = heat;
  const where = map.frames.length > 0 ? `Layer ${map.frames[frame] ?? ''}` : '';
  if (column === null) {
    const faint = heat.largest < heat.most ? `No change reaches ${heat.most}: the measure may be saturated. ` : '';
    return `${where === '' ? '' : `${where}. `}${faint}Point at a patch to read it; click to hold it.`;
  }
  const position = map.columns[column]![0] ?? -1;
  const patch = patchAt(sample.grids, position);
  const place = patch ? `row ${patch.row}, column ${patch.column}` : `position ${position}`;
  const i = (frame * heat.nRows + row) * heat.nColumns + column;
  return `${where === '' ? 'Patch at' : `${where},`} ${place} (position ${position}): ${number(heat.changes[i], digits)}; value ${number(heat.values[i], 4)}`;
}

function LayerSlider(props: { layers: readonly number[]; frame: number; setFrame: (frame: number) => void }) {
  const { layers, frame, setFrame } = props;
  const [playing, setPlaying] = useState(false);
  useEffect(() => {
    if (!playing) return;
    const timer = setTimeout(() => setFrame((frame + 1) % layers.length), PACE);
    return () => clearTimeout(timer);
  }, [playing, frame]);
  return (
    <div class="layer-slider">
      <button type="button" class="play" aria-pressed={playing} onClick={() => setPlaying(!playing)}>
        {playing ? 'Stop' : 'Play'}
      </button>
      <input
        type="range"
        aria-label="Layer"
        aria-valuetext={`layer ${layers[frame] ?? 0}`}
        min={0}
        max={layers.length - 1}
        value={frame}
        onInput={(event) => setFrame(Number(event.currentTarget.value))}
      />
      <output>layer {layers[frame]}</output>
    </div>
  );
}
