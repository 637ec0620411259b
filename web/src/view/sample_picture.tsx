/* sample_picture.tsx - a sample's picture with what can be laid over it. */
import { useReport } from '../report';
import { PictureView, type PictureProps } from '../chart/picture';
import { pair } from '../palette';
import { groupOf, colourOfGroup } from '../study/colours';
import { groupsAt, patchAt } from '../study/patches';
import { useWidth } from './hooks';
import { Check, Choose, FigureFrame } from './parts';
import type { Focus } from './sample';
import type { SampleState } from './sample_state';
import type { Sample } from '../data';

const HIGHEST = 440;

export function SamplePicture(props: {
  study: number;
  sample: Sample;
  state: SampleState;
  focus: Focus;
  setFocus: (focus: Focus) => void;
}) {
  const { page } = useReport();
  const { sample, state, focus } = props;
  const [ref, width] = useWidth<HTMLDivElement>(420);
  const both = sample.grids.some((g) => g.kind === 'base') && sample.grids.some((g) => g.kind === 'hd');
  const view: PictureProps = {
    sample,
    picture: sample.picture === null ? null : (page.pictures[sample.picture] ?? null),
    width,
    height: HIGHEST,
    tiles: state.tiles.value,
    grid: state.grid.value,
    boxes: state.boxes.value,
    ...((state.patches.value || focus.group !== null) && {
      paint: (position: number) => {
        // The picture as a whole is no news: a colour over all of it only hides it.
        const group = groupOf(sample, position, focus.group);
        if (group === null || (group === 'Image' && focus.group === null)) return null;
        return { fill: pair(colourOfGroup(group)), opacity: 0.38 };
      },
    }),
    marked: focus.position,
    onHover: (position) => props.setFocus({ ...focus, position }),
  };
  const patch = focus.position === null ? null : patchAt(sample.grids, focus.position);
  return (
    <FigureFrame
      name={`picture ${sample.questionId}`}
      chart={() => <PictureView {...still(view)} width={900} height={900} saved />}
      caption={
        patch
          ? `Position ${focus.position ?? ''}: ${sample.grids[patch.grid]!.kind === 'hd' ? 'high resolution, ' : ''}row ${patch.row}, column ${patch.column}; ${groupsAt(sample, focus.position ?? -1).join(', ')}`
          : gridText(sample)
      }
    >
      <div class="picture-box" ref={ref}>
        <PictureView {...view} />
      </div>
      <div class="row options">
        <Check on={state.grid.value} onChange={(on) => (state.grid.value = on)}>
          patches
        </Check>
        <Check on={state.boxes.value} onChange={(on) => (state.boxes.value = on)}>
          boxes
        </Check>
        <Check on={state.patches.value} onChange={(on) => (state.patches.value = on)}>
          object’s patches
        </Check>
        {both && (
          <Choose
            label="Tiles"
            value={state.tiles.value}
            options={[
              { value: 'base', label: 'base' },
              { value: 'hd', label: 'high resolution' },
            ]}
            onChange={(kind) => (state.tiles.value = kind === 'hd' ? 'hd' : 'base')}
          />
        )}
      </div>
    </FigureFrame>
  );
}

/** The view without what reacts. */
function still(view: PictureProps): PictureProps {
  const { sample, picture, width, height, tiles, grid, boxes, paint } = view;
  return { sample, picture, width, height, tiles, grid, boxes, ...(paint && { paint }) };
}

function gridText(sample: Sample): string {
  const grids = sample.grids.map(
    (g) => `${g.kind === 'hd' ? 'high resolution' : 'base'} ${g.rows} × ${g.columns} patches`,
  );
  return `${sample.image}, ${sample.pictureWidth} × ${sample.pictureHeight} pixels; ${grids.join(', ')}`;
}
