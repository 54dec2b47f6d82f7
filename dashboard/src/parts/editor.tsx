/**
 * Edits a value: what is written is shown as a difference first, and is only set if the znode still has the version that it was compared with.
 * If somebody else has set it meanwhile, that is shown, and nothing of it is overwritten unseen.
 */
import { useState } from "preact/hooks";
import type { JSX } from "preact";
import { codeOf, write, type Znode } from "../api.ts";
import { later } from "../format/numbers.ts";
import { lineEnds } from "../format/values.ts";
import { readZnode } from "../tree-model.ts";
import { ActionForm } from "./action-form.tsx";
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
  const { base, draft, isText, setDraft, step, setStep, other } = edit;
  const isWriting = step === "write";
  return (
    <ActionForm
      title={`${isWriting ? "Edit" : "Review"} the value, version ${base.stat.version}`}
      submit={isWriting ? "Review" : "Save"}
      kind="primary"
      isReady={other === undefined && !isGone}
      act={isWriting ? () => setStep("review") : edit.save}
      onBack={isWriting ? undefined : () => setStep("write")}
      onCancel={onDone}
    >
      {isGone && <p class="problem">It was deleted meanwhile.</p>}
      {other !== undefined && !isGone && (
        <Conflict {...{ base, other, draft }} onGoOn={(kept) => edit.goOnFrom(other, kept)} />
      )}
      {isWriting && <Draft {...{ draft, isText }} onDraft={setDraft} />}
      {!isWriting && <DiffView label="What changes" before={editable(base)} after={draft} />}
    </ActionForm>
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
  /** What somebody else has made of the znode meanwhile. */
  readonly other: Znode | undefined;
  /** Throws what the node says, but for a change by somebody else, which becomes `other`. */
  readonly save: () => Promise<void>;
  /** What is saved next is compared with what somebody else has made, whose value becomes the draft unless this one is kept. */
  readonly goOnFrom: (znode: Znode, kept: "mine" | "theirs") => void;
};

function useEdit(current: Znode, onDone: () => void): Edit {
  const [base, setBase] = useState(current);
  const [draft, setDraft] = useState(editable(base));
  const [isText, setIsText] = useState(isTextual(base));
  const [step, setStep] = useState<Step>("write");
  /** What the node had when it last refused a write; what the draft was made of, if it has refused none. */
  const [conflict, setConflict] = useState(base);
  // A change that the page has heard of counts as one that the node refuses a write for. Either may be the older one: a page that is paused
  // hears of nothing.
  const latest = newer(newer(base, current), conflict);
  const other = latest === base ? undefined : latest;
  const save = async (): Promise<void> => {
    try {
      const { path, stat } = base;
      const value = isText ? { text: withEndsOf(base, draft) } : { base64: draft };
      await write("set", { path, ...value, version: stat.version });
      onDone();
    } catch (error) {
      const isConflict = codeOf(error) === "ZOOID_BAD_VERSION";
      const found = isConflict ? await readZnode(base.path).catch(() => base) : base;
      setConflict(found);
      setStep("write");
      if (newer(base, found) === base) throw error;
    }
  };
  const goOnFrom = (znode: Znode, kept: "mine" | "theirs"): void => {
    setBase(znode);
    if (kept === "theirs") {
      setDraft(editable(znode));
      setIsText(isTextual(znode));
    }
    setConflict(znode);
    setStep("write");
  };
  return { base, draft, isText, setDraft, step, setStep, other, save, goOnFrom };
}

/** The one whose value was set later; the first, if it is the same. */
function newer(one: Znode, other: Znode): Znode {
  const { mzxid } = one.stat;
  return later(mzxid, other.stat.mzxid) === mzxid ? one : other;
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
