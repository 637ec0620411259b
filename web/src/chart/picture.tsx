/* picture.tsx - the picture as the model sees it: its patches, the objects' boxes, and colours over patches. One SVG in the
 * picture's own pixels. Where a grid reaches over the border (padding) or leaves a part of the picture out (a crop), that shows. */
import { FONT } from './curves';
import { BACKGROUND, INK, MUTED, RULE } from '../palette';
import { extent, neighbour, patchAt, positionOf, type Patch } from '../study/patches';
import type { Paint } from './heat_colour';
import type { PatchGrid, Picture, Sample } from '../data';

export interface PictureProps {
  sample: Sample;
  picture: Picture | null;
  /** Width and height that it may take on the screen. */
  width: number;
  height: number;
  tiles: PatchGrid['kind'];
  grid: boolean;
  boxes: boolean;
  /** Colour of the patch at a position; null: none. */
  paint?: (position: number) => Paint | null;
  /** Position to be outlined. */
  marked?: number | null;
  onHover?: (position: number | null) => void;
  onPick?: (position: number) => void;
  /** The picture in grey, so that colours over it are read more easily. */
  grey?: boolean;
  saved?: boolean;
}

/** The grids of the kind shown; of the other kind where there is no such. */
export function gridsOf(sample: Sample, tiles: PatchGrid['kind']): PatchGrid[] {
  const shown = sample.grids.filter((g) => g.kind === tiles);
  return shown.length > 0 ? shown : sample.grids;
}

/** Size on the screen: as large as fits. */
export function pictureSize(props: PictureProps): { w: number; h: number; scale: number } {
  const e = extent(props.sample);
  const scale = Math.min(props.width / Math.max(1, e.w), props.height / Math.max(1, e.h));
  return { w: Math.round(e.w * scale), h: Math.round(e.h * scale), scale };
}

function gridPath(g: PatchGrid): string {
  const parts: string[] = [];
  for (let r = 0; r <= g.rows; r++) parts.push(`M${g.x} ${g.y + r * g.dy}h${g.columns * g.dx}`);
  for (let c = 0; c <= g.columns; c++) parts.push(`M${g.x + c * g.dx} ${g.y}v${g.rows * g.dy}`);
  return parts.join('');
}

function Patches(props: { grids: readonly PatchGrid[]; paint: (position: number) => Paint | null }) {
  return (
    <g>
      {props.grids.flatMap((g) =>
        Array.from({ length: g.rows * g.columns }, (_, i) => {
          const [row, column] = [Math.floor(i / g.columns), i % g.columns];
          const colour = props.paint(positionOf(g, row, column));
          if (colour === null || colour.opacity < 0.004) return null;
          return (
            <rect
              x={g.x + column * g.dx}
              y={g.y + row * g.dy}
              width={g.dx}
              height={g.dy}
              fill={colour.fill}
              fill-opacity={colour.opacity}
            />
          );
        }),
      )}
    </g>
  );
}

/** Twice, light on dark: seen on any picture. */
function Outline(props: { x: number; y: number; w: number; h: number; line: number; colour: string }) {
  const box = { x: props.x, y: props.y, width: props.w, height: props.h, fill: 'none' };
  return (
    <>
      <rect {...box} stroke="#ffffff" stroke-width={props.line * 2.2} stroke-opacity={0.85} />
      <rect {...box} stroke={props.colour} stroke-width={props.line} />
    </>
  );
}

export function PictureView(props: PictureProps) {
  const { sample, picture } = props;
  const e = extent(sample);
  const { w, h, scale } = pictureSize(props);
  const grids = gridsOf(sample, props.tiles);
  const pixel = 1 / scale;
  const marked: Patch | null = props.marked == null ? null : patchAt(sample.grids, props.marked);
  const at = (event: MouseEvent & { currentTarget: SVGElement }): number | null => {
    const box = event.currentTarget.getBoundingClientRect();
    const x = e.x + ((event.clientX - box.left) / box.width) * e.w;
    const y = e.y + ((event.clientY - box.top) / box.height) * e.h;
    for (const g of grids) {
      const [row, column] = [Math.floor((y - g.y) / g.dy), Math.floor((x - g.x) / g.dx)];
      if (row >= 0 && row < g.rows && column >= 0 && column < g.columns) return positionOf(g, row, column);
    }
    return null;
  };
  const key = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') props.onHover?.(null);
    if (event.key === 'Enter' && props.marked != null) props.onPick?.(props.marked);
    const position = neighbour(grids, props.marked ?? null, event.key);
    if (position === null) return;
    event.preventDefault();
    props.onHover?.(position);
  };
  const label = `${sample.image}: ${sample.boxes.map((b) => b.name).join(', ') || 'no boxes'}`;
  return (
    <svg
      xmlns="http://www.w3.org/2000/svg"
      class="picture"
      width={w}
      height={h}
      viewBox={`${e.x} ${e.y} ${e.w} ${e.h}`}
      font-family={FONT}
      role="img"
      aria-label={props.onHover ? `${label}. Arrow keys read the patches.` : label}
      tabIndex={props.onHover ? 0 : undefined}
      onKeyDown={props.onHover && key}
      onBlur={props.onHover && (() => props.onHover?.(null))}
    >
      <rect x={e.x} y={e.y} width={e.w} height={e.h} fill={props.saved === true ? BACKGROUND : RULE} />
      {picture === null ? (
        <text x={e.x + e.w / 2} y={e.y + e.h / 2} text-anchor="middle" font-size={13 * pixel} fill={MUTED}>
          not on this page (report --samples N takes more)
        </text>
      ) : (
        <image
          href={picture.uri}
          width={sample.pictureWidth}
          height={sample.pictureHeight}
          preserveAspectRatio="none"
          style={props.grey === true ? 'filter: grayscale(1) contrast(0.8) brightness(1.12)' : undefined}
        />
      )}
      {props.paint && <Patches grids={grids} paint={props.paint} />}
      {props.grid &&
        grids.map((g) => (
          <>
            <path d={gridPath(g)} fill="none" stroke="#000000" stroke-opacity={0.22} stroke-width={2 * pixel} />
            <path d={gridPath(g)} fill="none" stroke="#ffffff" stroke-opacity={0.5} stroke-width={0.8 * pixel} />
          </>
        ))}
      {props.boxes &&
        sample.boxes.map((b) => (
          <g>
            <Outline x={b.x} y={b.y} w={b.w} h={b.h} line={2 * pixel} colour="#b3123f" />
            <text
              x={b.x + 4 * pixel}
              y={b.y - e.y > 18 * pixel ? b.y - 5 * pixel : b.y + 15 * pixel}
              font-size={13 * pixel}
              font-weight={600}
              fill="#b3123f"
              stroke="#ffffff"
              stroke-width={3 * pixel}
              paint-order="stroke"
              stroke-linejoin="round"
            >
              {b.name}
            </text>
          </g>
        ))}
      {marked && <Outline x={marked.x} y={marked.y} w={marked.w} h={marked.h} line={2 * pixel} colour={INK} />}
      {(props.onHover || props.onPick) && (
        <rect
          class="sensor"
          x={e.x}
          y={e.y}
          width={e.w}
          height={e.h}
          fill="transparent"
          onPointerMove={(event) => props.onHover?.(at(event))}
          onPointerLeave={() => props.onHover?.(null)}
          onClick={(event) => {
            const position = at(event);
            if (position !== null) props.onPick?.(position);
          }}
        />
      )}
    </svg>
  );
}
