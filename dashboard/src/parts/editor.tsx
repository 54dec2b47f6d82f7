/**
 * Edits a value: what is written is shown as a difference first, and is only set if the znode still has the version that it was compared with.
 * If somebody else has set it meanwhile, that is shown, and nothing of it is overwritten unseen.
 */
import { useState } from "preact/hooks";
import type { JSX } from "preact";
import { codeOf, messageOf, write, type Znode } from "../api.ts";
import { lineEnds } from "../format/values.ts";
import { readZnode } from "../tree-model.ts";
import { DiffView } from "./diff-view.tsx";

type Props = {
  /** As it is now, as far as the page has heard. */
  readonly current: Znode;
  readonly isGone: boolean;
  readonly onDone: () => void;
};

type Step = "write" | "review";

export function Editor({ current, isGone, onDone }: Props): JSX.Element {
  const edit = useEdit(current, onDone);
  const { base, draft, isText, setDraft, step, setStep, problem, other, isBusy } = edit;
  return (
    <form
      class="card"
      onSubmit={(event) => {
        event.preventDefault();
        if (step === "write") setStep("review");
        else void edit.save();
      }}
    >
      <h2>
        {step === "write" ? "Edit" : "Review"} the value, version {base.stat.version}
      </h2>
      {isGone && <p class="problem">It was deleted meanwhile.</p>}
      {other !== undefined && !isGone && (
        <Conflict {...{ base, other, draft }} onGoOn={(kept) => edit.goOnFrom(other, kept)} />
      )}
      {step === "write" && <Draft {...{ draft, isText }} onDraft={setDraft} />}
      {step === "review" && <DiffView label="What changes" before={editable(base)} after={draft} />}
      {problem !== undefined && (
        <p role="alert" class="problem">
          {problem}
        </p>
      )}
      <div class="actions">
        <button type="submit" class="primary" disabled={isBusy || other !== undefined || isGone}>
          {step === "write" ? "Review" : "Save"}
        </button>
        {step === "review" && (
          <button type="button" onClick={() => setStep("write")}>
            Back
          </button>
        )}
        <button type="button" onClick={onDone}>
          Cancel
        </button>
      </div>
    </form>
  );
}

type Edit = {
  /** What the draft was made of. */
  readonly base: Znode;
  readonly draft: string;
  /** False: the draft is in Base64. */
  readonly isText: boolean;
  readonly setDraft: (draft: string) => void;
  readonly step: Step;
  readonly setStep: (step: Step) => void;
  readonly problem: string | undefined;
  /** What somebody else has made of the znode meanwhile. */
  readonly other: Znode | undefined;
  readonly isBusy: boolean;
  readonly save: () => Promise<void>;
  /** What is saved next is compared with what somebody else has made, whose value becomes the draft unless this one is kept. */
  readonly goOnFrom: (znode: Znode, kept: "mine" | "theirs") => void;
};

function useEdit(current: Znode, onDone: () => void): Edit {
  const [base, setBase] = useState(current);
  const [draft, setDraft] = useState(editable(base));
  const [isText, setIsText] = useState(isTextual(base));
  const [step, setStep] = useState<Step>("write");
  const [problem, setProblem] = useState<string>();
  const [conflict, setConflict] = useState<Znode>();
  const [isBusy, setIsBusy] = useState(false);
  // A change that the page has heard of counts as one that the node refuses a write for.
  const other = conflict ?? (current.stat.mzxid === base.stat.mzxid ? undefined : current);
  const save = async (): Promise<void> => {
    setIsBusy(true);
    setProblem(undefined);
    try {
      const { path, stat } = base;
      const value = isText ? { text: withEndsOf(base, draft) } : { base64: draft };
      await write("set", { path, ...value, version: stat.version });
      onDone();
    } catch (error) {
      const isConflict = codeOf(error) === "ZOOID_BAD_VERSION";
      const found = isConflict ? await readZnode(base.path).catch(() => undefined) : undefined;
      setConflict(found);
      setProblem(found === undefined ? messageOf(error) : undefined);
      setStep("write");
    } finally {
      setIsBusy(false);
    }
  };
  const goOnFrom = (znode: Znode, kept: "mine" | "theirs"): void => {
    setBase(znode);
    if (kept === "theirs") {
      setDraft(editable(znode));
      setIsText(isTextual(znode));
    }
    setConflict(undefined);
    setStep("write");
  };
  return { base, draft, isText, setDraft, step, setStep, problem, other, isBusy, save, goOnFrom };
}

/** Whether it is edited as text. A text field would change lines that end in several ways, so that such a value is edited in Base64. */
function isTextual({ text, base64 }: Znode): boolean {
  return base64 === null || (text !== null && lineEnds(text) !== "mixed");
}

/** Lines end in the field as it has them, and in the znode as they did. */
function withEndsOf({ text }: Znode, draft: string): string {
  const isOther = text !== null && lineEnds(text) === "crlf";
  return isOther ? draft.replaceAll("\n", "\r\n") : draft;
}

function editable(znode: Znode): string {
  const { text, base64 } = znode;
  return (isTextual(znode) ? text?.replaceAll("\r\n", "\n") : base64) ?? "";
}

type DraftProps = {
  readonly draft: string;
  readonly isText: boolean;
  readonly onDraft: (draft: string) => void;
};

function Draft({ draft, isText, onDraft }: DraftProps): JSX.Element {
  return (
    <label>
      {isText ? "Value" : "Value in Base64, since it is no text that a field would keep as it is"}
      <textarea
        rows={14}
        spellcheck={false}
        value={draft}
        onInput={(event) => onDraft(event.currentTarget.value)}
      />
    </label>
  );
}

type ConflictProps = {
  readonly base: Znode;
  readonly other: Znode;
  readonly draft: string;
  readonly onGoOn: (kept: "mine" | "theirs") => void;
};

function Conflict({ base, other, draft, onGoOn }: ConflictProps): JSX.Element {
  const theirs = editable(other);
  return (
    <div role="alert" class="conflict">
      <p>
        Somebody else has set it meanwhile: it is at version {other.stat.version} now. Nothing was
        overwritten.
      </p>
      <h3>What they changed</h3>
      <DiffView label="What they changed" before={editable(base)} after={theirs} />
      <h3>What yours would change of theirs</h3>
      <DiffView label="What yours would change of theirs" before={theirs} after={draft} />
      <div class="actions">
        <button type="button" onClick={() => onGoOn("theirs")}>
          Start from theirs
        </button>
        <button type="button" onClick={() => onGoOn("mine")}>
          Keep mine, and review it against theirs
        </button>
      </div>
    </div>
  );
}
