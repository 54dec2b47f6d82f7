/** What an endpoint of the API answers, asked for again and again while the page is looked at. */
import { useEffect, useState } from "preact/hooks";
import { messageOf, read } from "./api.ts";

const EVERY_MS = 2000;

export type Polled<T> = {
  /** The last answer that there was. Undefined: there was none yet. */
  readonly answer: T | undefined;
  /** Why the last question had none. */
  readonly problem: string | undefined;
};

export function usePolled<T>(endpoint: string): Polled<T> {
  const [answer, setAnswer] = useState<T>();
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    let isOver = false;
    let timer = 0;
    const ask = async (): Promise<void> => {
      // Nobody looks at a tab that is hidden.
      if (!document.hidden) {
        try {
          setAnswer(await read<T>(endpoint));
          setProblem(undefined);
        } catch (error) {
          setProblem(messageOf(error));
        }
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
