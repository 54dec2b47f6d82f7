/** What an endpoint of the API answers, asked for again and again while the page is looked at. */
import { useEffect, useRef, useState } from "preact/hooks";
import { messageOf, read } from "./api.ts";

const EVERY_MS = 2000;

export type Polled<T> = {
  /** The last answer that there was. Undefined: there was none yet. */
  readonly answer: T | undefined;
  /** Why the last question had none. */
  readonly problem: string | undefined;
};

/** `isHeld`: what is shown stays as it is, until something else is asked for. */
export function usePolled<T>(endpoint: string, isHeld: boolean = false): Polled<T> {
  const [answer, setAnswer] = useState<T>();
  const [problem, setProblem] = useState<string>();
  const held = useRef(isHeld);
  held.current = isHeld;
  useEffect(() => {
    let isOver = false;
    let isFirst = true;
    let timer = 0;
    const ask = async (): Promise<void> => {
      // Nobody looks at a tab that is hidden.
      if (!document.hidden && (isFirst || !held.current)) {
        isFirst = false;
        const asked = await read<T>(endpoint).then(
          (value) => ({ value }),
          (error: unknown) => ({ problem: messageOf(error) }),
        );
        // Something else has been asked for meanwhile.
        if (isOver) return;
        if ("value" in asked) setAnswer(() => asked.value);
        setProblem("value" in asked ? undefined : asked.problem);
      }
      if (!isOver) timer = setTimeout(() => void ask(), EVERY_MS);
    };
    void ask();
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [endpoint]);
  return { answer, problem };
}
