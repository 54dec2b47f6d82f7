/** The frame of a form that changes the tree: it acts once at a time, with its buttons off meanwhile, and shows why an act has failed. */
import { useRef, useState } from "preact/hooks";
import type { ComponentChildren, JSX } from "preact";
import { messageOf } from "../api.ts";
import { Problem } from "./problem.tsx";

type Props = {
  readonly title: string;
  /** What the button that acts says. */
  readonly submit: string;
  readonly kind: "primary" | "danger";
  /** False: there is nothing to act on yet. */
  readonly isReady: boolean;
  /** What it throws is shown. */
  readonly act: () => void | Promise<void>;
  /** A step back; without it there is no such button. */
  readonly onBack?: (() => void) | undefined;
  readonly onCancel: () => void;
  readonly children: ComponentChildren;
};

export function ActionForm(props: Props): JSX.Element {
  const { title, submit, kind, isReady, act, onBack, onCancel, children } = props;
  const [problem, setProblem] = useState<string>();
  const [isBusy, setIsBusy] = useState(false);
  /** As `isBusy`, and already so before the form is drawn again. */
  const isActing = useRef(false);
  const run = async (): Promise<void> => {
    if (!isReady || isActing.current) return;
    isActing.current = true;
    setIsBusy(true);
    setProblem(undefined);
    try {
      await act();
    } catch (error) {
      setProblem(messageOf(error));
    } finally {
      isActing.current = false;
      setIsBusy(false);
    }
  };
  return (
    <form
      class="card"
      onSubmit={(event) => {
        event.preventDefault();
        void run();
      }}
    >
      <h2>{title}</h2>
      {children}
      <Problem text={problem} />
      <div class="actions">
        <button
          type="submit"
          class={kind}
          disabled={!isReady || isBusy}
          onClick={(event) => {
            // The second click of a double click is not meant for what the form asks next.
            if (event.detail > 1) event.preventDefault();
          }}
        >
          {submit}
        </button>
        {onBack !== undefined && (
          <button type="button" disabled={isBusy} onClick={onBack}>
            Back
          </button>
        )}
        <button type="button" disabled={isBusy} onClick={onCancel}>
          Cancel
        </button>
      </div>
    </form>
  );
}
