/* hooks.ts - what several views need of the browser: the width they have, and things that are decoded. */
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { RefObject } from 'preact';

/** Width of an element in whole pixels, kept up to date. */
export function useWidth<E extends HTMLElement>(initial: number): [RefObject<E | null>, number] {
  const ref = useRef<E>(null);
  const [width, setWidth] = useState(initial);
  useLayoutEffect(() => {
    const element = ref.current;
    if (element === null) return;
    const measure = (): void => {
      if (element.clientWidth > 0) setWidth(Math.floor(element.clientWidth));
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return [ref, width];
}

export type Loaded<T> = { state: 'waiting' } | { state: 'done'; value: T } | { state: 'failed'; message: string };

/** The value of a promise; with another key, of another. */
export function useLoaded<T>(key: string, load: () => Promise<T>): Loaded<T> {
  const [loaded, setLoaded] = useState<{ key: string; result: Loaded<T> }>({ key: '', result: { state: 'waiting' } });
  useEffect(() => {
    let current = true;
    const set = (result: Loaded<T>): void => {
      if (current) setLoaded({ key, result });
    };
    load().then(
      (value) => set({ state: 'done', value }),
      (error: unknown) => set({ state: 'failed', message: error instanceof Error ? error.message : String(error) }),
    );
    return () => {
      current = false;
    };
  }, [key]);
  return loaded.key === key ? loaded.result : { state: 'waiting' };
}

/** The value, or undefined while it is not there. */
export const valueOf = <T>(loaded: Loaded<T>): T | undefined => (loaded.state === 'done' ? loaded.value : undefined);
