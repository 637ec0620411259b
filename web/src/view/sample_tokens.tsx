/* sample_tokens.tsx - the prompt, token by token, coloured by group. */
import { pair } from '../palette';
import { tokenText } from '../format';
import { colourOfGroup, groupOf, groupsOf } from '../study/colours';
import { groupsAt, promptOf, type PromptPart } from '../study/patches';
import type { Focus } from './sample';
import type { Sample } from '../data';

/** A token's text; the mark of a word's beginning shows faintly. */
export function TokenText(props: { stored: string }) {
  const { mark, text } = tokenText(props.stored);
  return (
    <>
      {mark && <span class="mark">▁</span>}
      {text}
    </>
  );
}

function Token(props: { sample: Sample; part: PromptPart; focus: Focus; setFocus: (focus: Focus) => void }) {
  const { sample, part, focus } = props;
  const group = groupOf(sample, part.position, focus.group);
  const here = focus.position !== null && focus.position >= part.position && focus.position < part.end;
  const about =
    part.token === null
      ? `positions ${part.position} to ${part.end - 1}`
      : `position ${part.position}: ${part.token}; ${groupsAt(sample, part.position).join(', ') || 'no group'}`;
  return (
    <>
      <span
        class={`token${part.token === null ? ' of-picture' : ''}${here ? ' here' : ''}${group === null ? ' plain' : ''}`}
        style={group === null ? {} : { '--group': pair(colourOfGroup(group)) }}
        title={about}
        onPointerEnter={() => props.setFocus({ ...focus, position: part.position })}
        onPointerLeave={() => props.setFocus({ ...focus, position: null })}
      >
        {part.token === null ? `picture · ${part.end - part.position} positions` : <TokenText stored={part.token} />}
      </span>
      {part.token !== null && tokenText(part.token).text === '↵' && <br />}
    </>
  );
}

export function Tokens(props: { sample: Sample; focus: Focus; setFocus: (focus: Focus) => void }) {
  const { sample, focus, setFocus } = props;
  const groups = groupsOf(sample);
  const position = focus.position;
  const parts = promptOf(sample);
  const at = position === null ? -1 : parts.findIndex((p) => p.position <= position && position < p.end);
  const token = parts[at];
  const key = (event: KeyboardEvent): void => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (event.key === 'Escape') setFocus({ ...focus, position: null });
    const next = parts[Math.max(0, Math.min(parts.length - 1, at + step))];
    if (step === 0 || next === undefined) return;
    event.preventDefault();
    setFocus({ ...focus, position: next.position });
  };
  return (
    <div class="prompt">
      <p
        class="tokens"
        tabIndex={0}
        role="group"
        aria-label="The prompt. Left and right arrow keys read its tokens."
        onKeyDown={key}
        onBlur={() => setFocus({ ...focus, position: null })}
      >
        {parts.map((part) => (
          <Token key={part.position} sample={sample} part={part} focus={focus} setFocus={setFocus} />
        ))}
      </p>
      <p class="token-readout" aria-live="polite">
        {token && position !== null
          ? `Position ${position}${token.token === null ? '' : ` “${token.token}”`}: ${groupsAt(sample, position).join(', ') || 'no group'}`
          : 'Point at a token or a patch to see its position and groups; choose a group to see where it lies.'}
      </p>
      <ul class="groups" aria-label="Groups of positions">
        {groups.map((g) => (
          <li key={g.name}>
            <button
              type="button"
              class="switch group"
              aria-pressed={focus.group === g.name}
              style={{ '--group': pair(g.colour) }}
              onClick={() => setFocus({ ...focus, group: focus.group === g.name ? null : g.name })}
            >
              <span class="group-swatch" aria-hidden="true" />
              {g.name} <span class="count">{g.n}</span>
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
